#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "health/api/exchange.h"
#include "health/api/problem.h"
#include "health/api/view_json.h"
#include "health/refusal.h"

// How handlers reply. Any thread.
namespace sluice::health {

inline void reply(const Exchange& exchange, HttpResponse response) {
  exchange.reply([response = std::move(response)] { return response; });
}

inline void reply(const Exchange& exchange, Refusal refusal) {
  exchange.reply([refusal = std::move(refusal)] { return problem(refusal); });
}

// The view or reply as JSON, or the refusal as a problem.
template <class T>
void reply(const Exchange& exchange, Outcome<T> outcome, int status = 200) {
  if (!outcome) return reply(exchange, std::move(outcome).error());
  // Shared, since std::function wants copies and a pool's view is large.
  exchange.reply([status, view = std::make_shared<const T>(std::move(*outcome))] {
    return json_response(status, to_json(*view));
  });
}

// Of an order that each responder of a cluster confirms: 202 while some have not.
template <class T>
void reply_confirmed(const Exchange& exchange, Outcome<T> outcome) {
  const bool all = !outcome || outcome->unconfirmed.empty();
  reply(exchange, std::move(outcome), all ? 200 : 202);
}

// Why what needs a cluster is not there.
inline constexpr std::string_view kEmbeddedStore = "this responder has the embedded store";

inline Refusal not_found(std::string detail) {
  return refuse(Refusal::Kind::NotFound, std::move(detail));
}

template <class T>
Outcome<T> found_or(std::optional<T> view, const std::string& otherwise) {
  if (view) return std::move(*view);
  return base::Unexpected{not_found(otherwise)};
}

inline Actor actor_of(const Exchange& exchange) {
  return {exchange.who.by, exchange.who.origin};
}

}  // namespace sluice::health
