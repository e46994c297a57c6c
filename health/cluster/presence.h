#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "health/cluster/kv.h"

namespace sluice::cluster {

// Shows the others that this responder is alive: a lease with the engine, and the key that goes
// with it. Control thread only.
class Presence {
 public:
  // The others notice a responder's end so much later; and who hears nothing of itself for so long
  // is cut off. An election of etcd's takes a second or two.
  static constexpr std::chrono::seconds kLease{3};

  // `kv` must outlive it.
  Presence(Kv& kv, std::string name, std::string run)
      : kv_(kv), name_(std::move(name)), run_(std::move(run)) {}

  // To be called three times within kLease: what fails is tried with the next call.
  void renew();
  // The key is gone, or perhaps: the next renew() makes it anew.
  void forget() noexcept { lease_ = 0; }
  // It ends in good order, now; from here on nothing is renewed. `done` comes within Kv::kLimit.
  void leave(std::function<void()> done);

 private:
  void grant();
  void write();

  Kv& kv_;
  std::string name_;
  std::string run_;
  std::int64_t lease_ = 0;  // 0: none
  bool renewing_ = false;
  bool leaving_ = false;
  // Callbacks hold it weakly.
  std::shared_ptr<Presence*> self_ = std::make_shared<Presence*>(this);
};

}  // namespace sluice::cluster
