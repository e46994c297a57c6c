#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <uv.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/uv_handle.h"
#include "config/model.h"
#include "health/cluster/member.h"
#include "health/etcd/etcd_kv.h"
#include "health/snapshot.h"
#include "health/store/image_file.h"

namespace sluice {

// What makes this responder one of several: the engine, its own copy, its place among the others.
// Control thread only, but for stale().
class ClusterSeat {
 public:
  struct Ports {
    std::function<void(std::function<void()>)> post;  // to the control thread; any thread calls it
    std::function<void()> stale_changed;
    std::function<void()> woken;  // a deadline of the member may be nearer than it was
    std::function<void(const health::PutSerialBase&)> serial_base;
  };

  // Opens the directory; the error is ready to print. `loop` and `clock` must outlive it.
  static base::Checked<std::unique_ptr<ClusterSeat>> open(uv_loop_t* loop, const base::Clock& clock,
                                                          const config::Config& config,
                                                          std::string digest, Ports ports);
  ~ClusterSeat();
  ClusterSeat(const ClusterSeat&) = delete;
  ClusterSeat& operator=(const ClusterSeat&) = delete;

  // Finds out what is shared, for cluster::Member::kOpenPatience at most; then `done`.
  void find(std::function<void()> done);
  // This responder's answers, from when there are any.
  void answer_by(health::Publisher& local) { relay_.to = &local; }

  cluster::Member& member() noexcept { return *member_; }
  std::optional<health::Staleness> stale() const;

 private:
  struct Relay final : health::Publisher {
    std::uint64_t publish(std::shared_ptr<const health::MembershipSnapshot> next,
                          std::span<const health::AnswerSetId> changed,
                          std::span<const health::ServerId> changed_hosts) override {
      return to->publish(std::move(next), changed, changed_hosts);
    }
    std::uint64_t adjust(std::shared_ptr<const health::MembershipSnapshot> next,
                         std::span<const health::AnswerSetId> changed) override {
      return to->adjust(std::move(next), changed);
    }
    health::Publisher* to = nullptr;
  };

  ClusterSeat(uv_loop_t* loop, Ports ports);
  void note_stale();

  uv_loop_t* loop_;
  Ports ports_;
  Relay relay_;
  cluster::Kept kept_;
  std::unique_ptr<health::ImageFile> copy_;
  std::unique_ptr<etcd::EtcdKv> kv_;
  std::unique_ptr<cluster::Member> member_;
  base::UvHandle<uv_timer_t> finding_;  // its deadlines while there is no authority yet
  mutable std::mutex mutex_;
  std::optional<health::Staleness> stale_;  // guarded by mutex_
};

}  // namespace sluice
