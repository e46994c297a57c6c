#include "tools/sluice-agent/checks/tcp_opening.h"

#include <memory>
#include <utility>

namespace sluice::agent {
namespace {

std::optional<base::SocketAddress> end_of(const uv_tcp_t* socket,
                                          int (*get)(const uv_tcp_t*, sockaddr*, int*)) {
  sockaddr_storage storage{};
  int length = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (get(socket, address, &length) != 0) return {};
  return base::SocketAddress::from(address);
}

}  // namespace

struct TcpOpening::Request {
  uv_connect_t connect{};
  TcpOpening* opening = nullptr;
};

TcpOpening::TcpOpening(uv_loop_t* loop, const base::SocketAddress& target, Done done)
    : refused_(loop, [this] { finish(start_error_); }), done_(std::move(done)) {
  auto* socket = new uv_tcp_t;
  start_error_ = uv_tcp_init(loop, socket);
  socket_.reset(socket);
  connect(target);
  if (start_error_ != 0) refused_.start(base::Duration::zero());
}

TcpOpening::~TcpOpening() {
  if (request_ != nullptr) request_->opening = nullptr;
}

void TcpOpening::connect(const base::SocketAddress& target) {
  sockaddr_storage storage{};
  target.to(storage);
  auto request = std::make_unique<Request>();
  request->opening = this;
  request->connect.data = request.get();
  start_error_ =
      uv_tcp_connect(&request->connect, socket_.get(), reinterpret_cast<const sockaddr*>(&storage),
                     [](uv_connect_t* connect, int status) {
                       const std::unique_ptr<Request> mine(static_cast<Request*>(connect->data));
                       if (mine->opening == nullptr) return;
                       mine->opening->request_ = nullptr;
                       mine->opening->finish(status);
                     });
  if (start_error_ != 0) return;
  request_ = request.release();
  local_ = end_of(socket_.get(), uv_tcp_getsockname);
}

// A port of the ephemeral range that nobody listens on may be the very one that the kernel chooses
// for our end: TCP then connects the socket to itself (RFC 9293 section 3.5, simultaneous open).
bool TcpOpening::connected_to_itself() const {
  const auto here = end_of(socket_.get(), uv_tcp_getsockname);
  return here && here == end_of(socket_.get(), uv_tcp_getpeername);
}

void TcpOpening::finish(int status) {
  const Done done = std::exchange(done_, nullptr);
  if (status != 0) return done(uv_strerror(status));
  local_ = end_of(socket_.get(), uv_tcp_getsockname);
  done(connected_to_itself() ? "nobody listens" : "");
}

}  // namespace sluice::agent
