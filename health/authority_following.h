#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "health/authority_state.h"

namespace sluice::health {

// The authority as one of several (health/cluster): it takes over what others decided, and knows
// what is left to decide when its turn comes.
class Authority::State::Following {
 public:
  explicit Following(State& state) : state_(state) {}

  // As in Authority.
  void follow(const SharedState& whole);
  void follow(const SharedEdition& edition);
  void take_turn(bool on);
  SharedPool shared_pool(PoolId pool) const;
  SharedHost shared_host(ServerId server) const;
  bool undecided() const noexcept { return !undecided_.empty(); }
  bool wants_turn(const std::string& server, const Heartbeat& heartbeat) const;

  // Somebody has decided its members.
  bool knows(ServicePoolId id) const { return known_pools_.contains(id); }
  // What its agent said, or does not say any more, may change answers.
  void note_unsettled(ServerId server) { unsettled_.insert(server); }
  // A mass loss is doubted: it shows in no answer, but whoever decides next must know of it.
  void tell_guard(PoolId pool);
  // A new configuration: everything is decided anew; then, everything is.
  void forget();
  void know_all();

 private:
  // Whether it is among what changed, or everything is looked at anew.
  enum class Extent : std::uint8_t { Changed, All };

  void forget_shared(std::uint64_t publication);
  void follow_change(const Change& change, const base::Now& now, std::set<ServerId>& touched);
  void follow_hold(const Hold& hold, const base::Now& now);
  void follow_plan(const PlannedDrain& drain, const base::Now& now);
  void follow_pool(const SharedPool& pool, const base::Now& now, Extent extent, Edition& edition);
  void follow_all_hosts(const std::vector<SharedHost>& hosts, MembershipSnapshot& next,
                        Edition& edition);
  void follow_hosts(const std::vector<SharedHost>& hosts, MembershipSnapshot& next,
                    Edition& edition);
  void follow_caps(Edition& edition) const;
  void decide_for_now(std::uint64_t generation, Edition& edition);
  void show(const Edition& edition, std::shared_ptr<MembershipSnapshot> next,
            std::uint64_t publication, std::uint64_t generation);
  std::shared_ptr<Members> members_of(ServicePoolId id, const SharedSet& set) const;
  bool went_silent(ServerId server) const;
  void take_what_is_left(const base::Now& now);

  State& state_;
  bool decide_all_ = false;  // with the next turn: what was decided in between may be void
  std::set<ServicePoolId> known_pools_;  // somebody has decided these
  std::set<ServicePoolId> undecided_;    // nobody has
  std::set<ServerId> unsettled_;         // their agents said what may change answers
};

}  // namespace sluice::health
