#include "dns/server/tcp_session.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <optional>

#include <sys/socket.h>

namespace sluice::dns {
namespace {

// The turn of one client: at most some 860 queries (the shortest takes 19 octets), a quarter of a
// millisecond, before UDP and the other clients have theirs.
constexpr std::size_t kReadOctets = 16 << 10;

std::size_t read_length(std::span<const std::uint8_t> octets) {
  return static_cast<std::size_t>(octets[0] << 8 | octets[1]);
}

// Answers the whole messages at the start of `octets`, until the room for answers is used up.
// Returns the octets that are done with; what goes out is in scratch.rendered.
std::size_t render(std::span<const std::uint8_t> octets, const sockaddr_in6& client,
                   TcpScratch& scratch, Responder& responder) {
  scratch.rendered.clear();
  std::size_t done = 0;
  std::size_t used = 0;
  while (octets.size() - done >= kLengthOctets &&
         scratch.answers.size() - used >= kMaxFrameOctets) {
    const std::size_t length = read_length(octets.subspan(done));
    if (octets.size() - done - kLengthOctets < length) break;
    const auto frame = std::span(scratch.answers).subspan(used, kMaxFrameOctets);
    const Answered answered = responder.answer(
        Transport::Tcp, reinterpret_cast<const sockaddr*>(&client),
        octets.subspan(done + kLengthOctets, length), frame.subspan(kLengthOctets));
    done += kLengthOctets + length;
    if (answered.size == 0) continue;
    frame[0] = static_cast<std::uint8_t>(answered.size >> 8);
    frame[1] = static_cast<std::uint8_t>(answered.size);
    used += kLengthOctets + answered.size;
    scratch.rendered.push_back({done, used, answered.rcode, answered.answer_set});
  }
  return done;
}

// Octets that the kernel took, 0 when it has no room; none when the client is gone.
std::optional<std::size_t> send_some(int fd, std::span<const std::uint8_t> octets) {
  const ssize_t sent = ::send(fd, octets.data(), octets.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENOBUFS) return 0;
  return std::nullopt;
}

}  // namespace

bool SuspendedSession::is_sound() const noexcept {
  return fd.is_open() && waiting.size() <= kMaxFrameOctets && rest.size() <= kMaxFrameOctets &&
         message_octets <= kMaxMessageOctets && rest.size() <= message_octets + kLengthOctets;
}

TcpSession::TcpSession(SuspendedSession session) noexcept
    : fd_(std::move(session.fd)),
      client_(session.client),
      waiting_(std::move(session.waiting)),
      rest_{std::move(session.rest), session.message_octets, 0} {}

SuspendedSession TcpSession::suspend() noexcept {
  return {std::move(fd_), client_, std::move(waiting_), std::move(rest_.octets),
          rest_.message_octets};
}

TcpSession::Wants TcpSession::on_readable(TcpScratch& scratch, Responder& responder) {
  assert(waiting_.size() < kMaxFrameOctets);  // less than one message, or it had been answered
  progressed_ = false;
  std::ranges::copy(waiting_, scratch.queries.begin());
  const std::size_t room = std::min(kReadOctets, scratch.queries.size() - waiting_.size());
  const ssize_t received =
      ::recv(fd_.get(), scratch.queries.data() + waiting_.size(), room, MSG_DONTWAIT);
  if (received < 0) {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? Wants::Queries : Wants::End;
  }
  // The client sends no more, and has its answers: they went before we read on.
  if (received == 0) return Wants::End;
  const std::size_t size = waiting_.size() + static_cast<std::size_t>(received);
  return answer(std::span(scratch.queries).first(size), scratch, responder);
}

TcpSession::Wants TcpSession::on_writable(TcpScratch& scratch, Responder& responder) {
  progressed_ = false;
  if (!rest_.octets.empty()) {
    responder.refresh();
    // The length is out, so another answer can't take its place, and this one is too old.
    if (rest_.is_whole_message() && rest_.publication != responder.publication()) {
      return Wants::End;
    }
    const auto sent = send_some(fd_.get(), rest_.octets);
    if (!sent) return Wants::End;
    progressed_ = *sent > 0;
    rest_.octets.erase(rest_.octets.begin(),
                       rest_.octets.begin() + static_cast<std::ptrdiff_t>(*sent));
    if (!rest_.octets.empty()) return Wants::Room;
    rest_ = {};
  }
  std::ranges::copy(waiting_, scratch.queries.begin());
  return answer(std::span(scratch.queries).first(waiting_.size()), scratch, responder);
}

TcpSession::Wants TcpSession::answer(std::span<const std::uint8_t> octets, TcpScratch& scratch,
                                     Responder& responder) {
  responder.refresh();
  Wants wants = Wants::Queries;
  std::size_t done = 0;
  for (;;) {
    const std::size_t rendered = render(octets.subspan(done), client_, scratch, responder);
    const std::size_t size = scratch.rendered.empty() ? 0 : scratch.rendered.back().answer_end;
    std::size_t sent = 0;
    if (size > 0) {
      const auto taken = send_some(fd_.get(), std::span(scratch.answers).first(size));
      if (!taken) return Wants::End;
      sent = *taken;
    }
    const std::size_t answered = take_account(sent, scratch, responder);
    progressed_ = progressed_ || sent > 0;
    if (sent < size) {
      done += answered;
      wants = Wants::Room;
      break;
    }
    done += rendered;  // with the messages behind the last answered one that get silence
    if (size == 0) break;
  }
  progressed_ = progressed_ || done > 0;
  // Exactly what waits, so that many clients with a little each cost little.
  waiting_ =
      std::vector<std::uint8_t>(octets.begin() + static_cast<std::ptrdiff_t>(done), octets.end());
  return wants;
}

// Counts the answers that the kernel took, keeps the rest of one taken in part, and returns where
// the queries end that are done with.
std::size_t TcpSession::take_account(std::size_t sent, const TcpScratch& scratch,
                                     Responder& responder) {
  std::size_t query_end = 0;
  std::size_t begin = 0;
  for (const TcpScratch::Rendered& rendered : scratch.rendered) {
    if (sent <= begin) break;
    responder.count(Transport::Tcp, rendered.rcode, rendered.answer_set);
    query_end = rendered.query_end;
    if (sent < rendered.answer_end) {
      const auto answers = std::span(scratch.answers);
      const auto rest = answers.subspan(sent, rendered.answer_end - sent);
      rest_ = {{rest.begin(), rest.end()},
               rendered.answer_end - begin - kLengthOctets,
               responder.publication()};
    }
    begin = rendered.answer_end;
  }
  return query_end;
}

}  // namespace sluice::dns
