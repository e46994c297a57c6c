#pragma once

#include <nlohmann/json.hpp>

#include "health/authority.h"
#include "health/view.h"

// Views as JSON, member for member as interfaces.md has them. What is not known is null, so that a
// member that is missing is a member of another version.
namespace sluice::health {

nlohmann::ordered_json to_json(const Verdict& verdict);
nlohmann::ordered_json to_json(const HoldView& hold);
nlohmann::ordered_json to_json(const ScheduleView& schedule);
nlohmann::ordered_json to_json(const ServiceView& service);
nlohmann::ordered_json to_json(const ServerView& server);
nlohmann::ordered_json to_json(const PoolView& pool);
nlohmann::ordered_json to_json(const ResponderView& responder);
nlohmann::ordered_json to_json(const OrphanView& orphan);
nlohmann::ordered_json to_json(const ClusterView& cluster);
nlohmann::ordered_json to_json(const Explanation& explanation);
nlohmann::ordered_json to_json(const DrainReply& reply);
nlohmann::ordered_json to_json(const ResumeReply& reply);
// As text, without a document in between: with ten thousand agents five thousand go out a second.
std::string to_text(const HeartbeatReply& reply);

}  // namespace sluice::health
