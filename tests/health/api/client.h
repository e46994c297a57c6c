#pragma once

#include <cctype>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gtest/gtest.h"
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/base/address.h"

// A client that sends exactly the octets that it is told.
namespace sluice::health::testing {

struct Response {
  int status = 0;  // 0: the connection ended
  std::map<std::string, std::string> fields;
  std::string body;

  nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
};

class Client {
 public:
  explicit Client(const base::SocketAddress& address) {
    sockaddr_storage storage{};
    const socklen_t size = address.to(storage);
    descriptor_ = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(connect(descriptor_, reinterpret_cast<const sockaddr*>(&storage), size), 0);
  }
  explicit Client(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    descriptor_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connected_ =
        connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { close(descriptor_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }
  int descriptor() const { return descriptor_; }

  // What the server does not take any more is its answer to it.
  void send(std::string_view octets) {
    while (!octets.empty()) {
      const ssize_t sent = ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      octets.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void end_sending() { shutdown(descriptor_, SHUT_WR); }

  // The next response; 100 is one. `head_only`: to HEAD.
  Response receive(bool head_only = false) {
    Response response;
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill()) return response;
    }
    const std::string head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    parse(head, response);
    const auto length = response.fields.find("content-length");
    if (head_only || length == response.fields.end()) return response;
    const std::size_t size = std::stoul(length->second);
    while (buffer_.size() < size) {
      if (!fill()) break;
    }
    response.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return response;
  }

  // Content that comes in chunks, until it has `text`; less when it ends before (ended() says how).
  std::string receive_chunks(std::string_view text) {
    while (content_.find(text) == std::string::npos && receive_chunk()) {
    }
    const std::size_t found = content_.find(text);
    const std::size_t size = found == std::string::npos ? content_.size() : found + text.size();
    std::string received = content_.substr(0, size);
    content_.erase(0, size);
    return received;
  }
  // Octets as they come, until they have `text`; less when the connection ends before.
  std::string receive_octets(std::string_view text) {
    while (buffer_.find(text) == std::string::npos && fill()) {
    }
    return std::exchange(buffer_, {});
  }
  // Octets as they come; none: the connection ended.
  std::string receive_some() {
    if (buffer_.empty()) fill();
    return std::exchange(buffer_, {});
  }
  // After the last chunk.
  bool content_ended() const { return content_ended_; }

  // Whether the server closes without another octet.
  bool ends() { return buffer_.empty() && !fill(); }

  Response ask(std::string_view octets) {
    send(octets);
    return receive();
  }

 private:
  bool fill() {
    pollfd wait{descriptor_, POLLIN, 0};
    if (poll(&wait, 1, 20'000) != 1) {
      ADD_FAILURE() << "the server says nothing";
      return false;
    }
    char octets[65'536];
    const ssize_t size = recv(descriptor_, octets, sizeof octets, 0);
    if (size <= 0) return false;
    buffer_.append(octets, static_cast<std::size_t>(size));
    return true;
  }

  // Takes the next chunk into content_; false at the end of content or connection.
  bool receive_chunk() {
    std::size_t line = 0;
    while ((line = buffer_.find("\r\n")) == std::string::npos) {
      if (!fill()) return false;
    }
    const std::size_t size = std::stoul(buffer_.substr(0, line), nullptr, 16);
    while (buffer_.size() < line + 2 + size + 2) {
      if (!fill()) return false;
    }
    content_ += buffer_.substr(line + 2, size);
    buffer_.erase(0, line + 2 + size + 2);
    content_ended_ = size == 0;
    return !content_ended_;
  }

  static void parse(const std::string& head, Response& response) {
    EXPECT_TRUE(head.starts_with("HTTP/1.1 ")) << head;
    response.status = std::stoi(head.substr(9, 3));
    std::size_t at = head.find("\r\n") + 2;
    while (at < head.size()) {
      const std::size_t end = head.find("\r\n", at);
      const std::size_t colon = head.find(": ", at);
      std::string name = head.substr(at, colon - at);
      for (char& c : name) c = static_cast<char>(std::tolower(c));
      response.fields[name] = head.substr(colon + 2, end - colon - 2);
      at = end + 2;
    }
  }

  int descriptor_ = -1;
  bool connected_ = true;
  std::string buffer_;
  std::string content_;  // of chunks
  bool content_ended_ = false;
};

}  // namespace sluice::health::testing
