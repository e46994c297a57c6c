#pragma once

#include <string_view>

#include "config/base/result.h"
#include "health/api/http_message.h"

// What llhttp 8.1 lets through and we don't: everything that two parsers may read in two ways,
// since a proxy in front of us may be the other one (RFC 9112 section 11.2, request smuggling).
// Pure.
namespace sluice::health {

struct HttpError {
  int status = 400;
  const char* detail = "";  // ours alone: nothing of what the client sent
};

// Octets that can't be part of a head, as early as they are seen: a CR or LF alone, control
// characters. `octets` may end anywhere.
base::Result<base::Done, HttpError> check_octets(std::string_view octets);

// A request line, without its CR LF.
base::Result<base::Done, HttpError> check_request_line(std::string_view line,
                                                       const HttpLimits& limits);

// A whole head, from the request line to the empty line. Refuses other versions than 1.0 and 1.1,
// folded lines, blanks before a colon, more than one Content-Length or one that is not all digits,
// Transfer-Encoding together with Content-Length or other than `chunked`, a missing or second Host,
// a target in absolute form for another host, and what exceeds `limits`.
base::Result<base::Done, HttpError> check_head(std::string_view head, const HttpLimits& limits);

}  // namespace sluice::health
