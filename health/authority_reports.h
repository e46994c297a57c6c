#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "health/authority_state.h"

namespace sluice::health {

// What responders tell each other of agents (health/cluster): each of those that push to it.
class Authority::State::Reports {
 public:
  explicit Reports(State& state) : state_(state) {}

  // As in Authority.
  void hear(const AgentReport& report, bool vouched);
  void judge();
  void orphan(const std::string& responder, const std::string& run);
  // A new configuration: servers have other numbers, and are looked at anew.
  void renumber() { ended_.clear(); }

  // Tells the others what is new of an agent that pushes here: now, or when its share allows.
  void share_in_time(ServerId server, const base::Now& now);
  void share_silent(PoolId pool, const base::Now& now);
  void share_due(const base::Now& now);
  void share_all();
  std::optional<base::MonoTime> next_due() const {
    return telling_.empty() ? std::nullopt : std::optional(telling_.top().at);
  }

 private:
  // What was told to the others of one.
  struct Told {
    AgentReport report;
    base::MonoTime at;
    base::MonoTime spent_until;         // of its share of transitions
    std::optional<base::MonoTime> due;  // its entry of telling_
  };

  void hear_services(ServerId server, const AgentReport& report, const base::Now& now);
  std::uint32_t voucher_of(const std::string& responder, const std::string& run);
  AgentReport report_of(ServerId server, const base::Now& now) const;
  void share_now(ServerId server, AgentReport report, const base::Now& now);

  State& state_;
  std::vector<std::string> vouchers_{""};  // "RESPONDER/RUN"
  std::vector<ServerId> ended_;            // leases that ended with what was heard
  std::map<ServerId, Told> told_;
  std::priority_queue<Deadline> telling_;
};

}  // namespace sluice::health
