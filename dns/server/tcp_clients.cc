#include "dns/server/tcp_clients.h"

#include <cassert>
#include <utility>

namespace sluice::dns {

TcpClients::TcpClients(uv_loop_t* loop, Responder& responder, const TcpLimits& limits)
    : loop_(loop),
      responder_(responder),
      limits_{static_cast<std::uint64_t>(limits.idle.count()),
              static_cast<std::uint64_t>(limits.message.count()),
              static_cast<std::uint64_t>(limits.unread.count())},
      most_(limits.clients) {
  assert(most_ > 0);
}

std::size_t TcpClients::size() const noexcept {
  std::size_t size = 0;
  for (const Clients& clients : clients_) size += clients.size();
  return size;
}

void TcpClients::admit(base::FileDescriptor fd, const sockaddr_in6& client) {
  add(TcpSession(std::move(fd), client), Phase::Idle);
}

TcpClients::Client* TcpClients::add(TcpSession session, Phase phase) {
  responder_.counters().tcp_accepted.add();
  if (size() >= most_) evict();
  Clients& clients = in(phase);
  clients.push_back({this, std::move(session), phase, uv_now(loop_), nullptr, {}});
  Client& fresh = clients.back();
  fresh.self = std::prev(clients.end());
  auto* poll = new uv_poll_t;
  if (uv_poll_init(loop_, poll, fresh.session.fd()) != 0) {
    delete poll;
    end(fresh);
    return nullptr;
  }
  poll->data = &fresh;
  fresh.poll.reset(poll);
  if (poll_for(fresh, phase == Phase::Unread ? UV_WRITABLE : UV_READABLE)) return &fresh;
  end(fresh);
  return nullptr;
}

// As one whose answers wait: what waits, if anything, goes out first.
void TcpClients::resume(SuspendedSession session) {
  Client* client = add(TcpSession(std::move(session)), Phase::Unread);
  if (client != nullptr) settle(*client, client->session.on_writable(scratch_, responder_));
}

std::vector<SuspendedSession> TcpClients::suspend() {
  std::vector<SuspendedSession> sessions;
  sessions.reserve(size());
  for (Clients& clients : clients_) {
    while (!clients.empty()) {
      Client& client = clients.front();
      client.poll.reset();  // before its descriptor leaves
      sessions.push_back(client.session.suspend());
      end(client);
    }
  }
  return sessions;
}

bool TcpClients::evict() {
  for (Clients& clients : clients_) {
    if (clients.empty()) continue;
    responder_.counters().tcp_evicted.add();
    end(clients.front());
    return true;
  }
  return false;
}

void TcpClients::expire() {
  const std::uint64_t now = uv_now(loop_);
  for (std::size_t phase = 0; phase < kPhases; ++phase) {
    Clients& clients = clients_[phase];
    while (!clients.empty() && now - clients.front().since >= limits_[phase]) {
      responder_.counters().tcp_timed_out.add();
      end(clients.front());
    }
  }
}

void TcpClients::end_idle() {
  Clients& idle = in(Phase::Idle);
  while (!idle.empty()) {
    responder_.counters().tcp_evicted.add();
    end(idle.front());
  }
}

void TcpClients::finish() {
  // As many reads as it takes to empty a receive buffer (2 x 64 KiB by 16 KiB).
  constexpr int kReads = 8;
  for (const Phase phase : {Phase::Idle, Phase::Message}) {
    for (Client& client : in(phase)) {
      auto wants = TcpSession::Wants::Queries;
      for (int read = 0; read < kReads && wants == TcpSession::Wants::Queries; ++read) {
        wants = client.session.on_readable(scratch_, responder_);
      }
    }
  }
  for (Clients& clients : clients_) {
    while (!clients.empty()) end(clients.front());
  }
}

void TcpClients::on_ready(uv_poll_t* handle, int status, int events) {
  Client& client = *static_cast<Client*>(handle->data);
  TcpClients& self = *client.owner;
  if (status < 0) return self.end(client);  // the connection broke
  auto wants = TcpSession::Wants::Queries;
  if (client.phase == Phase::Unread) {
    wants = client.session.on_writable(self.scratch_, self.responder_);
  } else if ((events & UV_READABLE) != 0) {
    wants = client.session.on_readable(self.scratch_, self.responder_);
  }
  self.settle(client, wants);
}

// Puts the client where it belongs after a call of its session.
void TcpClients::settle(Client& client, TcpSession::Wants wants) {
  if (wants == TcpSession::Wants::End) return end(client);
  Phase phase = Phase::Unread;
  if (wants == TcpSession::Wants::Queries) {
    phase = client.session.within_message() ? Phase::Message : Phase::Idle;
  }
  if ((phase == Phase::Unread) != (client.phase == Phase::Unread) &&
      !poll_for(client, phase == Phase::Unread ? UV_WRITABLE : UV_READABLE)) {
    return end(client);
  }
  // More octets of the same message don't start its time anew.
  if (phase == client.phase && !client.session.progressed()) return;
  Clients& from = in(client.phase);
  Clients& to = in(phase);
  to.splice(to.end(), from, client.self);
  client.phase = phase;
  client.since = uv_now(loop_);
}

bool TcpClients::poll_for(Client& client, int events) {
  return uv_poll_start(client.poll.get(), events, on_ready) == 0;
}

void TcpClients::end(Client& client) {
  responder_.counters().tcp_closed.add();
  in(client.phase).erase(client.self);
}

}  // namespace sluice::dns
