#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include <uv.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/file_descriptor.h"
#include "config/base/tls_context.h"
#include "health/api/acceptor.h"
#include "health/api/address_block.h"
#include "health/api/handshakes.h"
#include "health/api/http_message.h"

namespace sluice::health {

class HttpConnection;

// HTTP/1.1 on TCP and unix sockets. Everything happens on the thread that runs the loop.
//
// The requests of a connection are worked on one at a time, in their order: pipelining costs a
// client nothing but the wait, and no reply overtakes another.
class HttpServer {
 public:
  // Takes the response to one request; may be called at once or later, once. The client may have
  // gone meanwhile: then nothing happens. Must not be called after the server's end.
  using Respond = std::function<void(HttpResponse)>;
  // Works on a request whose body is whole.
  using Continue = std::function<void(std::string body, Respond respond)>;
  // Asked as soon as the head is there: who is not allowed to send a body need not be heard out.
  // Says in `peer` as whom it lets in.
  using OnHead =
      std::function<base::Result<Continue, HttpResponse>(const HttpRequest& head, Peer& peer)>;

  // Asked when a connection over TCP comes and again whenever it matters; null: without TLS, and
  // then always.
  using TlsNow = std::function<std::shared_ptr<const base::TlsContext>()>;

  // `loop` and `clock` must outlive it.
  HttpServer(uv_loop_t* loop, const base::Clock& clock, const HttpLimits& limits, OnHead on_head,
             TlsNow tls_now);
  ~HttpServer();  // after close(), and after the loop has run out
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Takes the clients of a socket that listens; `name` is for the error.
  base::Checked<base::Done> listen_tcp(base::FileDescriptor socket, const std::string& name);
  base::Checked<base::Done> listen_unix(base::FileDescriptor socket, const std::string& name);

  const Handshakes& handshakes() const noexcept { return *handshakes_; }
  // When what TLS asks of clients has changed: streams of those who were asked something else end.
  // (Others end after their next response, without being told.)
  void reconsider();
  // Memory is short, or is enough again: see Api::shed().
  void shed(bool on);
  bool shedding() const noexcept { return shedding_; }
  // Ends the connections of which `stays` is false, as quiesce() does.
  void review(const std::function<bool(const Peer&)>& stays);

  // Takes no more connections, ends those that wait for a request or stream, and the others after
  // their next response. `quiet` is called when none is left.
  void quiesce(std::function<void()> quiet);
  // Ends everything at once.
  void close();

  // Any thread.
  const AcceptCounts& accept_counts() const noexcept { return accept_counts_; }

 private:
  friend class HttpConnection;

  base::Checked<base::Done> listen(base::FileDescriptor socket, const std::string& name,
                                   bool local);
  std::size_t& connections_of(bool local) noexcept;
  std::size_t& abandoned_of(bool local) noexcept;
  void respond(std::uint64_t id, bool local, std::uint64_t number, HttpResponse response);
  bool has_room(bool local) const noexcept;
  bool give_way();
  void take(base::FileDescriptor client, bool local);
  void forget(HttpConnection& connection);
  std::size_t most_per_address() const noexcept;
  void let_stranger_go();

  uv_loop_t* loop_;
  const base::Clock& clock_;
  HttpLimits limits_;
  OnHead on_head_;
  TlsNow tls_now_;
  std::unique_ptr<Handshakes> handshakes_;
  AcceptCounts accept_counts_;
  std::vector<std::unique_ptr<Acceptor>> listeners_;
  std::uint64_t next_id_ = 1;  // never used twice
  std::unordered_map<std::uint64_t, std::unique_ptr<HttpConnection>> connections_;
  std::size_t tcp_connections_ = 0;
  std::size_t local_connections_ = 0;
  // Requests whose client has gone while the authority works on them. Each keeps the place of its
  // connection until it is answered, or clients that ask and leave could queue without bound.
  std::size_t abandoned_ = 0;  // over TCP
  std::size_t local_abandoned_ = 0;
  std::size_t agents_ = 0;  // of tcp_connections_: whose last request was an agent's
  bool shedding_ = false;
  ConnectionCounts addresses_;         // of TCP
  std::set<std::uint64_t> strangers_;  // TCP connections of which nobody knows whose they are
  std::size_t octets_ = 0;             // of requests, beyond what each connection has for itself
  std::size_t unsent_octets_ = 0;      // of responses
  std::function<void()> quiet_;
  std::string spare_input_;        // of the parsers
  std::vector<char> read_buffer_;  // of whoever reads; emptied before the next one does
  std::string plain_;              // likewise, what was read by TLS
};

}  // namespace sluice::health
