#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "config/base/tls_stream.h"

namespace sluice::health {

// A connection's TLS, and what waits to be sent by it. That waits as plain text: a response of
// megabytes is encrypted as the client takes it. On the loop's thread.
class TlsChannel {
 public:
  explicit TlsChannel(std::shared_ptr<const base::TlsContext> context)
      : stream_(std::move(context)) {}

  base::TlsStream& stream() noexcept { return stream_; }
  const base::TlsStream& stream() const noexcept { return stream_; }

  // Puts it behind what waits.
  void put(std::string plain) {
    if (waiting_.empty()) {
      waiting_ = std::move(plain);
    } else {
      waiting_ += plain;
    }
  }
  bool waits() const noexcept { return !waiting_.empty(); }
  // Octets of memory that wait.
  std::size_t held() const noexcept { return waiting_.size(); }
  // The next octets to be sent. REQUIRES: something waits.
  std::string next() {
    // As much as is lost on nobody when the connection ends, and four records.
    constexpr std::size_t kPortion = 64 * 1024;
    const std::string_view portion = std::string_view(waiting_).substr(begin_, kPortion);
    std::string out;
    stream_.send(portion, out);
    begin_ += portion.size();
    if (begin_ == waiting_.size()) {
      waiting_ = std::string();
      begin_ = 0;
    }
    return out;
  }

 private:
  base::TlsStream stream_;
  std::string waiting_;
  std::size_t begin_ = 0;  // what is before it was sent
};

}  // namespace sluice::health
