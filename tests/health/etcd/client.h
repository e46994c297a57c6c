#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "health/etcd/etcd_kv.h"
#include "tests/config/base/loop.h"

namespace sluice::etcd {

// What must come within Kv::kLimit has come by then on a loaded machine, too.
constexpr base::Duration kLate{3'000};

inline config::Etcd settings(std::vector<std::string> endpoints) {
  config::Etcd settings;
  settings.endpoints = std::move(endpoints);
  settings.prefix = "/sluice";
  return settings;
}

// The port on a loop of its own, with answers that are waited for.
class Client {
 public:
  explicit Client(config::Etcd settings)
      : kv(std::make_unique<EtcdKv>(loop.get(), std::move(settings), [this](std::string text) {
          notices.push_back(std::move(text));
        })) {}

  cluster::Reply<cluster::Committed> commit_once(std::vector<cluster::Condition> conditions,
                                                 std::vector<cluster::Write> writes) {
    return loop.answer<cluster::Reply<cluster::Committed>>([&](auto done) {
      kv->commit({std::move(conditions), std::move(writes)}, std::move(done));
    });
  }
  cluster::Reply<cluster::Committed> commit(const std::vector<cluster::Condition>& conditions,
                                            const std::vector<cluster::Write>& writes) {
    return patiently<cluster::Committed>([&] { return commit_once(conditions, writes); });
  }
  // The revision of a write that must be done; as often as it takes.
  std::int64_t put(const std::string& key, const std::string& value, std::int64_t lease = 0) {
    const auto committed = commit({}, {{key, value, lease}});
    EXPECT_TRUE(committed && committed->met) << (committed ? "" : committed.error().text);
    return committed ? committed->revision : 0;
  }
  cluster::Reply<cluster::Listing> list_once(const std::string& under) {
    return loop.answer<cluster::Reply<cluster::Listing>>(
        [&](auto done) { kv->list(under, std::move(done)); });
  }
  cluster::Reply<cluster::Listing> list(const std::string& under) {
    return patiently<cluster::Listing>([&] { return list_once(under); });
  }
  cluster::Reply<cluster::Listing> newest(const std::string& under, std::size_t limit) {
    return patiently<cluster::Listing>([&] {
      return loop.answer<cluster::Reply<cluster::Listing>>(
          [&](auto done) { kv->newest(under, limit, std::move(done)); });
    });
  }
  cluster::Reply<std::int64_t> grant(std::chrono::seconds ttl) {
    return patiently<std::int64_t>([&] {
      return loop.answer<cluster::Reply<std::int64_t>>(
          [&](auto done) { kv->grant(ttl, std::move(done)); });
    });
  }
  cluster::Reply<bool> renew(std::int64_t lease) {
    return patiently<bool>([&] {
      return loop.answer<cluster::Reply<bool>>(
          [&](auto done) { kv->renew(lease, std::move(done)); });
    });
  }
  void watch(std::int64_t after) {
    kv->watch(after, {[this](std::vector<cluster::Change> changes) {
                        calls.push_back(changes.size());
                        seen.insert(seen.end(), changes.begin(), changes.end());
                      },
                      [this] { compacted = true; }});
  }
  bool sees(std::size_t count) {
    return loop.run_until([&] { return seen.size() >= count; });
  }

  // A second, which is Kv's limit, may pass on a loaded machine while etcd waits for the CPU.
  template <class T>
  cluster::Reply<T> patiently(const std::function<cluster::Reply<T>()>& call) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    for (;;) {
      auto reply = call();
      if (reply || reply.error().kind == cluster::Failure::Kind::Refused ||
          std::chrono::steady_clock::now() > end) {
        return reply;
      }
    }
  }

  base::TestLoop loop;
  std::vector<std::string> notices;
  std::vector<cluster::Change> seen;  // by the watch
  std::vector<std::size_t> calls;     // changes in each of its calls
  bool compacted = false;
  std::unique_ptr<EtcdKv> kv;
};

}  // namespace sluice::etcd
