#pragma once

#include <functional>
#include <memory>
#include <string>

#include <uv.h>

#include "config/model.h"
#include "health/cluster/kv.h"

namespace sluice::etcd {

// The port on etcd (3.4 and later), by the members' JSON gateway. Control thread.
//
// A request goes to the member that answered last, and for lack of an answer to the next one: reads
// and leases again within their limit, a transaction only when nothing of it can have arrived.
class EtcdKv final : public cluster::Kv {
 public:
  // Sentences for the log, each kind once a minute at most.
  using Notice = std::function<void(std::string)>;

  EtcdKv(uv_loop_t* loop, config::Etcd settings, Notice notice);
  // Drops everything. The loop must run once more.
  ~EtcdKv() override;
  EtcdKv(const EtcdKv&) = delete;
  EtcdKv& operator=(const EtcdKv&) = delete;

  void commit(cluster::Transaction transaction,
              std::function<void(cluster::Reply<cluster::Committed>)> done) override;
  void list(std::string under, std::function<void(cluster::Reply<cluster::Listing>)> done) override;
  // etcd reads all of those keys to find the last.
  void newest(std::string under, std::size_t limit,
              std::function<void(cluster::Reply<cluster::Listing>)> done) override;
  void watch(std::int64_t after, WatchCalls calls) override;
  void renew_watch() override;
  void grant(std::chrono::seconds ttl,
             std::function<void(cluster::Reply<std::int64_t>)> done) override;
  void renew(std::int64_t lease, std::function<void(cluster::Reply<bool>)> done) override;
  void revoke(std::int64_t lease, std::function<void()> done) override;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace sluice::etcd
