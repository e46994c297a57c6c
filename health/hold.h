#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/clock.h"
#include "config/model.h"
#include "health/schedule.h"

// A hold is the standing instruction "no new connections" (semantics.md section 1). Pure: no clock,
// no input or output. Names, not numbers, since a hold outlives a reload that drops its server.
namespace sluice::health {

enum class Scope : std::uint8_t { Server, Service };
enum class Origin : std::uint8_t { Operator, Host, Schedule };

// What tells one hold from another. Placing a hold that is there already changes nothing.
struct HoldKey {
  std::string server;   // FQDN
  std::string service;  // empty: the whole server
  Origin origin = Origin::Operator;

  Scope scope() const noexcept { return service.empty() ? Scope::Server : Scope::Service; }
  friend auto operator<=>(const HoldKey&, const HoldKey&) = default;
};

// "fe01.pool01.contoso.example" or "call-park on fe01.pool01.contoso.example"
std::string name_of(const HoldKey& key);

struct Hold {
  HoldKey key;
  std::string by;
  std::string reason;
  base::WallTime since;
  // What a new instance of a service does to this hold; empty: each service's own default.
  std::optional<config::Startup> startup;
  bool forced = false;     // the floor was overridden
  bool hide_host = false;  // the server's host record is out too
  bool local = false;      // this responder's alone, until the cluster's store is back
  // Origin::Host: an operator resumed it, and its agent is asked to lift it. Not kept on disk.
  bool lift_asked = false;
  std::optional<Expiry> expiry;
  // The instance of each service that this hold covers, once known (semantics.md section 4). A
  // service that is missing adopts the next instance that is pushed.
  std::map<std::string, std::string, std::less<>> instances;
  // Services of a server hold that a new instance released (startup automatic).
  std::set<std::string, std::less<>> released;
  // When the last answer that named the service expires from every cache, once it is out.
  std::map<std::string, base::Moment, std::less<>> horizons;

  bool covers(std::string_view service) const {
    return (key.service.empty() || key.service == service) && !released.contains(service);
  }
  friend bool operator==(const Hold&, const Hold&) = default;
};

}  // namespace sluice::health
