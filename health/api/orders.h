#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/base/result.h"
#include "health/api/http_message.h"
#include "health/authority.h"

// Bodies of requests: octets -> what the authority is asked. Pure; the error is the response.
namespace sluice::health {

template <class T>
using Read = base::Result<T, HttpResponse>;

// Without the server. Forms alone are judged here: what is past, the authority's clock knows.
struct DrainOrder {
  DrainRequest drain;
  std::optional<DrainRequest::When> at;  // empty: now
};
// An empty body counts as {}.
Read<DrainOrder> read_drain(std::string_view body);

struct ResumeOrder {
  std::optional<std::string> service;
};
Read<ResumeOrder> read_resume(std::string_view body);

struct ForceOrder {
  std::optional<Health> health;  // empty: unforce
  std::optional<std::string> service;
};
Read<ForceOrder> read_force(std::string_view body);

// The responder's name.
Read<std::string> read_forget(std::string_view body);

// No body, or {}.
Read<base::Done> read_nothing(std::string_view body);

Read<Heartbeat> read_heartbeat(std::string_view body);

}  // namespace sluice::health
