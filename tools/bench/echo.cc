// What the kernel alone costs: one recvfrom and one sendto for each query, on one thread, with the
// octets of real answers (the ID set), so that bench_load and its checks can't tell the difference:
// the question is known by the ID, as bench_load numbers them.
//   bench_echo ADDRESS@PORT ANSWERS_FILE     (the file: bench_load --save-answers)
#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include "config/base/address.h"

namespace {

std::vector<std::vector<char>> read_answers(const char* name) {
  std::ifstream file(name, std::ios::binary);
  std::vector<std::vector<char>> answers;
  std::array<unsigned char, 2> length{};
  while (file.read(reinterpret_cast<char*>(length.data()), length.size())) {
    std::vector<char> answer(length[0] * 256U + length[1]);
    // An empty one: the question was never answered.
    if (answer.size() < 12 ||
        !file.read(answer.data(), static_cast<std::streamsize>(answer.size())))
      return {};
    answers.push_back(std::move(answer));
  }
  return answers;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: bench_echo ADDRESS@PORT ANSWER_FILE\n", stderr);
    return 2;
  }
  const auto address = sluice::base::SocketAddress::parse(argv[1]);
  std::vector<std::vector<char>> answers = read_answers(argv[2]);
  if (!address || answers.empty()) {
    std::fputs("bench_echo: not an ADDRESS@PORT, or no answers in the file\n", stderr);
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
    const unsigned id =
        static_cast<unsigned char>(query[0]) * 256U + static_cast<unsigned char>(query[1]);
    std::vector<char>& answer = answers[id % answers.size()];
    answer[0] = query[0];
    answer[1] = query[1];
    ::sendto(fd, answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&client),
             client_length);
  }
}
