#include "tests/health/etcd/fake_member.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <gtest/gtest.h>

namespace sluice::etcd {

struct FakeMember::Connection {
  FakeMember* member = nullptr;
  std::string received;
  std::array<char, 65'536> room{};
  base::UvHandle<uv_tcp_t> handle;
};

FakeMember::FakeMember(uv_loop_t* loop, Answer answer) : answer_(std::move(answer)) {
  auto* listener = new uv_tcp_t;
  uv_tcp_init(loop, listener);
  listener_.reset(listener);
  listener->data = this;
  sockaddr_in address{};
  uv_ip4_addr("127.0.0.1", 0, &address);
  EXPECT_EQ(uv_tcp_bind(listener, reinterpret_cast<const sockaddr*>(&address), 0), 0);
  EXPECT_EQ(
      uv_listen(reinterpret_cast<uv_stream_t*>(listener), 128,
                [](uv_stream_t* stream, int) { static_cast<FakeMember*>(stream->data)->accept(); }),
      0);
}

FakeMember::~FakeMember() = default;

void FakeMember::close_all() {
  connections_.clear();
}

std::string FakeMember::endpoint() const {
  sockaddr_in address{};
  int size = sizeof address;
  uv_tcp_getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

void FakeMember::send(const std::string& octets) {
  for (const auto& [handle, connection] : connections_) {
    uv_buf_t buffer =
        uv_buf_init(const_cast<char*>(octets.data()), static_cast<unsigned>(octets.size()));
    // What a test sends fits into the kernel's room.
    EXPECT_EQ(uv_try_write(reinterpret_cast<uv_stream_t*>(handle), &buffer, 1),
              static_cast<int>(octets.size()));
  }
}

void FakeMember::accept() {
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

void FakeMember::read(Connection& connection, const char* octets, ssize_t count) {
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
  const std::size_t expected =
      std::stoul(asked.head.substr(asked.head.find(length) + length.size()));
  if (asked.body.size() < expected) return;
  asked.path = asked.path.substr(5, asked.path.rfind(' ') - 5);  // of "POST PATH HTTP/1.1"
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
}

}  // namespace sluice::etcd
