#include "health/api/http_server.h"

#include <cassert>

#include "health/api/http_connection.h"

namespace sluice::health {
namespace {

// Clients that the kernel keeps for us; it cuts this to net.core.somaxconn.
constexpr int kBacklog = 1'024;
// Of one read: libuv's own suggestion.
constexpr std::size_t kReadOctets = 65'536;

base::Unexpected<base::Error> failure(const std::string& name, int status) {
  return base::failure("api: " + name + ": " + uv_strerror(status));
}

}  // namespace

uv_stream_t* HttpServer::Listener::stream() noexcept {
  return tcp ? reinterpret_cast<uv_stream_t*>(tcp.get())
             : reinterpret_cast<uv_stream_t*>(pipe.get());
}

HttpServer::HttpServer(uv_loop_t* loop, const base::Clock& clock, const HttpLimits& limits,
                       OnHead on_head)
    : loop_(loop),
      clock_(clock),
      limits_(limits),
      on_head_(std::move(on_head)),
      read_buffer_(kReadOctets) {}

HttpServer::~HttpServer() {
  assert(connections_.empty());
}

base::Checked<base::SocketAddress> HttpServer::listen(const base::SocketAddress& address) {
  auto listener = std::make_unique<Listener>();
  auto* handle = new uv_tcp_t;
  uv_tcp_init(loop_, handle);
  listener->tcp.reset(handle);
  sockaddr_storage storage{};
  address.to(storage);
  // ::@PORT must leave 0.0.0.0@PORT to whoever lists it.
  const unsigned flags = address.address.is_v4() ? 0 : UV_TCP_IPV6ONLY;
  const int status = uv_tcp_bind(handle, reinterpret_cast<const sockaddr*>(&storage), flags);
  if (status != 0) return failure(address.to_string(), status);
  auto started = start(std::move(listener), address.to_string());
  if (!started) return base::Unexpected{std::move(started).error()};
  int size = sizeof storage;
  uv_tcp_getsockname(handle, reinterpret_cast<sockaddr*>(&storage), &size);
  const auto bound = base::SocketAddress::from(reinterpret_cast<const sockaddr*>(&storage));
  return bound.value_or(address);
}

base::Checked<base::Done> HttpServer::listen(const config::UnixSocket& socket) {
  auto file = UnixListener::bind(socket);
  if (!file) return base::Unexpected{std::move(file).error()};
  auto listener = std::make_unique<Listener>();
  auto* handle = new uv_pipe_t;
  uv_pipe_init(loop_, handle, 0);
  listener->pipe.reset(handle);
  const int status = uv_pipe_open(handle, file->release());
  if (status != 0) return failure(socket.path, status);
  listener->file = std::move(*file);
  return start(std::move(listener), socket.path);
}

base::Checked<base::Done> HttpServer::start(std::unique_ptr<Listener> listener,
                                            const std::string& name) {
  listener->server = this;
  listener->stream()->data = listener.get();
  const int status = uv_listen(listener->stream(), kBacklog, [](uv_stream_t* stream, int code) {
    auto& owner = *static_cast<Listener*>(stream->data);
    // Out of descriptors: libuv has shed the client, and the next one may find room.
    if (code == 0) owner.server->on_connection(owner);
  });
  if (status != 0) return failure(name, status);
  listeners_.push_back(std::move(listener));
  return base::Done{};
}

std::size_t& HttpServer::connections_of(bool local) noexcept {
  return local ? local_connections_ : tcp_connections_;
}

// libuv asks nobody else on this listener until uv_accept(): when there is no room, clients wait in
// the kernel.
void HttpServer::on_connection(Listener& listener) {
  const bool local = listener.pipe != nullptr;
  const std::size_t room = local ? limits_.local_connections : limits_.connections;
  listener.waiting = connections_of(local) >= room;
  if (listener.waiting) return;
  const std::uint64_t id = next_id_++;
  auto& connection = *(connections_[id] = std::make_unique<HttpConnection>(*this, local, id));
  ++connections_of(local);
  if (uv_accept(listener.stream(), connection.stream()) != 0) return connection.close();
  connection.start();
}

void HttpServer::forget(std::uint64_t id, bool local) {
  connections_.erase(id);
  --connections_of(local);
  for (const auto& listener : listeners_) {
    if (listening_ && listener->waiting) on_connection(*listener);
  }
  if (connections_.empty() && quiet_) std::exchange(quiet_, nullptr)();
}

void HttpServer::quiesce(std::function<void()> quiet) {
  listening_ = false;
  for (const auto& listener : listeners_) {
    listener->file.reset();
    listener->tcp.reset();
    listener->pipe.reset();
  }
  quiet_ = std::move(quiet);
  // Closing ends in forget(), which libuv calls later: the table does not change under the loop.
  for (const auto& [id, connection] : connections_) connection->finish();
  if (connections_.empty() && quiet_) std::exchange(quiet_, nullptr)();
}

void HttpServer::close() {
  quiesce(nullptr);
  for (const auto& [id, connection] : connections_) connection->close();
}

}  // namespace sluice::health
