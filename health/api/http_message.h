#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// One HTTP/1.1 request and its response (RFC 9110, RFC 9112), without their way over the wire.
namespace sluice::health {

enum class Method : std::uint8_t { Get, Head, Post, Put, Delete, Patch, Options, Trace };

struct HttpRequest {
  Method method = Method::Get;
  std::string target;  // origin-form, "/v1/pools?x=y", or "*"
  // Names in lower case, values without blanks around them.
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  bool keep_alive = true;
  bool takes_chunks = true;  // HTTP/1.1 (RFC 9112 section 7.1)
  bool expects_continue =
      false;              // waits for 100 before it sends the body (RFC 9110 section 10.1.1)
  bool has_body = false;  // known once the head is read

  // The value of a field that occurs once at most, or nothing.
  std::string_view field(std::string_view name) const noexcept {
    for (const auto& [known, value] : fields) {
      if (known == name) return value;
    }
    return {};
  }
};

// Content that comes bit by bit, for as long as its reader stays. On the thread of the loop.
class ContentStream {
 public:
  virtual ~ContentStream() = default;  // nobody reads it any more

  // Before the first next(). `more` may be called at any time from then on, also when the reader is
  // gone; next() is asked again then.
  virtual void open(std::function<void()> more) = 0;
  // What is there, and no more than is good to have on its way to a reader; empty: nothing now.
  // Asked again once the reader's kernel has taken it. Nothing at all: the reader is to be cut.
  virtual std::optional<std::string> next() = 0;
};

struct HttpResponse {
  int status = 200;
  std::string content_type;  // empty: no content
  std::string body;
  // Never made of what the client sent.
  std::vector<std::pair<std::string, std::string>> fields;
  bool close = false;                     // end the connection after it
  std::shared_ptr<ContentStream> stream;  // in place of `body`
};

// Who is at the other end.
struct Peer {
  bool local = false;   // on the unix socket
  std::string address;  // "192.0.2.1@40000", or "unix"
  std::string user;     // local only: its user's name
};

// What a client may cost.
struct HttpLimits {
  std::size_t head = 16 * 1024;  // octets of request line and fields; a token and a name need 200
  std::size_t target = 8 * 1024;
  std::size_t fields = 100;
  // A heartbeat of six services has some 2 KiB; the rest is room for hundreds of counters.
  std::size_t body = 1024 * 1024;
  std::size_t chunk_extensions = 1024;  // octets in one request; nobody sends any (RFC 9112 7.1.1)
  std::size_t pipelined = 64 * 1024;    // octets that are read ahead while a request is worked on
  // Others wait in the kernel. Agents keep theirs: ten thousand, those who watch, and as many again
  // of a site that comes back before its old ones are known to be dead. An idle one takes some
  // 1.3 kB. The composition root has fewer where the process may not open as many files.
  std::size_t connections = 20'000;     // over TCP, all addresses together
  std::size_t local_connections = 256;  // on the unix socket: the network can't keep its users out
  std::chrono::milliseconds idle{60'000};
  std::chrono::milliseconds head_time{10'000};  // from its first octet (or the connection) on
  std::chrono::milliseconds body_time{10'000};
  std::chrono::milliseconds write_time{30'000};  // for a reader to take the whole response
  std::chrono::milliseconds linger_time{2'000};  // for a client to see why it was cut
  // Readers of events at once. Each stays for as long as it likes and costs some 200 KiB; a few
  // dashboards and operators have room, and never all connections are theirs.
  std::size_t streams = 64;
  // Without an event a comment this often: less than a proxy's idle time (HAProxy's and nginx's
  // usual ones are 30 s and 60 s), and a reader that is gone is noticed.
  std::chrono::milliseconds stream_comment{15'000};
};

}  // namespace sluice::health
