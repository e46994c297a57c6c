#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/model.h"
#include "health/authority.h"
#include "health/cluster/member.h"
#include "health/topology.h"

// A cluster in one thread: the real protocol and the real authority over an engine in memory, with
// a network and clocks that the test, or a seed, decides about.
namespace sluice::cluster::simulated {

using namespace std::chrono_literals;

// What happens later, in the order of its time; equal times in the order in which they were said.
class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {}

  base::MonoTime now() const noexcept { return now_; }
  void at(base::MonoTime time, std::function<void()> what) {
    queue_.push({std::max(time, now_), number_++, std::move(what)});
  }
  void after(std::chrono::nanoseconds delay, std::function<void()> what) {
    at(now_ + delay, std::move(what));
  }
  // Does the next thing, if it comes before `until`.
  bool step(base::MonoTime until) {
    if (queue_.empty() || queue_.top().time > until) return false;
    // std::priority_queue has no way to take an element out.
    auto what = std::move(const_cast<Item&>(queue_.top()).what);
    now_ = queue_.top().time;
    queue_.pop();
    what();
    return true;
  }
  void run_for(std::chrono::nanoseconds time) {
    const base::MonoTime until = now_ + time;
    while (step(until)) {
    }
    now_ = until;
  }
  template <class Condition>
  bool run_until(Condition condition, std::chrono::nanoseconds at_most) {
    const base::MonoTime until = now_ + at_most;
    while (!condition()) {
      if (!step(until)) {
        now_ = until;
        return condition();
      }
    }
    return true;
  }

  std::uint64_t random(std::uint64_t below) { return random_() % below; }
  bool chance(unsigned percent) { return random(100) < percent; }

 private:
  struct Item {
    base::MonoTime time;
    std::uint64_t number = 0;
    std::function<void()> what;
    bool operator<(const Item& other) const {
      return std::pair(time, number) > std::pair(other.time, other.number);
    }
  };
  base::MonoTime now_{std::chrono::hours(100)};
  std::uint64_t number_ = 0;
  std::priority_queue<Item> queue_;
  std::mt19937_64 random_;
};

// The engine: one history of revisions.
class Engine {
 public:
  explicit Engine(World& world) : world_(world) {}

  Committed commit(const Transaction& transaction) {
    for (const Condition& condition : transaction.conditions) {
      const auto found = keys_.find(condition.key);
      if ((found == keys_.end() ? 0 : found->second.revision) != condition.revision) {
        return {false, revision_};
      }
    }
    std::vector<Change> changes;
    for (const Write& write : transaction.writes) {
      if (!write.value && !keys_.contains(write.key)) continue;
      if (write.value && write.lease != 0 && !leases_.contains(write.lease)) {
        return {false, revision_};
      }
      changes.push_back({write.key, write.value, revision_ + 1, write.lease});
    }
    apply(std::move(changes));
    return {true, revision_};
  }
  Listing list(const std::string& under) const {
    Listing listing{revision_, {}};
    for (auto each = keys_.lower_bound(under); each != keys_.end(); ++each) {
      if (!each->first.starts_with(under)) break;
      if (under.empty() && each->first.starts_with("audit/")) continue;
      listing.entries.push_back(each->second);
    }
    return listing;
  }
  // Of one revision after `after`, the first; empty: there is none yet.
  std::vector<Change> next(std::int64_t after) const {
    std::vector<Change> changes;
    auto each = std::ranges::upper_bound(history_, after, {}, &Change::revision);
    for (; each != history_.end(); ++each) {
      if (!changes.empty() && each->revision != changes.front().revision) break;
      changes.push_back(*each);
    }
    return changes;
  }
  bool compacted(std::int64_t after) const { return after < compacted_; }
  void compact() {
    compacted_ = revision_;
    history_.clear();
  }
  void wipe() {
    std::vector<Change> changes;
    for (const auto& [key, entry] : keys_) changes.push_back({key, std::nullopt, revision_ + 1, 0});
    apply(std::move(changes));
  }
  std::int64_t grant(std::chrono::seconds ttl) {
    const std::int64_t lease = ++lease_number_;
    leases_[lease] = {ttl, world_.now() + ttl};
    watch_lease(lease);
    return lease;
  }
  bool renew(std::int64_t lease) {
    const auto found = leases_.find(lease);
    if (found == leases_.end()) return false;
    found->second.second = world_.now() + found->second.first;
    return true;
  }
  bool revoke(std::int64_t lease) {
    if (leases_.erase(lease) == 0) return false;
    take_keys_of(lease);
    return true;
  }
  std::int64_t revision() const noexcept { return revision_; }
  std::function<void()> changed;

 private:
  void apply(std::vector<Change> changes) {
    if (changes.empty()) return;
    ++revision_;
    for (Change& change : changes) {
      if (change.value) {
        keys_[change.key] = change;
      } else {
        keys_.erase(change.key);
      }
      if (!change.key.starts_with("audit/")) history_.push_back(std::move(change));
    }
    if (changed) changed();
  }
  void watch_lease(std::int64_t lease) {
    world_.at(leases_.at(lease).second, [this, lease] {
      const auto found = leases_.find(lease);
      if (found == leases_.end()) return;
      if (found->second.second > world_.now()) return watch_lease(lease);
      leases_.erase(found);
      take_keys_of(lease);
    });
  }
  void take_keys_of(std::int64_t lease) {
    std::vector<Change> changes;
    for (const auto& [key, entry] : keys_) {
      if (entry.lease == lease) changes.push_back({key, std::nullopt, revision_ + 1, 0});
    }
    apply(std::move(changes));
  }

  World& world_;
  std::map<std::string, Change> keys_;
  std::vector<Change> history_;
  std::map<std::int64_t, std::pair<std::chrono::seconds, base::MonoTime>> leases_;
  std::int64_t lease_number_ = 0;
  std::int64_t revision_ = 1;
  std::int64_t compacted_ = 0;
};

// One responder's way to the engine.
class SimulatedKv final : public Kv {
 public:
  SimulatedKv(World& world, Engine& engine) : world_(world), engine_(engine) {}

  bool reachable = true;
  bool half_open = false;  // the watch is silent, requests pass
  bool no_audit = false;   // no right to its keys
  std::chrono::nanoseconds least_delay = 200us;
  std::chrono::nanoseconds jitter = 800us;  // of each way

  void commit(Transaction transaction, std::function<void(Reply<Committed>)> done) override {
    const auto of_the_audit = [](const Write& write) { return write.key.starts_with("audit/"); };
    if (no_audit && std::ranges::any_of(transaction.writes, of_the_audit)) {
      return later(delay(), [done = std::move(done)] {
        done(base::Unexpected{Failure{Failure::Kind::Refused, "permission denied"}});
      });
    }
    request<Committed>([this, transaction] { return engine_.commit(transaction); },
                       std::move(done));
  }
  void list(std::string under, std::function<void(Reply<Listing>)> done) override {
    request<Listing>([this, under] { return engine_.list(under); }, std::move(done));
  }
  void newest(std::string under, std::size_t limit,
              std::function<void(Reply<Listing>)> done) override {
    request<Listing>(
        [this, under, limit] {
          Listing listing = engine_.list(under);
          if (listing.entries.size() > limit) {
            listing.entries.erase(listing.entries.begin(),
                                  listing.entries.end() - static_cast<std::ptrdiff_t>(limit));
          }
          return listing;
        },
        std::move(done));
  }
  void watch(std::int64_t after, WatchCalls calls) override {
    watched_ = after;
    calls_ = std::move(calls);
    connect();
  }
  void renew_watch() override {
    half_open = false;
    connect();
  }
  void grant(std::chrono::seconds ttl, std::function<void(Reply<std::int64_t>)> done) override {
    request<std::int64_t>([this, ttl] { return engine_.grant(ttl); }, std::move(done));
  }
  void renew(std::int64_t lease, std::function<void(Reply<bool>)> done) override {
    request<bool>([this, lease] { return engine_.renew(lease); }, std::move(done));
  }
  void revoke(std::int64_t lease, std::function<void()> done) override {
    request<bool>([this, lease] { return engine_.revoke(lease); },
                  [done = std::move(done)](const Reply<bool>&) { done(); });
  }

  // Something is new, or the way is free again.
  void deliver() {
    while (calls_ && reachable && !half_open) {
      if (engine_.compacted(sent_)) {
        return send([this] {
          const auto calls = *calls_;
          calls_.reset();
          calls.compacted();
        });
      }
      std::vector<Change> changes = engine_.next(sent_);
      if (changes.empty()) return;
      sent_ = changes.front().revision;
      send([this, changes = std::move(changes)] {
        watched_ = changes.front().revision;
        const auto calls = *calls_;
        calls.changed(changes);
      });
    }
  }

 private:
  // What is still on its way is lost.
  void connect() {
    ++watch_number_;
    sent_ = watched_;
    deliver();
  }
  // In order, each when it comes, however many are on their way.
  void send(std::function<void()> what) {
    arrives_ = std::max(arrives_, world_.now() + delay());
    later(arrives_ - world_.now(), [this, number = watch_number_, what = std::move(what)] {
      if (number != watch_number_ || !calls_) return;
      if (reachable && !half_open) return what();
      ++watch_number_;
      sent_ = watched_;
    });
  }
  std::chrono::nanoseconds delay() {
    return least_delay +
           std::chrono::nanoseconds(world_.random(static_cast<std::uint64_t>(jitter.count()) + 1));
  }
  void later(std::chrono::nanoseconds delay, std::function<void()> what) {
    world_.after(delay, [alive = std::weak_ptr(alive_), what = std::move(what)] {
      if (!alive.expired()) what();
    });
  }
  // Lost on the way there: not done. On the way back: done, and nobody knows.
  template <class T>
  void request(std::function<T()> act, std::function<void(Reply<T>)> done) {
    const auto failed = [this, done] {
      later(kLimit, [done] {
        done(base::Unexpected{Failure{Failure::Kind::Unreachable, "no answer"}});
      });
    };
    if (!reachable) return failed();
    // The engine acts though the process that asked may be dead by then.
    world_.after(delay(), [this, alive = std::weak_ptr(alive_), act = std::move(act),
                           done = std::move(done), failed] {
      if (alive.expired()) return;
      if (!reachable) return failed();
      auto result = std::make_shared<T>(act());
      later(delay(), [this, done, failed, result] {
        if (!reachable) return failed();
        done(std::move(*result));
      });
    });
  }

  World& world_;
  Engine& engine_;
  std::optional<WatchCalls> calls_;
  std::int64_t watched_ = 0;  // what has come
  std::int64_t sent_ = 0;     // what is on its way, too
  base::MonoTime arrives_;    // the newest of that
  std::uint64_t watch_number_ = 0;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

// A file that survives the process.
struct Disk {
  Kept kept;
  bool fails = false;
};

class SimulatedCopy final : public Copy {
 public:
  SimulatedCopy(World& world, Disk& disk) : world_(world), disk_(disk) {}

  void keep(std::int64_t revision, std::vector<Change> changes,
            std::function<void(Stored)> done) override {
    write(
        [this, revision, changes = std::move(changes)] {
          disk_.kept.revision = revision;
          for (const Change& change : changes) {
            std::erase_if(disk_.kept.entries,
                          [&](const Change& old) { return old.key == change.key; });
            if (change.value) disk_.kept.entries.push_back(change);
          }
        },
        std::move(done));
  }
  void replace(std::string cluster, std::int64_t revision, std::vector<Change> entries,
               std::function<void(Stored)> done) override {
    write(
        [this, cluster, revision, entries = std::move(entries)] {
          disk_.kept.cluster = cluster;
          disk_.kept.revision = revision;
          disk_.kept.entries = entries;
        },
        std::move(done));
  }
  void keep_own(std::vector<Write> writes, std::function<void(Stored)> done) override {
    write(
        [this, writes = std::move(writes)] {
          for (const Write& write : writes) {
            std::erase_if(disk_.kept.own, [&](const Change& old) { return old.key == write.key; });
            if (write.value) disk_.kept.own.push_back({write.key, write.value, 0, 0});
          }
        },
        std::move(done));
  }

 private:
  void write(std::function<void()> what, std::function<void(Stored)> done) {
    world_.after(300us, [alive = std::weak_ptr(alive_), this, what = std::move(what),
                         done = std::move(done)] {
      if (alive.expired()) return;
      // What failed is written with what comes next: the copy has no holes (copy.h).
      unwritten_.push_back(what);
      if (disk_.fails) return done(base::Unexpected{std::string("the disk is full")});
      for (const auto& each : std::exchange(unwritten_, {})) each();
      done(base::Done{});
    });
  }

  World& world_;
  Disk& disk_;
  std::vector<std::function<void()>> unwritten_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

// One responder: its process, and what of it survives. Its workers answer by what was published a
// moment later.
class Node {
 public:
  Node(World& world, Engine& engine, std::string name, config::Config config)
      : world_(world), engine_(engine), name_(std::move(name)), config_(std::move(config)) {}

  void start() {
    kill();
    process_ = std::make_unique<Process>(*this, ++runs_);
  }
  void kill() { process_.reset(); }
  bool runs() const noexcept { return process_ != nullptr && process_->authority != nullptr; }
  // Whether its way to the engine is open.
  void reachable(bool is) {
    process_->kv->reachable = is;
    if (is) process_->kv->half_open = false;
    process_->kv->deliver();
  }
  const std::string& name() const noexcept { return name_; }

  // What its workers answer by; null: nobody answers.
  const health::MembershipSnapshot* answers() const {
    return process_ == nullptr ? nullptr : process_->answered.get();
  }
  health::Authority& authority() { return *process_->authority; }
  Member& member() { return *process_->member; }
  SimulatedKv& kv() { return *process_->kv; }
  Disk& disk() noexcept { return disk_; }
  const std::shared_ptr<const health::Topology>& topology() const { return process_->topology; }
  // Its clock goes wrong by that.
  void skew(base::Duration by) { skew_ = by; }
  std::vector<std::string> notices;

  bool names(std::string_view owner, std::string_view server) const {
    const health::MembershipSnapshot* snapshot = answers();
    if (snapshot == nullptr) return false;
    const auto set = process_->topology->answer_set(owner);
    const auto id = process_->topology->server(server);
    if (!set || !id) return false;
    const auto& servers = snapshot->answer_sets[*set].servers;
    return std::ranges::find(servers, *id) != servers.end();
  }

  // Of the workers: called with each snapshot that they begin to answer by.
  std::function<void(Node&)> answering;

 private:
  class NodeClock final : public base::Clock {
   public:
    explicit NodeClock(Node& node) : node_(node) {}
    base::Now now() const override {
      const base::MonoTime mono = node_.world_.now();
      const auto wall = base::WallTime(
          std::chrono::duration_cast<base::Duration>(mono.time_since_epoch()) + 480'000h);
      return {mono, wall + node_.skew_, 1};
    }

   private:
    Node& node_;
  };

  class Workers final : public health::Publisher {
   public:
    Workers(Node& node, std::weak_ptr<int> alive) : node_(node), alive_(std::move(alive)) {}
    std::uint64_t publish(std::shared_ptr<const health::MembershipSnapshot> next,
                          std::span<const health::AnswerSetId>,
                          std::span<const health::ServerId>) override {
      return serve(std::move(next));
    }
    std::uint64_t adjust(std::shared_ptr<const health::MembershipSnapshot> next,
                         std::span<const health::AnswerSetId>) override {
      return serve(std::move(next));
    }

   private:
    std::uint64_t serve(std::shared_ptr<const health::MembershipSnapshot> next) {
      const std::uint64_t number = ++publications_;
      // A worker may be in the middle of a batch.
      const auto delay = std::chrono::microseconds(node_.world_.random(300));
      last_ = std::max(last_, node_.world_.now() + delay);
      node_.world_.at(last_, [this, alive = alive_, number, next = std::move(next)] {
        if (alive.expired()) return;
        node_.process_->answered = next;
        if (node_.answering) node_.answering(node_);
        node_.process_->member->served(number);
      });
      return number;
    }

    Node& node_;
    std::weak_ptr<int> alive_;
    std::uint64_t publications_ = 0;
    base::MonoTime last_;
  };

  struct Process {
    Process(Node& node, unsigned run)
        : topology(std::make_shared<const health::Topology>(node.config_)),
          clock(std::make_unique<NodeClock>(node)),
          kv(std::make_unique<SimulatedKv>(node.world_, node.engine_)),
          copy(std::make_unique<SimulatedCopy>(node.world_, node.disk_)),
          workers(std::make_unique<Workers>(node, alive)) {
      Member::Settings settings;
      settings.prefix = "/sluice";
      settings.about.name = node.name_;
      settings.about.run = node.name_ + std::to_string(run);
      settings.about.since = clock->now().wall;
      settings.about.configuration = "0";
      settings.seed = run * 31U + static_cast<unsigned char>(node.name_.back());
      Member::Ports ports;
      ports.later = [&node, alive = std::weak_ptr(alive)](std::function<void()> task) {
        node.world_.after(1us, [alive, task = std::move(task)] {
          if (!alive.expired()) task();
        });
      };
      ports.notice = [&node](const std::string& sentence) { node.notices.push_back(sentence); };
      member = std::make_unique<Member>(std::move(settings), std::move(ports), *clock, *kv, *copy,
                                        *workers);
      member->open(node.disk_.kept, [this, &node] { begin(node); });
      beat(node);
    }

    void begin(Node& node) {
      health::Authority::Settings settings;
      settings.responder = node.name_;
      settings.cluster = member.get();
      settings.confirm_timeout = 2s;
      health::StoredState stored;
      stored.pool_ttls = member->found().stored.pool_ttls;
      authority =
          std::make_unique<health::Authority>(topology, settings, *clock, member->publisher(),
                                              member->store(), std::move(stored), nullptr);
      member->serve(*authority);
      member->join({}, {});
    }

    // Wakes both at their deadlines.
    void beat(Node& node) {
      member->tick();
      std::optional<base::MonoTime> next = member->next_deadline();
      if (authority) {
        authority->tick();
        next = std::min(next.value_or(*authority->next_deadline()), *authority->next_deadline());
      }
      const base::MonoTime soon = node.world_.now() + 250ms;
      const base::MonoTime wake = std::clamp(next.value_or(soon), node.world_.now() + 100us, soon);
      node.world_.at(wake, [this, &node, alive = std::weak_ptr(alive)] {
        if (!alive.expired()) beat(node);
      });
    }

    std::shared_ptr<const health::Topology> topology;
    std::unique_ptr<NodeClock> clock;
    std::unique_ptr<SimulatedKv> kv;
    std::unique_ptr<SimulatedCopy> copy;
    std::shared_ptr<int> alive = std::make_shared<int>(0);
    std::unique_ptr<Workers> workers;
    std::unique_ptr<Member> member;
    std::unique_ptr<health::Authority> authority;
    std::shared_ptr<const health::MembershipSnapshot> answered;

    ~Process() { authority.reset(); }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
  };

  World& world_;
  Engine& engine_;
  std::string name_;
  config::Config config_;
  Disk disk_;
  base::Duration skew_{0};
  unsigned runs_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace sluice::cluster::simulated
