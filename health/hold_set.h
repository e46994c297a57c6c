#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "health/hold.h"

namespace sluice::health {

// Every hold that stands, by server. Pure; the control thread owns it. Pointers and references stay
// valid until the next place(), release() or lift() for the same server.
class HoldSet {
 public:
  const Hold* find(const HoldKey& key) const;
  Hold* find(const HoldKey& key);

  // Puts the hold in, over one of the same key.
  Hold& place(Hold hold);
  void lift(const HoldKey& key);

  // The holds on a server, whether or not they still cover every service; in the order of keys.
  const std::vector<Hold>& of(std::string_view server) const;

  bool held(std::string_view server, std::string_view service) const;
  // The holds that keep this service from accepting.
  std::vector<const Hold*> covering(std::string_view server, std::string_view service) const;
  std::vector<Hold*> covering(std::string_view server, std::string_view service);
  // Whether a hold that covers something of the server also hides its host record.
  bool hides_host(std::string_view server) const;

  const std::map<std::string, std::vector<Hold>, std::less<>>& by_server() const noexcept {
    return by_server_;
  }
  // How many are one responder's alone (Hold::local, which only place() changes).
  std::size_t local() const noexcept { return local_; }

 private:
  std::map<std::string, std::vector<Hold>, std::less<>> by_server_;
  std::size_t local_ = 0;
};

}  // namespace sluice::health
