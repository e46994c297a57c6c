#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <uv.h>

#include "config/base/clock.h"
#include "config/base/result.h"
#include "config/model.h"
#include "health/etcd/etcd_kv.h"

namespace sluice::ctl {

// etcd, asked one thing after another: each call returns with the answer. The error: in words. What
// is asked for the first time waits for seconds where etcd takes them to let us in.
class Engine {
 public:
  explicit Engine(const config::Etcd& settings);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // The shared state; the audit.
  using Listed = base::Result<std::vector<cluster::Change>, std::string>;
  Listed list() { return list_under(""); }
  Listed list_audit() { return list_under("audit/"); }
  // False: the conditions are not met, and nothing was written.
  base::Result<bool, std::string> commit(cluster::Transaction transaction);

  // The newest revision that it answered with; 0 before its first answer.
  std::int64_t revision() const noexcept { return revision_; }

 private:
  Listed list_under(const std::string& under);
  // Begins something and runs the loop until it has ended.
  template <class T>
  cluster::Reply<T> answer(
      const std::function<void(std::function<void(cluster::Reply<T>)>)>& begin);
  void run_for(base::Duration time);

  uv_loop_t loop_{};
  std::int64_t revision_ = 0;
  std::unique_ptr<etcd::EtcdKv> kv_;
};

}  // namespace sluice::ctl
