// Octets of a TCP client, in pieces of any size -> the answers to its whole messages, one for each
// that deserves one, in their order; whatever the client reads, and when. The first octet chooses
// the pieces, how much the kernel takes, and when the client reads.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include <sys/socket.h>

#include "config/base/file_descriptor.h"
#include "dns/answer/respond.h"
#include "dns/server/responder.h"
#include "dns/server/tcp_session.h"
#include "dns/wire/writer.h"
#include "tests/dns/answer/serving_fixture.h"

namespace {

using namespace sluice::dns;
using Octets = std::vector<std::uint8_t>;
using Wants = TcpSession::Wants;

void require(bool holds) {
  if (!holds) std::abort();
}

fixture::Serving& served() {
  static fixture::Serving serving(fixture::pool_config(20));
  return serving;
}

// The messages with their lengths before them that are whole.
std::vector<std::span<const std::uint8_t>> messages(std::span<const std::uint8_t> octets) {
  std::vector<std::span<const std::uint8_t>> whole;
  while (octets.size() >= kLengthOctets) {
    const std::size_t size = load_u16(octets.data());
    if (octets.size() - kLengthOctets < size) break;
    whole.push_back(octets.subspan(kLengthOctets, size));
    octets = octets.subspan(kLengthOctets + size);
  }
  return whole;
}

class Conversation {
 public:
  Conversation(std::uint8_t manner, std::span<const std::uint8_t> octets)
      : piece_(std::size_t{1} << (manner & 0x0F)),
        reads_late_((manner & 0x10) != 0),
        left_(octets) {
    int ends[2];
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    const int room = (manner & 0x20) != 0 ? 4'608 : 1 << 16;  // the least that Linux grants
    ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    session_ = std::make_unique<TcpSession>(sluice::base::FileDescriptor(ends[0]), sockaddr_in6{});
    client_ = sluice::base::FileDescriptor(ends[1]);
  }

  // What the client got, after all that it sent and its half of the connection closed.
  Octets run() {
    Wants wants = Wants::Queries;
    while (wants != Wants::End) {
      if (wants == Wants::Room) {
        read();
        wants = session_->on_writable(scratch(), responder());
        require(session_->progressed());  // there is room now
        continue;
      }
      send();
      wants = session_->on_readable(scratch(), responder());
      if (!reads_late_) read();
    }
    read();
    return std::move(received_);
  }

 private:
  static Responder& responder() {
    static Responder responder(served().publisher().cell(), {}, [] {});
    return responder;
  }
  static TcpScratch& scratch() {
    static const auto scratch = std::make_unique<TcpScratch>();
    return *scratch;
  }

  void send() {
    const std::size_t size = std::min(piece_, left_.size());
    if (size == 0) {
      ::shutdown(client_.get(), SHUT_WR);
      return;
    }
    const ssize_t sent = ::send(client_.get(), left_.data(), size, MSG_NOSIGNAL);
    if (sent > 0) left_ = left_.subspan(static_cast<std::size_t>(sent));
  }

  std::size_t read() {
    std::size_t total = 0;
    std::uint8_t octets[65'536];
    for (;;) {
      const ssize_t size = ::recv(client_.get(), octets, sizeof octets, 0);
      if (size <= 0) return total;
      received_.insert(received_.end(), octets, octets + size);
      total += static_cast<std::size_t>(size);
    }
  }

  std::size_t piece_;
  bool reads_late_;
  std::span<const std::uint8_t> left_;
  std::unique_ptr<TcpSession> session_;
  sluice::base::FileDescriptor client_;
  Octets received_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::span<const std::uint8_t> sent(data + 1, size - 1);
  const Octets received = Conversation(data[0], sent).run();
  const auto answers = messages(received);
  std::size_t answered_octets = 0;
  auto next = answers.begin();
  for (const auto query : messages(sent)) {
    // A message that is no query, or a response, gets silence; all others an answer of their own.
    if (query.size() < kHeaderOctets || (query[2] & 0x80) != 0) continue;
    require(next != answers.end());
    require(next->size() >= kHeaderOctets && load_u16(next->data()) == load_u16(query.data()));
    answered_octets += kLengthOctets + next->size();
    ++next;
  }
  require(next == answers.end());
  require(answered_octets == received.size());
  return 0;
}
