// What the kernel alone costs: one recvfrom and one sendto for each query, on one thread, with the
// octets of a real answer (its ID set), so that `udp_load` and its checks can't tell the
// difference.
//   bench_echo ADDRESS@PORT ANSWER_FILE     (the file: bench_udp_load --save-answer)
#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <vector>

#include <sys/socket.h>

#include "config/base/address.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: bench_echo ADDRESS@PORT ANSWER_FILE\n", stderr);
    return 2;
  }
  const auto address = sluice::base::SocketAddress::parse(argv[1]);
  std::ifstream file(argv[2], std::ios::binary);
  std::vector<char> answer{std::istreambuf_iterator<char>(file), {}};
  if (!address || answer.size() < 12) {
    std::fputs("bench_echo: not an ADDRESS@PORT, or no answer in the file\n", stderr);
    return 2;
  }
  sockaddr_storage storage{};
  const socklen_t length = address->to(storage);
  const int fd = ::socket(address->address.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
  const int octets = 4 << 20;  // as the responder has
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&storage), length) != 0) {
    std::perror("bench_echo: bind");
    return 1;
  }
  std::array<char, 4096> query{};
  for (;;) {
    sockaddr_storage client{};
    socklen_t client_length = sizeof client;
    const ssize_t received = ::recvfrom(fd, query.data(), query.size(), 0,
                                        reinterpret_cast<sockaddr*>(&client), &client_length);
    if (received < 2) continue;
    answer[0] = query[0];
    answer[1] = query[1];
    ::sendto(fd, answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&client),
             client_length);
  }
}
