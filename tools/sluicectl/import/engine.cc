#include "tools/sluicectl/import/engine.h"

#include <optional>
#include <utility>

namespace sluice::ctl {

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
base::Result<T, std::string> Engine::answer(
    const std::function<void(std::function<void(cluster::Reply<T>)>)>& begin) {
  std::optional<cluster::Reply<T>> reply;
  begin([&reply](cluster::Reply<T> came) { reply = std::move(came); });
  while (!reply) uv_run(&loop_, UV_RUN_ONCE);
  if (!*reply) return base::Unexpected{reply->error().text};
  return std::move(**reply);
}

Engine::Listed Engine::list_under(const std::string& under) {
  auto listing = answer<cluster::Listing>([&](auto done) { kv_->list(under, std::move(done)); });
  if (!listing) return base::Unexpected{std::move(listing).error()};
  return std::move(listing->entries);
}

base::Result<bool, std::string> Engine::commit(cluster::Transaction transaction) {
  const auto committed = answer<cluster::Committed>(
      [&](auto done) { kv_->commit(std::move(transaction), std::move(done)); });
  if (!committed) return base::Unexpected{committed.error()};
  return committed->met;
}

}  // namespace sluice::ctl
