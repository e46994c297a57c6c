// Random histories of holds, and of the instances that agents push, against what semantics.md
// sections 1 and 4 say of them.

#include <algorithm>
#include <array>
#include <ostream>

#include "gtest/gtest.h"
#include <rapidcheck/gtest.h>

#include "health/hold_set.h"
#include "health/service_state.h"

namespace sluice::health {
namespace {

using namespace std::chrono_literals;

constexpr std::array<const char*, 2> kServers{"a", "b"};
constexpr std::array<const char*, 3> kServices{"front-end", "call-park", "attendant"};

// --- HoldSet against everything that was ever ordered, read from its end

struct Order {
  enum class Kind { Place, Release, Lift };
  Kind kind = Kind::Place;
  HoldKey key;
  std::string released;  // a service; of Release
  bool hide_host = false;
};

std::ostream& operator<<(std::ostream& out, const HoldKey& key) {
  return out << key.server << '/' << key.service << '/' << to_string(key.origin);
}
std::ostream& operator<<(std::ostream& out, const Order& order) {
  constexpr std::array<const char*, 3> kWords{"place ", "release ", "lift "};
  return out << kWords[static_cast<std::size_t>(order.kind)] << order.key << ' ' << order.released
             << (order.hide_host ? " hide" : "");
}

rc::Gen<HoldKey> any_key() {
  return rc::gen::build<HoldKey>(
      rc::gen::set(&HoldKey::server, rc::gen::elementOf(std::vector<std::string>{"a", "b"})),
      rc::gen::set(&HoldKey::service, rc::gen::elementOf(std::vector<std::string>{
                                          "", "", "front-end", "call-park", "attendant"})),
      rc::gen::set(&HoldKey::origin,
                   rc::gen::element(Origin::Operator, Origin::Host, Origin::Schedule)));
}

rc::Gen<Order> any_order() {
  return rc::gen::build<Order>(
      rc::gen::set(&Order::kind, rc::gen::element(Order::Kind::Place, Order::Kind::Place,
                                                  Order::Kind::Release, Order::Kind::Lift)),
      rc::gen::set(&Order::key, any_key()),
      rc::gen::set(&Order::released, rc::gen::elementOf(std::vector<std::string>{
                                         "front-end", "call-park", "attendant"})),
      rc::gen::set(&Order::hide_host, rc::gen::arbitrary<bool>()));
}

// The orders that tell whether a hold stands, newest first: the newest placing or lifting of its
// key decides, and only what was released after that counts.
class History {
 public:
  void add(Order order) { orders_.insert(orders_.begin(), std::move(order)); }

  const Order* standing(const HoldKey& key) const {
    for (const Order& order : orders_) {
      if (order.key != key || order.kind == Order::Kind::Release) continue;
      return order.kind == Order::Kind::Place ? &order : nullptr;
    }
    return nullptr;
  }
  bool covers(const HoldKey& key, const std::string& service) const {
    if (!key.service.empty() && key.service != service) return false;
    if (standing(key) == nullptr) return false;
    for (const Order& order : orders_) {
      if (order.key != key) continue;
      if (order.kind == Order::Kind::Place) return true;
      if (order.released == service) return false;
    }
    return true;
  }
  std::vector<HoldKey> covering(const std::string& server, const std::string& service) const {
    std::vector<HoldKey> found;
    for (const std::string& scope : {std::string(), service}) {
      for (const Origin origin : {Origin::Operator, Origin::Host, Origin::Schedule}) {
        const HoldKey key{server, scope, origin};
        if (covers(key, service)) found.push_back(key);
      }
    }
    return found;
  }

 private:
  std::vector<Order> orders_;
};

RC_GTEST_PROP(HoldSetProperty, FollowsTheNewestOrderOfEachKey, ()) {
  const auto orders = *rc::gen::container<std::vector<Order>>(any_order());
  HoldSet set;
  History history;
  for (const Order& order : orders) {
    switch (order.kind) {
      case Order::Kind::Place: {
        Hold hold;
        hold.key = order.key;
        hold.hide_host = order.hide_host;
        set.place(std::move(hold));
        break;
      }
      case Order::Kind::Release:
        if (Hold* hold = set.find(order.key)) hold->released.insert(order.released);
        break;
      case Order::Kind::Lift:
        set.lift(order.key);
        break;
    }
    history.add(order);

    std::size_t standing = 0;
    for (const char* server : kServers) {
      bool hides = false;
      for (const char* scope : {"", "front-end", "call-park", "attendant"}) {
        for (const Origin origin : {Origin::Operator, Origin::Host, Origin::Schedule}) {
          const HoldKey key{server, scope, origin};
          const Order* placed = history.standing(key);
          RC_ASSERT((set.find(key) != nullptr) == (placed != nullptr));
          if (placed == nullptr) continue;
          ++standing;
          hides = hides || placed->hide_host;
        }
      }
      RC_ASSERT(set.hides_host(server) == hides);
      for (const char* service : kServices) {
        std::vector<HoldKey> keys;
        for (const Hold* hold : std::as_const(set).covering(server, service)) {
          keys.push_back(hold->key);
        }
        RC_ASSERT(keys == history.covering(server, service));
        RC_ASSERT(set.held(server, service) == !keys.empty());
      }
    }
    std::size_t kept = 0;
    for (const auto& [server, holds] : set.by_server()) {
      RC_ASSERT(!holds.empty());
      kept += holds.size();
    }
    RC_ASSERT(kept == standing);
  }
}

// --- instances: section 4, told by looking back over all pushes

struct Push {
  Health health = Health::Up;
  unsigned boot = 0;
  std::optional<unsigned> instance;  // absent: the agent can't tell

  // What the hold is to remember of it.
  std::optional<std::string> told() const {
    if (!instance) return std::nullopt;
    return std::to_string(boot) + "/" + std::to_string(*instance);
  }
};

std::ostream& operator<<(std::ostream& out, const Push& push) {
  return out << to_string(push.health) << ' ' << push.told().value_or("none");
}

rc::Gen<Push> any_push() {
  return rc::gen::build<Push>(
      rc::gen::set(&Push::health,
                   rc::gen::element(Health::Up, Health::Up, Health::Down, Health::Stopped)),
      rc::gen::set(&Push::boot, rc::gen::inRange(0U, 2U)),
      rc::gen::set(&Push::instance,
                   rc::gen::element<std::optional<unsigned>>(std::nullopt, 0U, 1U)));
}

// Whether, after these pushes, the service runs as another instance than the hold was placed on or
// adopted. What counts begins after the last push of a service that runs and can't tell its
// instance: the next one that is told is adopted. One that stopped tells none and is over only when
// another comes.
bool restarted(const std::vector<Push>& pushes, std::size_t count) {
  std::vector<std::string> told;
  for (std::size_t i = count; i-- > 0;) {
    if (const auto instance = pushes[i].told()) {
      told.push_back(*instance);
    } else if (pushes[i].health != Health::Stopped) {
      break;
    }
  }
  return !told.empty() && told.front() != told.back();
}

RC_GTEST_PROP(InstanceProperty, OnlyANewInstanceIsARestart, ()) {
  const auto pushes = *rc::gen::container<std::vector<Push>>(any_push());
  const auto own = *rc::gen::element<std::optional<config::Startup>>(
      std::nullopt, config::Startup::Automatic, config::Startup::Manual);
  const auto usual = *rc::gen::element(config::Startup::Automatic, config::Startup::Manual);
  const bool automatic = own.value_or(usual) == config::Startup::Automatic;
  Hold hold;
  hold.key = {"a", "", Origin::Operator};
  hold.startup = own;
  ServiceState state;
  for (std::size_t i = 0; i < pushes.size(); ++i) {
    ServiceReport report;
    report.health = pushes[i].health;
    if (pushes[i].instance) report.instance = std::to_string(*pushes[i].instance);
    apply(state, report, std::to_string(pushes[i].boot), {});
    const InstanceEffect effect = instance_effect(hold, "front-end", state, usual);
    const bool new_instance = restarted(pushes, i + 1);
    RC_ASSERT((effect == InstanceEffect::Release) == (new_instance && automatic));
    RC_ASSERT((effect == InstanceEffect::Outlive) == (new_instance && !automatic));
    RC_ASSERT(outlived(hold, "front-end", state) == new_instance);
    if (effect == InstanceEffect::Release) return;  // the service takes connections again
    // As the authority does.
    if (effect == InstanceEffect::Adopt) hold.instances["front-end"] = *state.instance;
    if (effect == InstanceEffect::Forget) hold.instances.erase("front-end");
  }
}

RC_GTEST_PROP(InstanceProperty, AnotherServicesInstanceIsNotItsOwn, ()) {
  Hold hold;
  hold.key = {"a", "", Origin::Operator};
  hold.instances = {{"call-park", "0/1"}};
  ServiceState state;
  state.health = Health::Up;
  state.instance = (*any_push()).told();
  const auto effect = instance_effect(hold, "front-end", state, config::Startup::Automatic);
  RC_ASSERT(effect == (state.instance ? InstanceEffect::Adopt : InstanceEffect::None));
}

}  // namespace
}  // namespace sluice::health
