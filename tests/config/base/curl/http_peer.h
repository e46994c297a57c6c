#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <uv.h>

#include "config/base/uv_handle.h"

namespace sluice::base {

// What it was asked.
struct Asked {
  std::string path;
  std::string head;  // in small letters
  std::string body;

  bool has(const std::string& header) const { return head.find(header) != std::string::npos; }
};

// An answer as it goes out, with its head.
inline std::string answer(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
// The head of a stream whose body the end of the connection ends.
inline const std::string kStream = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";

// Answers HTTP requests on the test's loop, on a port of loopback that the kernel picks.
class HttpPeer {
 public:
  // What it sends back; nothing: it closes the connection without a word. Empty: it says nothing.
  using Answer = std::function<std::optional<std::string>(const Asked&)>;

  HttpPeer(uv_loop_t* loop, Answer answer);
  ~HttpPeer();
  HttpPeer(const HttpPeer&) = delete;
  HttpPeer& operator=(const HttpPeer&) = delete;

  std::string endpoint() const;
  const std::vector<Asked>& asked() const { return asked_; }
  // From now on what it answers is followed by a reset (RFC 9293 section 3.5.2).
  void reset_when_answered() { reset_ = true; }
  // On all connections that are open.
  void send(const std::string& octets);
  void close_all();

 private:
  struct Connection;

  void accept();
  void read(Connection& connection, const char* octets, ssize_t count);

  void reset(Connection& connection);

  Answer answer_;
  bool reset_ = false;
  std::vector<Asked> asked_;
  std::map<uv_tcp_t*, std::unique_ptr<Connection>> connections_;
  UvHandle<uv_tcp_t> listener_;
};

}  // namespace sluice::base
