#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "config/base/result.h"
#include "config/base/snapshot.h"
#include "config/base/tls_context.h"
#include "health/api/auth.h"
#include "health/api/context.h"
#include "health/api/exchange.h"
#include "health/topology.h"

// Whether who was let in may do this to that. Judged on the control thread, where it is done: from
// a request's head to its turn there may be seconds, and a reload may have come between.
namespace sluice::health {

// Who may ask, and by what TLS. A reload replaces all of it at one moment.
struct Credentials {
  Tokens tokens;
  std::shared_ptr<const base::TlsContext> tls;  // null: without TLS
};

// Those of the newest configuration, for the api thread (which lets in) and the control thread
// (which judges again). A reload publishes on the control thread before the topology changes there:
// each request is judged by tokens and topology of one configuration.
class CredentialsInForce {
 public:
  explicit CredentialsInForce(std::shared_ptr<const Credentials> first)
      : cell_(std::move(first)), api_(cell_), control_(cell_) {}

  // One thread; the control thread's, where there is a topology that belongs to them.
  void publish(std::shared_ptr<const Credentials> next) {
    // The old ones go when both threads have let go of them.
    [[maybe_unused]] const auto old = cell_.publish(std::move(next));
  }

  // Valid until the thread's next call.
  const Credentials& of_api() { return api_.refresh(); }
  const Credentials& of_control() { return control_.refresh(); }

 private:
  base::SnapshotCell<Credentials> cell_;
  base::SnapshotReader<Credentials> api_;
  base::SnapshotReader<Credentials> control_;
};

// Why not.
struct Denial {
  HttpResponse response;
  std::string what{};    // of what is another's: for the audit; empty: not of that kind
  std::string server{};  // which one, if it is configured
};

// Whether the caller's token still lets it ask this route; 401 or 403 otherwise.
base::Result<base::Done, Denial> still_allowed(const Tokens& tokens, const Exchange& exchange);

// Likewise, and an operator of some pools may do this to `server` (FQDN), or the 403 that names its
// pool. A server that the configuration does not have (any more) is for operators of all pools;
// `server` may be empty, which is nobody's.
base::Result<base::Done, Denial> may_act_on(const Topology& topology, const Tokens& tokens,
                                            const Exchange& exchange, std::string_view server);

// The server that the path names, which the caller may see, or change where the route does; else
// the response that says why not. An agent that asks for another than its own learns nothing, not
// even whether it exists.
base::Result<std::string, Denial> permitted_server(const Topology& topology, const Tokens& tokens,
                                                   const Exchange& exchange);

// Replies with a denial; that somebody asked for what is another's is told to the audit. Any
// thread: it outlives the API, as an Exchange may.
class Denier {
 public:
  explicit Denier(const ApiContext& api);
  void operator()(const Exchange& exchange, Denial denial) const;

 private:
  ForbiddenLog* log_;  // the api thread's
  std::function<void(Event)> audit_;
  const base::Clock* clock_;
};

// The 403 of a token that is for other things.
HttpResponse forbidden(Access access, config::Role role);

}  // namespace sluice::health
