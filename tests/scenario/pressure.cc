// Presses on a responder harder than Python can (saturation_test.py):
//
//   pressure udp PORT NAME SECONDS        as many queries as it answers
//   pressure tcp PORT NAME SECONDS        the same over connections that pipeline
//   pressure names PORT NAME COUNT SEED   queries for COUNT random names below NAME
//   pressure mutants PORT NAME COUNT SEED queries of all kinds with octets changed, cut, inserted
//   pressure resets PORT COUNT SEED       TCP connections that are reset, some in mid-request
//
// On 127.0.0.1. Prints one line of JSON: what was sent, what came back, and what was wrong with it.

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

#include "tests/scenario/flood.h"

namespace {

using namespace sluice::flood;

using Clock = std::chrono::steady_clock;
using Octets = std::vector<std::uint8_t>;
using Random = std::mt19937_64;

constexpr std::size_t kHeader = 12;
constexpr std::uint16_t kNxDomain = 3;
constexpr std::array<std::uint16_t, 8> kTypes{1, 2, 6, 16, 28, 33, 255, 65};

void append16(Octets& octets, std::uint16_t number) {
  octets.push_back(static_cast<std::uint8_t>(number >> 8));
  octets.push_back(static_cast<std::uint8_t>(number & 0xFF));
}

Octets query(std::uint16_t id, std::string_view name, std::uint16_t type, bool edns = false) {
  Octets message;
  append16(message, id);
  for (const int field : {0x0100, 1, 0, 0, edns ? 1 : 0}) {
    append16(message, static_cast<std::uint16_t>(field));
  }
  const std::string asked = question(name, type);
  message.insert(message.end(), asked.begin(), asked.end());
  if (!edns) return message;
  // OPT with 1232 octets and an empty COOKIE of a client.
  message.push_back(0);
  for (const int field : {41, 1232, 0, 0, 12, 10, 8, 1, 2, 3, 4}) {
    append16(message, static_cast<std::uint16_t>(field));
  }
  return message;
}

// What does not come within this time was dropped, or does not come.
int connect_patiently(std::uint16_t port, int type, timeval patience = {0, 200'000}) {
  const int fd = connect_to(port, type);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

struct Tally {
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;
  std::uint64_t wrong = 0;

  void print() const {
    std::printf("{\"sent\": %llu, \"answered\": %llu, \"wrong\": %llu}\n",
                static_cast<unsigned long long>(sent), static_cast<unsigned long long>(answered),
                static_cast<unsigned long long>(wrong));
  }
};

// Whether it is an answer at all, with that RCODE and, unless it is NXDOMAIN, with records.
bool is_right(const std::uint8_t* message, std::size_t size, std::uint16_t rcode) {
  if (size < kHeader || (message[2] & 0x80) == 0 || (message[3] & 0x0F) != rcode) return false;
  return rcode == kNxDomain || message[6] != 0 || message[7] != 0;
}

// Queries in batches, each as large as what one worker takes at once; a batch that is answered in
// part is not waited for longer than the socket's patience.
class UdpBatches {
 public:
  UdpBatches(std::uint16_t port, std::uint16_t rcode) : rcode_(rcode) {
    for (int& fd : sockets_) fd = connect_patiently(port, SOCK_DGRAM);  // two flows a worker or so
    for (std::size_t i = 0; i < kBatch; ++i) {
      in_[i] = {rooms_[i].data(), rooms_[i].size()};
      received_[i].msg_hdr.msg_iov = &in_[i];
      received_[i].msg_hdr.msg_iovlen = 1;
      sent_[i].msg_hdr.msg_iov = &out_[i];
      sent_[i].msg_hdr.msg_iovlen = 1;
    }
  }
  ~UdpBatches() {
    for (const int fd : sockets_) ::close(fd);
  }
  UdpBatches(const UdpBatches&) = delete;
  UdpBatches& operator=(const UdpBatches&) = delete;

  static constexpr std::size_t kBatch = 32;

  void ask(std::vector<Octets>& queries, Tally& tally) {
    for (std::size_t i = 0; i < queries.size(); ++i)
      out_[i] = {queries[i].data(), queries[i].size()};
    const int fd = sockets_[turn_++ % sockets_.size()];
    const int sent = ::sendmmsg(fd, sent_.data(), static_cast<unsigned>(queries.size()), 0);
    if (sent < 0) return;
    tally.sent += static_cast<std::uint64_t>(sent);
    for (int left = sent; left > 0;) {
      const int got =
          ::recvmmsg(fd, received_.data(), static_cast<unsigned>(left), MSG_WAITFORONE, nullptr);
      if (got <= 0) return;
      for (int i = 0; i < got; ++i) {
        const auto at = static_cast<std::size_t>(i);
        ++tally.answered;
        if (!is_right(rooms_[at].data(), received_[at].msg_len, rcode_)) ++tally.wrong;
      }
      left -= got;
    }
  }

 private:
  const std::uint16_t rcode_;
  std::array<int, 8> sockets_{};
  std::size_t turn_ = 0;
  std::array<std::array<std::uint8_t, 4'096>, kBatch> rooms_{};
  std::array<iovec, kBatch> in_{}, out_{};
  std::array<mmsghdr, kBatch> sent_{}, received_{};
};

void flood_udp(std::uint16_t port, std::string_view name, double seconds) {
  UdpBatches batches(port, 0);
  std::vector<Octets> queries;
  for (std::uint16_t id = 0; id < UdpBatches::kBatch; ++id) queries.push_back(query(id, name, 1));
  Tally tally;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) batches.ask(queries, tally);
  tally.print();
}

bool receive_all(int fd, std::uint8_t* room, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::recv(fd, room, size, 0);
    if (got <= 0) return false;
    room += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

// REQUIRES: room for any message.
void receive_answer(int fd, Octets& room, Tally& tally) {
  std::array<std::uint8_t, 2> length{};
  if (!receive_all(fd, length.data(), length.size())) die("the connection ended");
  const auto size = static_cast<std::size_t>(length[0] << 8 | length[1]);
  if (!receive_all(fd, room.data(), size)) die("the connection ended");
  ++tally.answered;
  if (!is_right(room.data(), size, 0)) ++tally.wrong;
}

void flood_tcp(std::uint16_t port, std::string_view name, double seconds) {
  constexpr int kPipelined = 50;
  const Octets one = query(7, name, 1, true);
  Octets burst;
  for (int i = 0; i < kPipelined; ++i) {
    append16(burst, static_cast<std::uint16_t>(one.size()));
    burst.insert(burst.end(), one.begin(), one.end());
  }
  std::array<int, 8> connections{};
  for (int& fd : connections) fd = connect_patiently(port, SOCK_STREAM, {10, 0});
  Octets room(65'536);
  Tally tally;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) {
    for (const int fd : connections) {
      if (::send(fd, burst.data(), burst.size(), MSG_NOSIGNAL) < 0) die("send");
      tally.sent += kPipelined;
    }
    for (const int fd : connections) {
      for (int i = 0; i < kPipelined; ++i) receive_answer(fd, room, tally);
    }
  }
  for (const int fd : connections) ::close(fd);
  tally.print();
}

std::string random_label(Random& random) {
  static constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string label(1 + random() % 63, 'x');
  for (char& letter : label) letter = kLetters[random() % kLetters.size()];
  return label;
}

void torture(std::uint16_t port, std::string_view name, std::uint64_t count, std::uint64_t seed) {
  Random random(seed);
  UdpBatches batches(port, kNxDomain);
  Tally tally;
  std::vector<Octets> queries;
  while (tally.sent < count) {
    queries.clear();
    for (std::size_t i = 0; i < UdpBatches::kBatch; ++i) {
      // "zz-": none of the names that are there.
      queries.push_back(query(static_cast<std::uint16_t>(random()),
                              "zz-" + random_label(random).substr(0, 60) + "." + std::string(name),
                              kTypes[random() % kTypes.size()], random() % 2 == 0));
    }
    batches.ask(queries, tally);
  }
  tally.print();
}

Octets mutated(Octets message, Random& random) {
  for (std::uint64_t changes = 1 + random() % 4; changes > 0; --changes) {
    const std::size_t at = message.empty() ? 0 : random() % message.size();
    const auto octet = static_cast<std::uint8_t>(random());
    switch (random() % 6) {
      case 0:
        if (!message.empty()) message[at] = octet;
        break;
      case 1:
        if (!message.empty()) message[at] ^= static_cast<std::uint8_t>(1U << (octet % 8));
        break;
      case 2:
        message.resize(at);
        break;
      case 3:
        message.insert(message.begin() + static_cast<std::ptrdiff_t>(at), 1 + octet % 16, octet);
        break;
      case 4:  // a pointer, a length or a count that leads astray
        if (message.size() > at + 1) {
          message[at] = static_cast<std::uint8_t>(0xC0 | (octet & 0x3F));
          message[at + 1] = static_cast<std::uint8_t>(random());
        }
        break;
      default:
        message.insert(message.end(), message.begin(),
                       message.begin() + static_cast<std::ptrdiff_t>(at));
        break;
    }
  }
  if (message.size() > 4'096) message.resize(4'096);
  return message;
}

// Whatever comes back is somebody else's to judge (the fuzzers); here it must go on answering.
void mutate(std::uint16_t port, std::string_view name, std::uint64_t count, std::uint64_t seed) {
  constexpr std::uint64_t kBetween = 50;  // what fits in any receive buffer
  Random random(seed);
  const int fd = connect_patiently(port, SOCK_DGRAM);
  Octets room(65'536);
  Tally tally;
  int tcp = -1;
  for (std::uint64_t i = 0; i < count; ++i) {
    const bool below = random() % 2 == 0;
    const std::string asked =
        below ? random_label(random).substr(0, 30) + "." + std::string(name) : std::string(name);
    const Octets message = mutated(query(static_cast<std::uint16_t>(random()), asked,
                                         kTypes[random() % kTypes.size()], random() % 2 == 0),
                                   random);
    ::send(fd, message.data(), message.size(), 0);
    // One of eight over TCP, on a connection for as long as it is let live.
    if (random() % 8 == 0) {
      if (tcp < 0) tcp = try_connect(port, SOCK_STREAM);
      Octets framed;
      append16(framed, static_cast<std::uint16_t>(message.size() + random() % 2));
      framed.insert(framed.end(), message.begin(), message.end());
      if (tcp >= 0 &&
          (::send(tcp, framed.data(), framed.size(), MSG_NOSIGNAL) < 0 || random() % 4 == 0)) {
        ::close(tcp);
        tcp = -1;
      }
    }
    ++tally.sent;
    if (i % kBetween != 0) continue;
    const Octets right = query(0xBEEF, name, 1);
    ::send(fd, right.data(), right.size(), 0);
    for (int tries = 0; tries < 10'000; ++tries) {
      const ssize_t size = ::recv(fd, room.data(), room.size(), 0);
      if (size < 0) {
        ++tally.wrong;
        break;
      }
      // Mutants may have any id; ours comes with its answer and after theirs.
      if (size >= 2 && room[0] == 0xBE && room[1] == 0xEF &&
          is_right(room.data(), static_cast<std::size_t>(size), 0)) {
        ++tally.answered;
        break;
      }
    }
  }
  if (tcp >= 0) ::close(tcp);
  ::close(fd);
  tally.print();
}

void reset(std::uint16_t port, std::uint64_t count, std::uint64_t seed) {
  const std::string http =
      "PUT /v1/servers/a/heartbeat HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n";
  const Octets dns = query(1, "pool", 1);
  Random random(seed);
  Tally tally;
  for (std::uint64_t i = 0; i < count; ++i) {
    const int fd = try_connect(port, SOCK_STREAM);
    if (fd < 0) {
      ++tally.wrong;
      continue;
    }
    ++tally.sent;
    switch (random() % 4) {
      case 0:
        break;
      case 1:
        ::send(fd, http.data(), random() % http.size(), MSG_NOSIGNAL);
        break;
      case 2: {
        Octets framed;
        append16(framed, static_cast<std::uint16_t>(dns.size()));
        framed.insert(framed.end(), dns.begin(), dns.end());
        ::send(fd, framed.data(), framed.size() - random() % 4, MSG_NOSIGNAL);
        break;
      }
      default: {
        std::array<char, 64> noise{};
        for (char& c : noise) c = static_cast<char>(random());
        ::send(fd, noise.data(), noise.size(), MSG_NOSIGNAL);
        break;
      }
    }
    const linger now{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(fd);
  }
  tally.print();
}

int usage() {
  std::fputs("usage: see the head of pressure.cc\n", stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return usage();
  const std::string_view mode = argv[1];
  const auto port = static_cast<std::uint16_t>(std::strtoul(argv[2], nullptr, 10));
  const auto number = [&](int at) { return std::strtoull(argv[at], nullptr, 10); };
  if (mode == "resets") {
    reset(port, number(3), number(4));
  } else if (mode == "udp") {
    flood_udp(port, argv[3], std::strtod(argv[4], nullptr));
  } else if (mode == "tcp") {
    flood_tcp(port, argv[3], std::strtod(argv[4], nullptr));
  } else if (mode == "names" && argc == 6) {
    torture(port, argv[3], number(4), number(5));
  } else if (mode == "mutants" && argc == 6) {
    mutate(port, argv[3], number(4), number(5));
  } else {
    return usage();
  }
  return 0;
}
