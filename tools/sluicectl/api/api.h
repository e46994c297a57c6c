#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/base/clock.h"
#include "config/base/result.h"
#include "tools/sluicectl/api/endpoint.h"
#include "tools/sluicectl/api/json_reader.h"
#include "tools/sluicectl/api/problem.h"
#include "tools/sluicectl/exit_code.h"

namespace sluice::ctl {

// How long one request may take. An acknowledged drain waits for the disk and for slow TCP readers,
// a resume of a host's hold for its agent: seconds. Half a minute without an answer is none.
constexpr base::Duration kRequestLimit = std::chrono::seconds(30);

struct Request {
  enum class Method : std::uint8_t { Get, Post, Delete };
  Method method = Method::Get;
  std::string path;  // "/v1/pools", its parts percent-encoded
  std::string body;  // of a POST: JSON
  base::Duration limit = kRequestLimit;
};

// A GET whose answer is no document: taken as it comes, and as long as it comes.
struct Stream {
  std::string path;
  std::string media_type;                  // of an answer of another type nothing is taken
  std::string last_event_id;               // for an event stream that goes on; empty: from now on
  base::Duration silence = kRequestLimit;  // nothing for so long, and the connection is lost
  std::function<void()> begun;             // a success of that type: octets will follow
  std::function<bool(std::string_view)> take;  // octets; false ends it
};

struct Answer {
  long status = 200;
  std::string text;  // as it came
  Json document;     // the same, parsed
};

struct ApiError {
  enum class Kind : std::uint8_t {
    Unreachable,  // no connection: nothing was asked
    NoAnswer,     // asked, but it broke off, or did not answer within the request's limit
    NotTrusted,   // TLS came not about: nothing was asked
    NotAllowed,   // 401, 403, or no token or certificate to show
    Problem,      // the authority says why not
    Strange,      // who answered is no authority, or broke off
    Interrupted,  // by a signal to us
    NotTaken,     // a stream: we wanted no more
  };
  Kind kind = Kind::Strange;
  std::string message;  // for people, whole
  long status = 0;      // HTTP's; 0: none came
  Problem problem;      // of kind Problem
  std::string text;     // the problem document as it came; may be empty
};

// What the program ends with when nothing else is to be said.
Exit exit_of(const ApiError& error);

// Of an answer that came whole: a success, or the error that its status and document mean. `peer`
// is named in messages.
base::Result<Answer, ApiError> understand(long status, std::string octets, const std::string& peer);

// An authority, near or far; tests have their own.
class Api {
 public:
  virtual ~Api() = default;
  virtual base::Result<Answer, ApiError> send(const Request& request) = 0;
  // A success is a stream that the authority ended. What broke off is NoAnswer.
  virtual base::Result<base::Done, ApiError> stream(const Stream& wanted) = 0;
  // Who answered last; nothing: not known.
  virtual std::optional<Endpoint> peer() const { return {}; }
};

// One segment of a path or one value of a query (RFC 3986 section 2.1).
std::string percent_encode(std::string_view text);

}  // namespace sluice::ctl
