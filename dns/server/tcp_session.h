#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <netinet/in.h>

#include "config/base/file_descriptor.h"
#include "dns/server/responder.h"
#include "dns/server/suspended_session.h"

namespace sluice::dns {

// A message over TCP has its length in two octets before it (RFC 1035 section 4.2.2).
inline constexpr std::size_t kLengthOctets = 2;
inline constexpr std::size_t kMaxFrameOctets = kLengthOctets + kMaxMessageOctets;

// What all sessions of a worker share; nothing in it outlives one call of a session.
struct TcpScratch {
  // An answer that was rendered, and where it ends and where its query ends.
  struct Rendered {
    std::size_t query_end;
    std::size_t answer_end;
    Rcode rcode;
    health::AnswerSetId answer_set;
  };

  std::array<std::uint8_t, kMaxFrameOctets> queries;
  // Answers of one read go out by one call; four of the largest fit, or a thousand ordinary ones.
  std::array<std::uint8_t, 4 * kMaxFrameOctets> answers;
  std::vector<Rendered> rendered;
};

// One TCP client (RFC 7766): messages with their length before them, as many at once as it likes,
// answered in their order. The caller polls fd() for what the session wants and calls it back.
//
// No client can delay an acknowledgement by not reading (semantics.md section 5), because no
// rendered answer outlives a call: of an answer that the kernel took in part, the rest is kept; of
// those that it did not take, the *queries* are, to be answered anew when there is room. While
// answers wait, nothing more is read.
//
// Between two calls a session holds what waits, which is nothing for an idle client, and never
// more than one message of the largest size in each direction.
class TcpSession {
 public:
  enum class Wants : std::uint8_t {
    Queries,  // call on_readable() when there are octets to read
    Room,     // call on_writable() when the kernel takes octets again
    End,      // the client is done, or gone: destroy the session
  };

  // `client`: its address, sockaddr_in or sockaddr_in6.
  TcpSession(base::FileDescriptor fd, const sockaddr_in6& client) noexcept
      : fd_(std::move(fd)), client_(client) {}

  // One that was suspended, and is sound. Call on_writable() first: something may wait to go out.
  explicit TcpSession(SuspendedSession session) noexcept;
  // Without the worker. The session is empty afterwards: destroy it.
  SuspendedSession suspend() noexcept;

  int fd() const noexcept { return fd_.get(); }

  Wants on_readable(TcpScratch& scratch, Responder& responder);
  Wants on_writable(TcpScratch& scratch, Responder& responder);

  // Of the last call: whether it finished a query or sent an octet. A client that makes progress
  // is not timed out.
  bool progressed() const noexcept { return progressed_; }
  // Part of a message was received, its rest was not.
  bool within_message() const noexcept { return !waiting_.empty(); }

 private:
  // The rest of an answer that the kernel took in part, length included.
  struct Rest {
    std::vector<std::uint8_t> octets;
    std::size_t message_octets = 0;  // of the whole answer, without the length
    std::uint64_t publication = 0;   // by which it was rendered; 0: one that is gone

    // The kernel has octets of the length alone, none of the message.
    bool is_whole_message() const noexcept { return octets.size() >= message_octets; }
  };

  Wants answer(std::span<const std::uint8_t> octets, TcpScratch& scratch, Responder& responder);
  std::size_t take_account(std::size_t sent, const TcpScratch& scratch, Responder& responder);

  base::FileDescriptor fd_;
  sockaddr_in6 client_;
  std::vector<std::uint8_t> waiting_;  // queries not answered yet, the last perhaps not whole
  Rest rest_;
  bool progressed_ = false;
};

}  // namespace sluice::dns
