#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "health/authority.h"

// A pool, an authority and the world around it, all in the hands of the test.
namespace sluice::health::testing {

using namespace std::chrono_literals;

class TestClock final : public base::Clock {
 public:
  base::Now now() const override { return {mono, wall, boot}; }
  void advance(base::Duration by) {
    mono += by;
    wall += by;
  }

  base::MonoTime mono{100h};
  base::WallTime wall{std::chrono::duration_cast<base::Duration>(480'000h)};
  std::uint64_t boot = 1;
};

// Remembers what was published; the test says when workers serve it.
class TestPublisher final : public Publisher {
 public:
  std::uint64_t publish(std::shared_ptr<const MembershipSnapshot> next,
                        std::span<const AnswerSetId> changed_sets,
                        std::span<const ServerId> hosts) override {
    current = std::move(next);
    changed.assign(changed_sets.begin(), changed_sets.end());
    changed_hosts.assign(hosts.begin(), hosts.end());
    return ++publications;
  }
  std::uint64_t adjust(std::shared_ptr<const MembershipSnapshot> next,
                       std::span<const AnswerSetId> changed_sets) override {
    EXPECT_EQ(next->generation, current->generation);
    current = std::move(next);
    changed.assign(changed_sets.begin(), changed_sets.end());
    ++adjusted;
    return ++publications;
  }

  std::shared_ptr<const MembershipSnapshot> current;
  std::vector<AnswerSetId> changed;
  std::vector<ServerId> changed_hosts;
  std::uint64_t publications = 0;
  std::uint64_t adjusted = 0;  // of these
};

// A disk in memory: commits wait until the test lets them through, or are made to fail.
class TestStore final : public Store {
 public:
  void commit(std::vector<Change> changes, Urgency, std::function<void(Stored)> done) override {
    queue.emplace_back(std::move(changes), std::move(done));
    if (immediate) flush();
  }
  const Histogram& commit_seconds() const noexcept override { return histogram; }

  // Lets so many commits through, oldest first.
  void flush(std::size_t count = SIZE_MAX) {
    for (; count > 0 && !queue.empty(); --count) {
      auto [changes, done] = std::move(queue.front());
      queue.erase(queue.begin());
      if (failure) {
        if (done) done(base::Unexpected{*failure});
        continue;
      }
      for (const Change& change : changes) write(change);
      if (done) done(base::Done{});
    }
  }

  bool immediate = true;
  std::optional<std::string> failure;
  StoredState disk;
  std::vector<Event> audit;
  std::vector<std::pair<std::vector<Change>, std::function<void(Stored)>>> queue;
  Histogram histogram;

 private:
  void write(const Change& change) {
    if (const auto* put = std::get_if<PutHold>(&change)) {
      erase(put->hold.key);
      disk.holds.push_back(put->hold);
    } else if (const auto* erased = std::get_if<EraseHold>(&change)) {
      erase(erased->key);
    } else if (const auto* health = std::get_if<PutHealth>(&change)) {
      std::erase_if(disk.health, [&](const PutHealth& old) {
        return old.server == health->server && old.service == health->service;
      });
      disk.health.push_back(*health);
    } else if (const auto* force = std::get_if<PutForce>(&change)) {
      std::erase_if(disk.forces, [&](const PutForce& old) {
        return old.server == force->server && old.service == force->service;
      });
      if (force->health) disk.forces.push_back(*force);
    } else if (const auto* plan = std::get_if<PutSchedule>(&change)) {
      erase(plan->plan.id);
      disk.schedules.push_back(plan->plan);
    } else if (const auto* cancelled = std::get_if<EraseSchedule>(&change)) {
      erase(cancelled->id);
    } else if (const auto* numbers = std::get_if<ReserveSchedules>(&change)) {
      disk.schedule = numbers->up_to;
    } else if (const auto* ttl = std::get_if<PutPoolTtl>(&change)) {
      std::erase_if(disk.pool_ttls, [&](const PutPoolTtl& old) { return old.pool == ttl->pool; });
      disk.pool_ttls.push_back(*ttl);
    } else if (const auto* entry = std::get_if<AppendAudit>(&change)) {
      audit.push_back(entry->event);
    } else if (const auto* reserve = std::get_if<ReserveGenerations>(&change)) {
      disk.generation = reserve->up_to;
    }
  }
  void erase(ScheduleId id) {
    std::erase_if(disk.schedules, [&](const PlannedDrain& plan) { return plan.id == id; });
  }
  void erase(const HoldKey& key) {
    std::erase_if(disk.holds, [&](const Hold& hold) { return hold.key == key; });
  }
};

// pool.example with servers a, b, c: front-end (consolidates registrar) for the pool FQDN and an
// SRV, call-park for a feature.
inline config::Config test_config(std::vector<std::string> servers = {"a", "b", "c"}) {
  config::Config config;
  config.services = {{"front-end", "Front-End", {"registrar"}}, {"call-park", "Call Park", {}}};
  config.zones = {{"pool.example", "", {}}};
  config::Pool pool;
  pool.fqdn = "pool.example";
  pool.service = "front-end";
  pool.srv = {{"_sip._tcp", "front-end", 5060, 10}};
  pool.features = {{"call-park", "call-park"}};
  std::uint8_t last = 1;
  for (const std::string& label : servers) {
    config::Server server;
    server.fqdn = label + ".pool.example";
    server.addresses = {base::IpAddress::v4({192, 0, 2, last++})};
    server.services = {"front-end", "call-park"};
    pool.servers.push_back(std::move(server));
  }
  config.pools = {std::move(pool)};
  return config;
}

class AuthorityTest : public ::testing::Test {
 protected:
  // The numbers of config::answer_sets().
  static constexpr AnswerSetId kPool = 0;
  static constexpr AnswerSetId kSrv = 1;
  static constexpr AnswerSetId kCallPark = 2;

  void start() { start(test_config()); }
  void start(const config::Config& with) {
    config = with;
    authority.reset();
    publisher = {};
    authority = std::make_unique<Authority>(
        std::make_shared<Topology>(config), Authority::Settings{config.health, "ns1"}, clock,
        publisher, store, store.disk, [this](const Event& event) { events.push_back(event); });
    served();
  }
  // As after kill -9: what is on disk is all that is left.
  void restart() { start(config); }
  void served() { authority->on_served(publisher.publications); }

  // What a healthy agent pushes.
  Heartbeat up(const std::string& instance = "i1", const std::string& boot = "boot") {
    Heartbeat heartbeat{boot, ++seq, {}};
    for (const char* service : {"front-end", "call-park"}) {
      ServiceReport report;
      report.health = Health::Up;
      report.instance = instance;
      report.sessions = Sessions{};
      heartbeat.services.emplace(service, report);
    }
    return heartbeat;
  }
  std::optional<Outcome<HeartbeatReply>> push(const std::string& label,
                                              const Heartbeat& heartbeat) {
    std::optional<Outcome<HeartbeatReply>> reply;
    authority->heartbeat(label + ".pool.example", heartbeat,
                         [&](Outcome<HeartbeatReply> outcome) { reply = std::move(outcome); });
    served();
    return reply;
  }
  void all_up() {
    for (const config::Server& server : config.pools.front().servers) {
      push(server.fqdn.substr(0, server.fqdn.find('.')), up());
    }
  }
  // Time passes, in steps in which the control thread would wake; those named keep pushing.
  void pass(base::Duration duration, const std::vector<std::string>& pushing = {}) {
    for (base::Duration gone{0}; gone < duration; gone += 1s) {
      clock.advance(1s);
      for (const std::string& label : pushing) push(label, up());
      authority->tick();
      served();
    }
  }

  std::optional<Outcome<DrainReply>> drain(const std::string& label,
                                           std::optional<std::string> service = {},
                                           bool force = false) {
    DrainRequest request;
    request.server = label + ".pool.example";
    request.service = std::move(service);
    request.force = force;
    request.reason = "patch";
    return drain(request);
  }
  std::optional<Outcome<DrainReply>> drain(const DrainRequest& request) {
    const auto reply = std::make_shared<std::optional<Outcome<DrainReply>>>();
    authority->drain(request, {"operations", "test"},
                     [reply](Outcome<DrainReply> outcome) { *reply = std::move(outcome); });
    served();
    return *reply;
  }
  std::shared_ptr<std::optional<Outcome<ResumeReply>>> resume(
      const std::string& label, std::optional<std::string> service = {}) {
    const auto reply = std::make_shared<std::optional<Outcome<ResumeReply>>>();
    authority->resume(label + ".pool.example", service, {"operations", "test"},
                      [reply](Outcome<ResumeReply> outcome) { *reply = std::move(outcome); });
    served();
    return reply;
  }
  // The warnings of its reply.
  std::vector<std::string> force(const std::string& label, std::optional<Health> health,
                                 bool stored = true) {
    const auto warnings = std::make_shared<std::vector<std::string>>();
    authority->force(label + ".pool.example", std::nullopt, health, {"operations", "test"},
                     [stored, warnings](const Outcome<ResumeReply>& outcome) {
                       EXPECT_EQ(outcome.has_value(), stored);
                       if (outcome) *warnings = outcome->warnings;
                     });
    served();
    return *warnings;
  }

  Figures figures() const {
    Figures figures;
    EXPECT_TRUE(authority->add_figures(figures));
    return figures;
  }

  // The labels of the members, one letter each: "abc".
  std::string members(AnswerSetId set) const {
    std::string labels;
    for (const ServerId id : publisher.current->answer_sets[set].servers) {
      labels += authority->topology()->servers()[id].fqdn.front();
    }
    return labels;
  }
  Fallback fallback(AnswerSetId set) const { return publisher.current->answer_sets[set].fallback; }
  ServiceView view(const std::string& label, const std::string& service = "front-end") const {
    const auto server = authority->server(label + ".pool.example");
    for (const ServiceView& candidate : server->services) {
      if (candidate.name == service) return candidate;
    }
    ADD_FAILURE() << "no service " << service << " on " << label;
    return {};
  }
  std::vector<std::string> codes(const Verdict& verdict) const {
    std::vector<std::string> codes;
    for (const Reason& reason : verdict.reasons) codes.push_back(reason.code);
    return codes;
  }

  config::Config config;
  TestClock clock;
  TestPublisher publisher;
  TestStore store;
  std::vector<Event> events;
  std::unique_ptr<Authority> authority;
  std::uint64_t seq = 0;
};

}  // namespace sluice::health::testing
