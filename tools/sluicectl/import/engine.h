#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <uv.h>

#include "config/base/result.h"
#include "config/model.h"
#include "health/etcd/etcd_kv.h"

namespace sluice::ctl {

// etcd, asked one thing after another: each call returns with the answer. The error: in words.
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

 private:
  Listed list_under(const std::string& under);
  // Begins something and runs the loop until it has ended.
  template <class T>
  base::Result<T, std::string> answer(
      const std::function<void(std::function<void(cluster::Reply<T>)>)>& begin);

  uv_loop_t loop_{};
  std::unique_ptr<etcd::EtcdKv> kv_;
};

}  // namespace sluice::ctl
