#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <llhttp.h>

#include "health/api/http_framing.h"
#include "health/api/http_message.h"

namespace sluice::health {

// Octets of one connection -> requests, one after the other. No input or output: whoever has the
// socket feeds it. Bounded by its limits, whatever comes.
class RequestParser {
 public:
  enum class State : std::uint8_t {
    Idle,      // nothing of a next request is there
    Head,      // part of a head is there
    HeadDone,  // said once for each request: its head is in request(), its body not yet
    Body,      // part of the body is there
    Done,      // request() is whole; take() it
    Failed,    // error() says why; nothing can be read from this connection any more
  };

  // Parsers of one thread may share a `spare` buffer, empty between calls: whoever reads a whole
  // request at once needs none of its own.
  explicit RequestParser(const HttpLimits& limits, std::string* spare = nullptr);
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  void feed(std::string_view octets);
  // Reads on as far as the octets go.
  State advance();

  // The head from HeadDone on, with the body from Done on.
  const HttpRequest& request() const noexcept { return request_; }
  // After Done: makes room for the next request.
  HttpRequest take();
  const HttpError& error() const noexcept { return error_; }

  // Forgets what was fed; nothing more can be read.
  void drop();

  // Octets that were fed and not read.
  std::size_t waiting() const noexcept { return input_.size(); }
  // Octets of memory that it keeps for its client.
  std::size_t held() const noexcept {
    return (input_.empty() ? 0 : input_.capacity()) + request_.body.capacity();
  }

 private:
  struct Callbacks;

  void give_back();
  void fit();
  State read_head();
  base::Result<base::Done, HttpError> read_line();
  State parse_head(std::size_t size);
  State read_body();
  bool is_chunked() const;
  State fail(HttpError error);

  const HttpLimits& limits_;
  std::string* const spare_;
  State state_ = State::Idle;
  std::string input_;
  std::size_t checked_ = 0;      // octets of input_ that are known to be fit for a head
  bool line_checked_ = false;    // the request line is whole and sound
  std::size_t empty_lines_ = 0;  // before the request
  HttpRequest request_;
  HttpError error_;

  llhttp_t parser_{};
  bool message_complete_ = false;
  bool head_complete_ = false;
  std::size_t body_octets_ = 0;  // with the framing of chunks
  std::size_t extension_octets_ = 0;
  std::string tail_;  // the last four octets of the body's framing
};

}  // namespace sluice::health
