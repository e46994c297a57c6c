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

#include "config/base/address.h"
#include "config/base/certificate.h"
#include "health/api/handshake_queue.h"

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

struct Identity;

// Who is at the other end.
struct Peer {
  bool local = false;   // on the unix socket
  std::string address;  // "192.0.2.1@40000", or "unix"
  std::string user;     // local only: its user's name
  // That it has shown, verified when the connection began; null: none.
  std::shared_ptr<const base::CertificateHolder> certificate = nullptr;
  base::IpAddress ip{};
  // As whom its last request that wanted to know was let in; null: it was not, or none was.
  std::shared_ptr<const Identity> who = nullptr;
};

// What a client may cost.
struct HttpLimits {
  std::size_t head = 16UL << 10;  // octets of request line and fields; a token and a name need 200
  std::size_t target = 8UL << 10;
  std::size_t fields = 100;
  // A heartbeat of six services has some 2 KiB; the rest is room for hundreds of counters.
  std::size_t body = 1UL << 20;
  std::size_t chunk_extensions = 1024;  // octets in one request; nobody sends any (RFC 9112 7.1.1)
  std::size_t pipelined = 64UL << 10;   // octets that are read ahead while a request is worked on
  // Others wait in the kernel. Agents keep theirs: ten thousand, those who watch, and as many again
  // of a site that comes back before its old ones are known to be dead. An idle one takes some
  // 1.3 kB. The composition root has fewer where the process may not open as many files.
  std::size_t connections = 20'000;  // over TCP, all addresses together
  // While memory is short: of those over TCP that are not agents'. Each may have a body under way;
  // few enough that those are nothing, enough for operators and for agents that come back.
  std::size_t strangers_when_short = 64;
  // For a handshake and for a head, then: whoever has something to ask says it at once, and the
  // agents that come back wait behind those who say nothing.
  std::chrono::milliseconds time_when_short{1'000};
  // Of one address, of IPv6 of a /64; none: seven eighths of all. Ten thousand agents behind one
  // NAT have room, and come back before most of their old connections are known to be dead; an
  // eighth is always left for everybody else, and strangers make room (HttpServer).
  std::optional<std::size_t> connections_per_address{};
  std::size_t local_connections = 256;  // on the unix socket: the network can't keep its users out
  HandshakeQueue::Limits handshakes;
  std::chrono::milliseconds handshake_time{10'000};  // of TLS, from its first answer on
  // Requests under way but for heartbeats, which come by the ten thousand and take microseconds
  // each. Operators, dashboards and agents that wait for a verdict: hundreds in a bad hour.
  std::size_t requests = 1'024;
  // Octets of requests that are not answered yet, over all connections, beyond what each has for
  // itself: enough for any head that is meant and for a heartbeat of a dozen services. So
  // connections x own + all is what clients can make us keep: some 150 MB, whatever they send.
  std::size_t own_octets = 4UL << 10;
  std::size_t octets = 64UL << 20;
  // Of responses that clients have not taken, over all connections; a response of 4 KiB is always
  // given, one that is larger than this too, when it is the only one.
  std::size_t unsent_octets = 256UL << 20;
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
