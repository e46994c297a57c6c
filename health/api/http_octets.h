#pragma once

#include <string>
#include <string_view>

#include "config/base/clock.h"
#include "health/api/http_message.h"

// Responses as octets (RFC 9112). Pure.
namespace sluice::health {

// Head and content; of a stream, and with `head_only` (to HEAD), the head alone. `chunks`: whether
// the client takes them; only a stream's head depends on it.
std::string to_octets(const HttpResponse& response, bool head_only, bool chunks,
                      base::WallTime now);

// Content as one chunk (RFC 9112 section 7.1); not empty, which would be the last one.
std::string chunk(std::string_view content);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace sluice::health
