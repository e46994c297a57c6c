#include "tools/sluicectl/lookup/lookups.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <list>
#include <random>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

#include "config/base/file_descriptor.h"

namespace sluice::ctl {
namespace {

constexpr std::size_t kLargestMessage = 65'535;
constexpr std::size_t kLengthOctets = 2;  // before a message over TCP (RFC 1035 section 4.2.2)

std::uint16_t random_id() {
  // The kernel's, as random as its source ports: what an off-path forger would have to guess.
  static std::random_device device;
  return static_cast<std::uint16_t>(device());
}

// One lookup under way.
class Running {
 public:
  Running(const Lookup& lookup, Reply& reply, const LookupLimits& limits, base::MonoTime now)
      : lookup_(lookup), reply_(reply), limits_(limits), started_(now) {
    auto query = encode_query(lookup.question, id_);
    if (!query) {
      end(Reply::Kind::NotAsked, query.error());
      return;
    }
    query_ = *std::move(query);
    if (is_tcp()) {
      const auto size = query_.size();
      query_.insert(query_.begin(),
                    {static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size & 0xFF)});
    }
    open(now);
  }

  bool done() const { return done_; }
  base::MonoTime deadline() const { return deadline_; }
  pollfd wanted() const {
    const bool writes = is_tcp() && sent_ < query_.size();
    return {
        .fd = socket_.get(), .events = static_cast<short>(writes ? POLLOUT : POLLIN), .revents = 0};
  }

  void on_ready(base::MonoTime now) {
    if (is_tcp()) {
      on_tcp(now);
    } else {
      on_udp(now);
    }
  }

  void on_time(base::MonoTime now) {
    if (done_ || now < deadline_) return;
    if (is_tcp() || ++tries_ >= limits_.tries) {
      const auto waited = std::chrono::duration_cast<std::chrono::seconds>(now - started_);
      return end(Reply::Kind::NoAnswer,
                 "no answer within " + std::to_string(waited.count()) + " s");
    }
    open(now);  // another port: what lost the first may be a path
  }

 private:
  bool is_tcp() const { return lookup_.transport == Transport::Tcp; }

  void open(base::MonoTime now) {
    deadline_ = now + (is_tcp() ? limits_.tcp_limit : limits_.try_limit);
    sockaddr_storage address{};
    const socklen_t size = lookup_.server.to(address);
    const int kind = is_tcp() ? SOCK_STREAM : SOCK_DGRAM;
    socket_ =
        base::FileDescriptor(socket(address.ss_family, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket_.is_open()) return fail(errno);
    const int connected = connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size);
    if (connected != 0 && errno != EINPROGRESS) return fail(errno);
    if (is_tcp()) return;
    if (send(socket_.get(), query_.data(), query_.size(), 0) < 0) fail(errno);
  }

  void on_udp(base::MonoTime now) {
    std::vector<std::uint8_t> octets(kLargestMessage);
    const ssize_t size = recv(socket_.get(), octets.data(), octets.size(), 0);
    if (size < 0) {
      if (errno != EAGAIN && errno != EINTR) fail(errno);
      return;
    }
    octets.resize(static_cast<std::size_t>(size));
    // What answers another question is not for us: the right one may still come.
    if (answers(octets, lookup_.question, id_)) take(octets, now);
  }

  void on_tcp(base::MonoTime now) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) return fail(error);
    if (sent_ < query_.size()) {
      const ssize_t sent =
          send(socket_.get(), query_.data() + sent_, query_.size() - sent_, MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return fail(errno);
      if (sent > 0) sent_ += static_cast<std::size_t>(sent);
      return;
    }
    receive(now);
  }

  void receive(base::MonoTime now) {
    std::array<std::uint8_t, 4096> piece{};
    const ssize_t size = recv(socket_.get(), piece.data(), piece.size(), 0);
    if (size < 0) {
      if (errno != EAGAIN && errno != EINTR) fail(errno);
      return;
    }
    if (size == 0) {
      return end(Reply::Kind::NoAnswer, came_.empty()
                                            ? "it closed the connection without an answer"
                                            : "it closed the connection within an answer");
    }
    came_.insert(came_.end(), piece.begin(), piece.begin() + size);
    if (came_.size() < kLengthOctets) return;
    const std::size_t wanted = kLengthOctets + (static_cast<std::size_t>(came_[0]) << 8 | came_[1]);
    if (came_.size() < wanted) return;
    const std::span<const std::uint8_t> message(came_.data() + kLengthOctets,
                                                wanted - kLengthOctets);
    if (!answers(message, lookup_.question, id_)) {
      return end(Reply::Kind::Malformed, "it answers another question than was asked");
    }
    take(message, now);
  }

  void take(std::span<const std::uint8_t> octets, base::MonoTime now) {
    auto message = decode_message(octets);
    if (!message) return end(Reply::Kind::Malformed, "no DNS message: " + message.error());
    reply_.message = *std::move(message);
    reply_.took = std::chrono::duration_cast<base::Duration>(now - started_);
    end(Reply::Kind::Answered, {});
  }

  void fail(int error) {
    end(error == EMFILE || error == ENFILE ? Reply::Kind::NotAsked : Reply::Kind::Unreachable,
        std::strerror(error));
  }

  void end(Reply::Kind kind, std::string text) {
    reply_.kind = kind;
    reply_.text = std::move(text);
    socket_ = base::FileDescriptor();
    done_ = true;
  }

  const Lookup& lookup_;
  Reply& reply_;
  const LookupLimits& limits_;
  const base::MonoTime started_;
  const std::uint16_t id_ = random_id();
  std::vector<std::uint8_t> query_;
  std::vector<std::uint8_t> came_;  // over TCP, so far
  std::size_t sent_ = 0;
  unsigned tries_ = 0;
  base::MonoTime deadline_;
  base::FileDescriptor socket_;
  bool done_ = false;
};

class Crowd {
 public:
  Crowd(std::span<const Lookup> lookups, const base::Clock& clock, const LookupLimits& limits)
      : lookups_(lookups), clock_(clock), limits_(limits), replies_(lookups.size()) {}

  std::vector<Reply> run() {
    while (next_ < lookups_.size() || !running_.empty()) {
      start_some();
      wait();
    }
    return std::move(replies_);
  }

 private:
  void start_some() {
    for (; next_ < lookups_.size() && running_.size() < limits_.at_once; ++next_) {
      running_.emplace_back(lookups_[next_], replies_[next_], limits_, clock_.now().mono);
    }
    running_.remove_if([](const Running& each) { return each.done(); });
  }

  void wait() {
    std::vector<pollfd> watched;
    base::MonoTime first = base::MonoTime::max();
    for (const Running& each : running_) {
      watched.push_back(each.wanted());
      first = std::min(first, each.deadline());
    }
    if (watched.empty()) return;
    const auto left = std::chrono::ceil<base::Duration>(first - clock_.now().mono);
    poll(watched.data(), watched.size(),
         static_cast<int>(std::max(left, base::Duration{0}).count()));
    const base::MonoTime now = clock_.now().mono;
    auto at = watched.begin();
    for (Running& each : running_) {
      if ((at++)->revents != 0) each.on_ready(now);
      each.on_time(now);
    }
    running_.remove_if([](const Running& each) { return each.done(); });
  }

  std::span<const Lookup> lookups_;
  const base::Clock& clock_;
  const LookupLimits& limits_;
  std::vector<Reply> replies_;
  std::list<Running> running_;
  std::size_t next_ = 0;
};

}  // namespace

const char* to_string(Transport transport) noexcept {
  return transport == Transport::Udp ? "udp" : "tcp";
}

std::vector<Reply> look_up(std::span<const Lookup> lookups, const base::Clock& clock,
                           const LookupLimits& limits) {
  return Crowd(lookups, clock, limits).run();
}

}  // namespace sluice::ctl
