#include "tests/config/base/curl/http_peer.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <gtest/gtest.h>

namespace sluice::base {

struct HttpPeer::Connection {
  HttpPeer* member = nullptr;
  std::string received;
  std::array<char, 65'536> room{};
  UvHandle<uv_tcp_t> handle;
};

HttpPeer::HttpPeer(uv_loop_t* loop, Answer answer) : answer_(std::move(answer)) {
  auto* listener = new uv_tcp_t;
  uv_tcp_init(loop, listener);
  listener_.reset(listener);
  listener->data = this;
  sockaddr_in address{};
  uv_ip4_addr("127.0.0.1", 0, &address);
  EXPECT_EQ(uv_tcp_bind(listener, reinterpret_cast<const sockaddr*>(&address), 0), 0);
  EXPECT_EQ(
      uv_listen(reinterpret_cast<uv_stream_t*>(listener), 128,
                [](uv_stream_t* stream, int) { static_cast<HttpPeer*>(stream->data)->accept(); }),
      0);
}

HttpPeer::~HttpPeer() = default;

void HttpPeer::close_all() {
  connections_.clear();
}

std::string HttpPeer::endpoint() const {
  sockaddr_in address{};
  int size = sizeof address;
  uv_tcp_getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

void HttpPeer::send(const std::string& octets) {
  for (const auto& [handle, connection] : connections_) {
    uv_buf_t buffer =
        uv_buf_init(const_cast<char*>(octets.data()), static_cast<unsigned>(octets.size()));
    // What a test sends fits into the kernel's room.
    EXPECT_EQ(uv_try_write(reinterpret_cast<uv_stream_t*>(handle), &buffer, 1),
              static_cast<int>(octets.size()));
  }
}

void HttpPeer::accept() {
  auto* handle = new uv_tcp_t;
  uv_tcp_init(listener_->loop, handle);
  auto connection = std::make_unique<Connection>();
  connection->member = this;
  connection->handle.reset(handle);
  handle->data = connection.get();
  EXPECT_EQ(uv_accept(reinterpret_cast<uv_stream_t*>(listener_.get()),
                      reinterpret_cast<uv_stream_t*>(handle)),
            0);
  uv_read_start(
      reinterpret_cast<uv_stream_t*>(handle),
      [](uv_handle_t* stream, std::size_t, uv_buf_t* buffer) {
        Connection& mine = *static_cast<Connection*>(stream->data);
        *buffer = uv_buf_init(mine.room.data(), static_cast<unsigned>(mine.room.size()));
      },
      [](uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
        Connection& mine = *static_cast<Connection*>(stream->data);
        mine.member->read(mine, buffer->base, count);
      });
  connections_.emplace(handle, std::move(connection));
}

void HttpPeer::read(Connection& connection, const char* octets, ssize_t count) {
  if (count < 0) {
    connections_.erase(connection.handle.get());
    return;
  }
  connection.received.append(octets, static_cast<std::size_t>(count));
  const std::string& all = connection.received;
  const std::size_t end = all.find("\r\n\r\n");
  if (end == std::string::npos) return;
  Asked asked{all.substr(0, all.find('\r')), all.substr(0, end), all.substr(end + 4)};
  std::ranges::transform(asked.head, asked.head.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  const std::string length = "content-length: ";
  const std::size_t told = asked.head.find(length);
  if (told != std::string::npos &&
      asked.body.size() < std::stoul(asked.head.substr(told + length.size()))) {
    return;
  }
  const std::size_t method = asked.path.find(' ');  // of "POST PATH HTTP/1.1"
  asked.path = asked.path.substr(method + 1, asked.path.rfind(' ') - method - 1);
  connection.received.clear();
  asked_.push_back(asked);
  const auto reply = answer_(asked);
  if (!reply) {
    connections_.erase(connection.handle.get());
    return;
  }
  uv_buf_t buffer =
      uv_buf_init(const_cast<char*>(reply->data()), static_cast<unsigned>(reply->size()));
  if (reply->empty()) return;
  EXPECT_EQ(uv_try_write(reinterpret_cast<uv_stream_t*>(connection.handle.get()), &buffer, 1),
            static_cast<int>(reply->size()));
  if (reset_) reset(connection);
}

void HttpPeer::reset(Connection& connection) {
  uv_tcp_t* const handle = connection.handle.release();
  uv_tcp_close_reset(handle,
                     [](uv_handle_t* closed) { delete reinterpret_cast<uv_tcp_t*>(closed); });
  connections_.erase(handle);
}

}  // namespace sluice::base
