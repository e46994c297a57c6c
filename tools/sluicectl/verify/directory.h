#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/address.h"
#include "config/base/clock.h"
#include "tools/sluicectl/api/answers.h"
#include "tools/sluicectl/api/endpoint.h"
#include "tools/sluicectl/lookup/lookups.h"
#include "tools/sluicectl/verify/judge.h"

// Who is to be asked about the names of a zone.
namespace sluice::ctl {

struct Target {
  base::SocketAddress address;
  Source source = Source::Responder;
  std::string who;  // "responder ns1", "NS ns1.contoso.example", "resolver"
};

// The zone that a name is in: the longest of the responders'; nothing: none of theirs.
std::optional<std::string> zone_of(std::string_view name, const std::vector<Responder>& responders);

// Where a responder that listens on every address (0.0.0.0, ::) is reached from here: the host of
// the API, or loopback. What is not unspecified stays as it is.
base::SocketAddress reachable(const base::SocketAddress& listen,
                              const std::vector<Endpoint>& endpoints);

// The targets of all responders.
std::vector<Target> responder_targets(const std::vector<Responder>& responders,
                                      const std::vector<Endpoint>& endpoints);

// The responders of the cluster beside the one that was asked, where they are reached from here:
// one that listens on every address at that of its API. Those that are lost, or say no address, are
// a note.
struct ClusterTargets {
  std::vector<Target> targets;
  std::vector<std::string> notes;
};
ClusterTargets cluster_targets(const Cluster& cluster);

// Puts a target in, or its `who` to that of the same address: nobody is asked twice.
void add_target(std::vector<Target>& targets, Target target);

// What a zone says of itself.
struct ZoneFacts {
  std::vector<Target> name_servers;
  std::optional<base::Duration> negative;  // how long resolvers keep "there is none"
  std::vector<std::string> notes;          // for people: what could not be found out
};

// As a responder serves it.
ZoneFacts ask_zone(const std::string& zone, const base::SocketAddress& responder,
                   const base::Clock& clock);

}  // namespace sluice::ctl
