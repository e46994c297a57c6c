#include "tools/sluicectl/import/engine.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "config/base/timer.h"

namespace sluice::ctl {
namespace {

// etcd takes a tenth of a second of its CPU for a password, and more time when it is busy.
constexpr base::Duration kLetIn{6'000};
constexpr base::Duration kBetweenTries{200};

}  // namespace

Engine::Engine(const config::Etcd& settings) {
  uv_loop_init(&loop_);
  // What a call can't do it says; what was tried on the way is of no use to whoever waits.
  kv_ = std::make_unique<etcd::EtcdKv>(&loop_, settings, [](const std::string&) {});
}

Engine::~Engine() {
  kv_.reset();
  uv_run(&loop_, UV_RUN_DEFAULT);  // until the handles are closed
  uv_loop_close(&loop_);
}

template <class T>
cluster::Reply<T> Engine::answer(
    const std::function<void(std::function<void(cluster::Reply<T>)>)>& begin) {
  std::optional<cluster::Reply<T>> reply;
  begin([&reply](cluster::Reply<T> came) { reply = std::move(came); });
  while (!reply) uv_run(&loop_, UV_RUN_ONCE);
  return *std::move(reply);
}

void Engine::run_for(base::Duration time) {
  bool over = false;
  base::Timer timer(&loop_, [&over] { over = true; });
  timer.start(time);
  while (!over) uv_run(&loop_, UV_RUN_ONCE);
}

Engine::Listed Engine::list_under(const std::string& under) {
  const auto ask = [&] {
    return answer<cluster::Listing>([&](auto done) { kv_->list(under, std::move(done)); });
  };
  // A call is given up before a slow login is: one that comes later finds it done.
  const auto until = std::chrono::steady_clock::now() + kLetIn;
  auto listing = ask();
  while (!listing && listing.error().kind == cluster::Failure::Kind::Unreachable &&
         std::chrono::steady_clock::now() < until) {
    run_for(kBetweenTries);
    listing = ask();
  }
  if (!listing) return base::Unexpected{listing.error().text};
  revision_ = std::max(revision_, listing->revision);
  return std::move(listing->entries);
}

base::Result<bool, std::string> Engine::commit(cluster::Transaction transaction) {
  const auto committed = answer<cluster::Committed>(
      [&](auto done) { kv_->commit(std::move(transaction), std::move(done)); });
  if (!committed) return base::Unexpected{committed.error().text};
  revision_ = std::max(revision_, committed->revision);
  return committed->met;
}

}  // namespace sluice::ctl
