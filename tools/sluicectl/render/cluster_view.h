#pragma once

#include <string>
#include <vector>

#include "config/base/clock.h"
#include "tools/sluicectl/api/answers.h"
#include "tools/sluicectl/render/surface.h"

// Responders that share one state, and what is wrong among them, in words.
namespace sluice::ctl {

// `cluster`: state and staleness first, then a row for each responder, then what to do.
std::string cluster_view(const Cluster& cluster, base::WallTime now, const Surface& surface);

// Nobody is lost, everybody has confirmed, nothing is stale, no alarm.
bool is_well(const Cluster& cluster);
// It would be but for those who are alive and have not confirmed yet: with each change that is so
// for milliseconds.
bool is_confirming(const Cluster& cluster);

// "ns1's state is stale since 10:00:30: etcd does not answer"; `who` may be empty.
std::string stale_words(const std::optional<base::WallTime>& since, const std::string& reason,
                        base::WallTime now);

// Of an order that these have not confirmed: what that means, and what to do. `held`: a hold was
// placed, whose verdict waits for them.
std::string unconfirmed_words(const std::vector<std::string>& responders, bool held);

// What to do about the reason `unconfirmed-responder`, which names them.
std::string unconfirmed_advice();

}  // namespace sluice::ctl
