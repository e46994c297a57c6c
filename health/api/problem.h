#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "config/base/error.h"
#include "health/api/http_message.h"
#include "health/refusal.h"

// Failures as problem documents (RFC 9457).
namespace sluice::health {

// "Not Found" (RFC 9110 section 15).
const char* status_phrase(int status) noexcept;

// JSON of ours as a response. Octets of others that are no UTF-8 are replaced, never sent.
HttpResponse json_response(int status, const nlohmann::ordered_json& body);
// 200 with a JSON text of ours.
HttpResponse json_text(std::string text);

HttpResponse problem(int status, std::string detail);
// With further members (RFC 9457 section 3.2).
HttpResponse problem(int status, std::string detail, const nlohmann::ordered_json& members);
// 400 for one member of the request; its path may be empty.
HttpResponse bad_member(std::string member, std::string detail);
// What the authority refused, with all that it said.
HttpResponse problem(const Refusal& refusal);
// 409: a configuration that was not taken over.
HttpResponse problem(const std::vector<base::Error>& errors);

}  // namespace sluice::health
