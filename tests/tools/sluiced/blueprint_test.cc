#include "tools/sluiced/blueprint.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

config::Config running() {
  config::Config config;
  config.store.etcd = config::Etcd{};
  config.store.etcd->endpoints = {"http://192.0.2.1:2379"};
  return config;
}

std::vector<std::string> fixed_by(const std::function<void(config::Config&)>& change) {
  config::Config next = running();
  next.file = "sluice.yaml";
  change(next);
  std::vector<std::string> keys;
  for (const base::Error& error : needs_restart(running(), next)) {
    EXPECT_THAT(base::to_string(error), ::testing::HasSubstr("needs a restart"));
    keys.push_back(error.path);
  }
  return keys;
}

TEST(NeedsRestart, TakesWhatAReloadCanPutInPlace) {
  EXPECT_THAT(fixed_by([](config::Config&) {}), IsEmpty());
  EXPECT_THAT(fixed_by([](config::Config& next) {
                next.health.heartbeat = std::chrono::seconds(5);
                next.dns.explain_stale = !next.dns.explain_stale;
              }),
              IsEmpty());
}

TEST(NeedsRestart, NamesEachKeyThatItCannot) {
  EXPECT_THAT(fixed_by([](config::Config& next) { next.dns.identity = "ns2"; }),
              ElementsAre("dns.identity"));
  EXPECT_THAT(fixed_by([](config::Config& next) {
                next.user = "nobody";
                next.store.directory = "/elsewhere";
              }),
              ElementsAre("user", "store.directory"));
}

// A responder becomes one of several, or another's, by a start alone: what it answered until then
// must not outlive that.
TEST(NeedsRestart, SaysSoOfAnythingOfEtcd) {
  EXPECT_THAT(fixed_by([](config::Config& next) { next.store.etcd.reset(); }),
              ElementsAre("store.etcd"));
  EXPECT_THAT(fixed_by([](config::Config& next) {
                next.store.etcd->endpoints.emplace_back("http://192.0.2.2:2379");
              }),
              ElementsAre("store.etcd"));
  EXPECT_THAT(fixed_by([](config::Config& next) { next.store.etcd->prefix = "/other"; }),
              ElementsAre("store.etcd"));
  EXPECT_THAT(fixed_by([](config::Config& next) {
                next.store.etcd->confirm_timeout = std::chrono::seconds(5);
              }),
              ElementsAre("store.etcd"));
}

}  // namespace
}  // namespace sluice
