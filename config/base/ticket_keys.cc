#include "config/base/ticket_keys.h"

#include <algorithm>

#include <openssl/crypto.h>
#include <openssl/rand.h>

namespace sluice::base {
namespace {

bool fill(std::span<std::uint8_t> octets) {
  return RAND_bytes(octets.data(), static_cast<int>(octets.size())) == 1;
}

}  // namespace

TicketKeys::~TicketKeys() {
  OPENSSL_cleanse(keys_.data(), sizeof keys_);
}

std::optional<TicketKeys::Key> TicketKeys::current(MonoTime now) {
  const std::lock_guard lock(mutex_);
  Dated& newest = keys_.front();
  if (newest.made && now - newest.since < kNewEvery) return newest.key;
  Dated next;
  if (!fill(next.key.name) || !fill(next.key.cipher) || !fill(next.key.mac)) return {};
  next.since = now;
  next.made = true;
  std::rotate(keys_.begin(), keys_.end() - 1, keys_.end());
  newest = next;
  OPENSSL_cleanse(&next, sizeof next);
  return newest.key;
}

std::optional<TicketKeys::Found> TicketKeys::find(std::span<const std::uint8_t, 16> name,
                                                  MonoTime now) {
  const std::lock_guard lock(mutex_);
  for (Dated& known : keys_) {
    if (!known.made || !std::ranges::equal(known.key.name, name)) continue;
    // Its last ticket was made when the next key came, or now.
    if (now - known.since >= kNewEvery + kTicketLife) return {};
    return Found{known.key, now - known.since < kNewEvery};
  }
  return {};
}

}  // namespace sluice::base
