#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <vector>

#include <uv.h>

#include "config/base/clock.h"
#include "config/base/uv_handle.h"
#include "dns/server/responder.h"
#include "dns/server/tcp_session.h"

namespace sluice::dns {

// What one worker lets its TCP clients have.
struct TcpLimits {
  // Longer than a resolver takes between two queries of a busy name (RFC 7766 section 6.2.3: "a few
  // seconds"), short enough to get rid of clients that died.
  base::Duration idle = std::chrono::seconds(10);
  // From the first octet of a message to its last: ordinary ones come in one packet.
  base::Duration message = std::chrono::seconds(5);
  // Without the client reading anything while answers wait.
  base::Duration unread = std::chrono::seconds(10);
  // Connections; 0: Server chooses by the process's limit of open files.
  std::size_t clients = 0;
};

// The TCP sessions of one worker: polls for them, times them out, and makes room for new ones. All
// on the worker's thread.
class TcpClients {
 public:
  // `limits.clients` at least 1.
  TcpClients(uv_loop_t* loop, Responder& responder, const TcpLimits& limits);

  // A connection that was accepted. When there are too many, the one that has been idle longest
  // gives way (half-sent messages and clients that don't read come after the idle ones).
  void admit(base::FileDescriptor fd, const sockaddr_in6& client);
  // A session of another worker, which goes on here.
  void resume(SuspendedSession session);
  // Takes all sessions away as they are. What they sent and nobody read waits in their sockets.
  std::vector<SuspendedSession> suspend();
  // Ends the one that gives way. False when there is none.
  bool evict();
  // Ends the sessions whose time is over.
  void expire();
  // Ends those that wait for nothing: neither is a message of theirs half there nor an answer.
  void end_idle();
  // Answers what has been received, then ends all.
  void finish();

  std::size_t size() const noexcept;

 private:
  struct Client;
  using Clients = std::list<Client>;
  // What a client is at, in the order of eviction; each has its time limit. A list is ordered by
  // the time since when, so that its first is the next to time out.
  enum class Phase : std::uint8_t { Idle, Message, Unread };
  static constexpr std::size_t kPhases = 3;

  struct Client {
    TcpClients* owner;
    TcpSession session;
    Phase phase;
    std::uint64_t since;             // milliseconds of the loop's clock
    base::UvHandle<uv_poll_t> poll;  // after the session: closed before its descriptor
    Clients::iterator self;
  };

  static void on_ready(uv_poll_t* handle, int status, int events);
  // Null: it could not be polled for, and has ended.
  Client* add(TcpSession session, Phase phase);
  void settle(Client& client, TcpSession::Wants wants);
  bool poll_for(Client& client, int events);
  void end(Client& client);
  Clients& in(Phase phase) noexcept { return clients_[static_cast<std::size_t>(phase)]; }

  uv_loop_t* loop_;
  Responder& responder_;
  std::array<std::uint64_t, kPhases> limits_;  // milliseconds, by phase
  std::size_t most_;
  std::array<Clients, kPhases> clients_;
  TcpScratch scratch_;
};

}  // namespace sluice::dns
