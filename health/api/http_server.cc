#include "health/api/http_server.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "health/api/http_connection.h"

namespace sluice::health {
namespace {

// Of one read: libuv's own suggestion.
constexpr std::size_t kReadOctets = 65'536;

}  // namespace

HttpServer::HttpServer(uv_loop_t* loop, const base::Clock& clock, const HttpLimits& limits,
                       OnHead on_head, TlsNow tls_now)
    : loop_(loop),
      clock_(clock),
      limits_(limits),
      on_head_(std::move(on_head)),
      tls_now_(std::move(tls_now)),
      handshakes_(std::make_unique<Handshakes>(
          loop, limits.handshakes, [this](std::uint64_t id) { connections_.at(id)->take_turn(); },
          [this](std::uint64_t id) { connections_.at(id)->give_way(); })),
      read_buffer_(kReadOctets) {}

HttpServer::~HttpServer() {
  assert(connections_.empty());
}

base::Checked<base::Done> HttpServer::listen_tcp(base::FileDescriptor socket,
                                                 const std::string& name) {
  return listen(std::move(socket), name, false);
}

base::Checked<base::Done> HttpServer::listen_unix(base::FileDescriptor socket,
                                                  const std::string& name) {
  return listen(std::move(socket), name, true);
}

base::Checked<base::Done> HttpServer::listen(base::FileDescriptor socket, const std::string& name,
                                             bool local) {
  Acceptor::Host host;
  host.has_room = [this, local] { return has_room(local); };
  // The network must not keep the machine's own operators out.
  host.make_room = [this, local] { return local && give_way(); };
  host.full = [this, local] {
    if (!local) let_stranger_go();
  };
  host.take = [this, local](base::FileDescriptor client) { take(std::move(client), local); };
  auto acceptor = std::make_unique<Acceptor>(std::move(socket), std::move(host), accept_counts_);
  if (auto started = acceptor->start(loop_); !started) {
    return base::failure("api: " + name + ": " + started.error().message);
  }
  listeners_.push_back(std::move(acceptor));
  return base::Done{};
}

std::size_t& HttpServer::connections_of(bool local) noexcept {
  return local ? local_connections_ : tcp_connections_;
}

std::size_t& HttpServer::abandoned_of(bool local) noexcept {
  return local ? local_abandoned_ : abandoned_;
}

bool HttpServer::has_room(bool local) const noexcept {
  if (local) return local_connections_ + local_abandoned_ < limits_.local_connections;
  if (shedding_ && tcp_connections_ - agents_ >= limits_.strangers_when_short) return false;
  return tcp_connections_ + abandoned_ < limits_.connections;
}

std::size_t HttpServer::most_per_address() const noexcept {
  const std::size_t all = limits_.connections;
  const std::size_t others = std::max<std::size_t>(all / 8, 1);
  return limits_.connections_per_address.value_or(all > others ? all - others : 1);
}

// Nobody holds all places for nothing: whoever has been here longest without saying who it is makes
// room for one who waits.
void HttpServer::let_stranger_go() {
  if (shedding_ || tcp_connections_ + abandoned_ < limits_.connections) return;

  // Of very many that wait for a handshake it is enough to look at some.
  constexpr int kLooks = 64;
  auto stranger = strangers_.begin();
  for (int i = 0; i < kLooks && stranger != strangers_.end(); ++i, ++stranger) {
    HttpConnection& connection = *connections_.at(*stranger);
    if (connection.may_give_way()) return connection.close();
  }
}

void HttpServer::take(base::FileDescriptor client, bool local) {
  const std::uint64_t id = next_id_++;
  auto& connection = *(connections_[id] = std::make_unique<HttpConnection>(*this, local, id));
  ++connections_of(local);
  connection.start(std::move(client));
}

void HttpServer::respond(std::uint64_t id, bool local, std::uint64_t number,
                         HttpResponse response) {
  const auto found = connections_.find(id);
  if (found != connections_.end() && found->second->respond(number, std::move(response))) return;
  --abandoned_of(local);
  for (const auto& listener : listeners_) listener->resume();
}

// Whoever waits for a request and has waited longest is nearest to its end by itself. Agents, which
// would have to find room again, are left alone.
bool HttpServer::give_way() {
  HttpConnection* longest = nullptr;
  for (const auto& [id, connection] : connections_) {
    if (connection->stays() || !connection->idle_until()) continue;
    if (longest == nullptr || connection->idle_until() < longest->idle_until()) {
      longest = connection.get();
    }
  }
  if (longest == nullptr) return false;
  longest->close();
  return true;
}

void HttpServer::forget(HttpConnection& connection) {
  --connections_of(connection.is_local());
  if (connection.is_agents()) --agents_;
  connections_.erase(connection.id());
  for (const auto& listener : listeners_) listener->resume();
  if (connections_.empty() && quiet_) std::exchange(quiet_, nullptr)();
}

void HttpServer::review(const std::function<bool(const Peer&)>& stays) {
  for (const auto& [id, connection] : connections_) {
    if (!stays(connection->who())) connection->finish();
  }
}

// Ends come in forget(), later: the table does not change under the loop.
void HttpServer::shed(bool on) {
  shedding_ = on;
  if (on) {
    for (const auto& [id, connection] : connections_) connection->shed();
  } else {
    for (const auto& listener : listeners_) listener->resume();
  }
}

void HttpServer::quiesce(std::function<void()> quiet) {
  listeners_.clear();
  quiet_ = std::move(quiet);
  // Closing ends in forget(), which libuv calls later: the table does not change under the loop.
  for (const auto& [id, connection] : connections_) connection->finish();
  if (connections_.empty() && quiet_) std::exchange(quiet_, nullptr)();
}

void HttpServer::reconsider() {
  for (const auto& [id, connection] : connections_) connection->reconsider();
}

void HttpServer::close() {
  quiesce(nullptr);
  for (const auto& [id, connection] : connections_) connection->close();
  handshakes_->close();
}

}  // namespace sluice::health
