#include "tools/bench/load/tcp_asker.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/socket.h>

#include "dns/wire/writer.h"

namespace sluice::bench {
namespace {

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

base::FileDescriptor connect_to(const base::SocketAddress& server) {
  const int family = server.address.is_v4() ? AF_INET : AF_INET6;
  base::FileDescriptor fd(::socket(family, SOCK_STREAM, 0));
  sockaddr_storage address{};
  const socklen_t length = server.to(address);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) {
    fail("connect");
  }
  ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  return fd;
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

TcpAsker::TcpAsker(const base::SocketAddress& server, std::span<const Question> questions,
                   Tally& tally)
    : fd_(connect_to(server)), exchange_(questions, tally) {}

void TcpAsker::ask(unsigned count) {
  if (!rest_.empty()) return write_rest();
  const std::uint64_t time = now_ns();
  for (unsigned i = 0; i < count; ++i) {
    const std::uint16_t id = exchange_.next_id();
    const Question& question = exchange_.question(id);
    const std::size_t begin = rest_.size();
    rest_.resize(begin + 2 + question.octets.size());
    dns::store_u16(rest_.data() + begin, static_cast<std::uint16_t>(question.octets.size()));
    std::memcpy(rest_.data() + begin + 2, question.octets.data(), question.octets.size());
    dns::store_u16(rest_.data() + begin + 2, id);
    exchange_.ask(time);
  }
  write_rest();
}

void TcpAsker::write_rest() {
  const ssize_t sent = ::send(fd_.get(), rest_.data(), rest_.size(), MSG_NOSIGNAL);
  if (sent < 0 && !would_block()) fail("send");
  if (sent > 0) rest_.erase(rest_.begin(), rest_.begin() + sent);
}

unsigned TcpAsker::take_answers() {
  if (!rest_.empty()) write_rest();
  const ssize_t received = ::recv(fd_.get(), answers_.data() + waiting_, kReadOctets, 0);
  if (received == 0) {
    std::fputs("the server closed the connection\n", stderr);
    std::exit(1);
  }
  if (received < 0) {
    if (!would_block()) fail("recv");
    return 0;
  }
  const std::uint64_t time = now_ns();
  const std::size_t end = waiting_ + static_cast<std::size_t>(received);
  std::size_t at = 0;
  unsigned count = 0;
  while (end - at >= 2) {
    const std::size_t size = dns::load_u16(answers_.data() + at);
    if (end - at - 2 < size) break;
    exchange_.take({answers_.data() + at + 2, size}, time);
    at += 2 + size;
    ++count;
  }
  waiting_ = end - at;
  std::memmove(answers_.data(), answers_.data() + at, waiting_);
  return count;
}

}  // namespace sluice::bench
