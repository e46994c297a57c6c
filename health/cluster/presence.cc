#include "health/cluster/presence.h"

#include "health/cluster/records.h"

namespace sluice::cluster {

void Presence::renew() {
  if (renewing_ || leaving_) return;
  renewing_ = true;
  if (lease_ == 0) return grant();
  kv_.renew(lease_, [weak = std::weak_ptr(self_), lease = lease_](const Reply<bool>& reply) {
    const auto self = weak.lock();
    if (!self) return;
    Presence& presence = **self;
    presence.renewing_ = false;
    if (!reply || *reply || presence.lease_ != lease) return;
    presence.lease_ = 0;  // it ended: another one
    presence.renew();
  });
}

void Presence::grant() {
  kv_.grant(kLease, [weak = std::weak_ptr(self_)](const Reply<std::int64_t>& reply) {
    const auto self = weak.lock();
    if (!self) return;
    (*self)->renewing_ = false;
    if (!reply || (*self)->leaving_) return;
    (*self)->lease_ = *reply;
    (*self)->write();
  });
}

void Presence::write() {
  Transaction transaction;
  Write alive = write_of(AliveRecord{name_, run_});
  alive.lease = lease_;
  transaction.writes = {std::move(alive)};
  kv_.commit(std::move(transaction), [weak = std::weak_ptr(self_)](const Reply<Committed>& reply) {
    const auto self = weak.lock();
    if (self && !reply) (*self)->lease_ = 0;
  });
}

void Presence::leave(std::function<void()> done) {
  leaving_ = true;
  if (lease_ == 0) return done();
  kv_.revoke(lease_, std::move(done));
}

}  // namespace sluice::cluster
