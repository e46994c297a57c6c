#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <uv.h>

#include "health/api/handshakes.h"
#include "health/api/http_server.h"
#include "health/api/request_parser.h"
#include "health/api/tls_channel.h"

namespace sluice::health {

// One client. Lives until libuv has closed its handles; then the server forgets it.
class HttpConnection {
 public:
  // `local`: of the unix socket.
  HttpConnection(HttpServer& server, bool local, std::uint64_t id);
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  // With a socket that was accepted.
  void start(base::FileDescriptor socket);
  // The response to the request that is worked on, `number`. False: the client has gone.
  bool respond(std::uint64_t number, HttpResponse response);
  const Peer& who() const noexcept { return peer_; }
  // Its turn to go on with its TLS handshake.
  void take_turn();
  // Its place is needed.
  void give_way();
  // Whether its place may be needed for another, as long as nobody knows whose it is.
  bool may_give_way() const noexcept;
  // Ends it now if it waits for a request or streams, or after the next response.
  void finish();
  // Ends what would go on for ever, if its client would be asked for another certificate now.
  void reconsider();
  void close();

  // Memory is short: unless it is an agent's, or of the machine itself, it ends now, or after the
  // response that is being made.
  void shed();

  std::uint64_t id() const noexcept { return id_; }
  bool is_local() const noexcept { return local_; }
  bool is_agents() const noexcept { return agents_; }  // never of a local one
  // Does not give way while others can.
  bool stays() const noexcept { return local_ || agents_; }
  // When it will end for want of a request, by the loop's clock; nothing while there is one.
  std::optional<std::uint64_t> idle_until() const noexcept;

 private:
  enum class Phase : std::uint8_t {
    Handshaking,  // TLS, or the wait for it
    Reading,      // a request, or the wait for one
    Working,      // somebody has the request
    Writing,      // the client has not taken the whole response yet
    Streaming,    // content comes bit by bit
    Lingering,    // the last response is out; the client may still be sending
    Closed,
  };
  enum class Deadline : std::uint8_t { None, Handshake, Idle, Head, Body, Write, Linger };

  // Of a stream's content, what the kernel keeps for a reader that is slow (it doubles the number):
  // by itself it would take megabytes.
  static constexpr int kStreamSendOctets = 64 * 1024;
  // What may come to its end while memory is short: any order has a few hundred octets.
  static constexpr std::size_t kSmallRequest = 16 * 1024;

  uv_stream_t* stream() noexcept { return &stream_.stream; }
  Peer peer() const;
  void turn_away();
  void uncount();
  void arm(Deadline deadline);
  void start_timer(std::uint64_t milliseconds);
  void on_timer();
  void on_deadline();
  static void on_closed(uv_handle_t* handle);

  // http_connection_reading.cc
  void start_reading();
  void go_on_reading();
  void on_read(ssize_t size, const char* octets);
  void on_end_of_input();
  void take(std::string_view octets);
  void run();
  void wait_for(Deadline deadline);
  bool account();
  void begin_request();
  void note_agent(bool agents);
  void work();

  // http_connection_tls.cc
  void handshake_wants_turn();
  bool hung_up() const;
  void on_handshake(std::string_view octets);
  void on_handshake_failed();
  void end_handshake(HandshakeEnd how);
  void on_ciphertext(std::string_view octets);
  void take_plain(base::TlsStream::State state);
  bool asked_otherwise() const;
  void say_goodbye();

  // http_connection_writing.cc
  void answer(HttpResponse response);
  void begin_stream(std::shared_ptr<ContentStream> content);
  void pump(std::uint64_t number);
  void end_stream();
  void write(std::string octets);
  void flush();
  void count_unsent();
  void send(std::string octets);
  void on_written(int status);
  void end_response();
  void linger();

  HttpServer& server_;
  const bool local_;
  const std::uint64_t id_;
  uv_any_handle stream_{};
  uv_timer_t timer_{};
  uv_shutdown_t shutdown_{};
  int open_handles_ = 0;

  RequestParser parser_;
  Peer peer_;
  std::unique_ptr<TlsChannel> tls_;  // null: none, or its handshake has not begun
  bool counted_ = false;             // among those of its address
  std::size_t octets_ = 0;           // counted in the server's
  std::size_t octets_in_work_ = 0;   // of the body that somebody works on
  std::size_t under_way_ = 0;        // octets that libuv has
  std::size_t unsent_ = 0;           // counted in the server's
  Phase phase_ = Phase::Reading;
  Deadline deadline_ = Deadline::None;
  std::uint64_t due_ = 0;     // when it passes, by the loop's clock
  std::uint64_t number_ = 0;  // of the request that is worked on
  HttpServer::Continue continue_;
  std::shared_ptr<ContentStream> content_;  // Streaming
  bool agents_ = false;                     // the last request was let in as an agent's
  bool head_only_ = false;
  bool takes_chunks_ = true;
  bool close_after_ = false;
  bool finishing_ = false;
  bool running_ = false;   // run() is on the stack
  bool paused_ = false;    // enough was read ahead
  bool ended_ = false;     // the client sends nothing more
  bool has_turn_ = false;  // of its handshake: what has come is read
  bool queued_ = false;    // is known to the queue of handshakes
  int writes_ = 0;         // under way
};

}  // namespace sluice::health
