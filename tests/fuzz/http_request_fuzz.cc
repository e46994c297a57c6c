// Octets of an HTTP client -> the same requests, and the same end, however the network cuts them;
// never more memory than the limits say. What is accepted can be read in one way alone: written
// again with the plainest framing, it is the same request. The first octet chooses the cuts.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "health/api/request_parser.h"
#include "tests/fuzz/cuts.h"
#include "tests/fuzz/require.h"

namespace {

using namespace sluice;
using namespace sluice::health;
using State = RequestParser::State;

// Small enough for a fuzzer to reach each.
HttpLimits small_limits() {
  HttpLimits limits;
  limits.head = 512;
  limits.target = 128;
  limits.fields = 8;
  limits.body = 256;
  limits.chunk_extensions = 16;
  return limits;
}
const HttpLimits kLimits = small_limits();

struct Reading {
  std::vector<HttpRequest> requests;
  State end = State::Idle;
  int status = 0;  // Failed
};

bool same(const HttpRequest& a, const HttpRequest& b) {
  return a.method == b.method && a.target == b.target && a.fields == b.fields && a.body == b.body &&
         a.keep_alive == b.keep_alive && a.takes_chunks == b.takes_chunks &&
         a.expects_continue == b.expects_continue && a.has_body == b.has_body;
}

void require_bounded(const RequestParser& parser, State state, std::size_t piece) {
  // The request line may take the target's limit and what the method and the version need.
  if (state == State::Head) fuzz::require(parser.waiting() <= kLimits.head + piece);
  if (state == State::Body || state == State::Failed) fuzz::require(parser.waiting() == 0);
  fuzz::require(parser.request().body.size() <= kLimits.body);
  fuzz::require(parser.request().fields.size() <= kLimits.fields);
  fuzz::require(parser.request().target.size() <= kLimits.target);
}

Reading read(std::string_view octets, std::uint8_t manner, std::string* spare) {
  RequestParser parser(kLimits, spare);
  fuzz::Cuts cuts(manner);
  Reading reading;
  while (!octets.empty() && reading.end != State::Failed) {
    const std::string_view piece = cuts.take(octets);
    parser.feed(piece);
    while (true) {
      reading.end = parser.advance();
      require_bounded(parser, reading.end, piece.size());
      if (reading.end == State::Done) reading.requests.push_back(parser.take());
      if (reading.end != State::Done && reading.end != State::HeadDone) break;
    }
  }
  if (reading.end == State::Failed) {
    reading.status = parser.error().status;
    fuzz::require(reading.status >= 400 && reading.status < 600 && parser.error().detail[0] != 0);
    fuzz::require(parser.advance() == State::Failed);  // for good
  }
  return reading;
}

bool is_clean(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  });
}

// Of requests that a proxy in front may have read, too (RFC 9112 section 11.2).
void require_sound(const HttpRequest& request) {
  fuzz::require(request.target == "*" || request.target.starts_with('/'));
  fuzz::require(is_clean(request.target) && request.target.find(' ') == std::string::npos);
  std::size_t hosts = 0;
  std::size_t lengths = 0;
  std::size_t codings = 0;
  for (const auto& [name, value] : request.fields) {
    fuzz::require(!name.empty() && is_clean(name) && is_clean(value));
    fuzz::require(name.find_first_of(" \t:ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos);
    fuzz::require(value.empty() || (value.front() != ' ' && value.back() != ' '));
    hosts += name == "host";
    lengths += name == "content-length";
    codings += name == "transfer-encoding";
  }
  fuzz::require(hosts <= 1 && (hosts == 1 || !request.takes_chunks));
  fuzz::require(lengths + codings <= 1);
  if (lengths == 1) {
    fuzz::require(std::stoull(std::string(request.field("content-length"))) == request.body.size());
  }
  if (lengths + codings == 0) fuzz::require(request.body.empty() && !request.has_body);
}

const char* word(Method method) {
  constexpr const char* kWords[] = {"GET",    "HEAD",  "POST",    "PUT",
                                    "DELETE", "PATCH", "OPTIONS", "TRACE"};
  return kWords[static_cast<std::size_t>(method)];
}

// The head as it was read, the content in one chunk or of the length that was stated.
std::string plainest(const HttpRequest& request) {
  std::string octets = word(request.method);
  octets += ' ' + request.target + (request.takes_chunks ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
  for (const auto& [name, value] : request.fields) octets += name + ": " + value + "\r\n";
  octets += "\r\n";
  if (request.field("transfer-encoding").empty()) return octets + request.body;
  if (!request.body.empty()) {
    constexpr const char* kDigits = "0123456789abcdef";
    for (unsigned shift = 12; shift > 0; shift -= 4) {
      octets += kDigits[request.body.size() >> (shift - 4) & 15U];
    }
    octets += "\r\n" + request.body + "\r\n";
  }
  return octets + "0\r\n\r\n";
}

void require_one_reading(const HttpRequest& request) {
  const std::string octets = plainest(request);
  const std::size_t head = octets.find("\r\n\r\n") + 4;
  if (head > kLimits.head) return;  // a blank after each colon may be one too many
  const Reading again = read(octets, 0, nullptr);
  fuzz::require(again.end == State::Idle && again.requests.size() == 1);
  fuzz::require(same(again.requests[0], request));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view octets(reinterpret_cast<const char*>(data + 1), size - 1);
  const Reading whole = read(octets, 0, nullptr);
  std::string spare;
  for (const std::uint8_t manner : {std::uint8_t{1}, data[0]}) {
    const Reading pieces = read(octets, manner, &spare);
    // Of two mistakes in one head the first to be seen is told: the status may be another one.
    fuzz::require(pieces.end == whole.end);
    fuzz::require(pieces.requests.size() == whole.requests.size());
    for (std::size_t at = 0; at < whole.requests.size(); ++at) {
      fuzz::require(same(pieces.requests[at], whole.requests[at]));
    }
  }
  for (const HttpRequest& request : whole.requests) {
    require_sound(request);
    require_one_reading(request);
  }
  return 0;
}
