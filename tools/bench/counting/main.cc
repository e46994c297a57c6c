// Sessions in number, and what counting them costs; see tools/bench/sessions.
//
//   bench_counting accept ADDRESS@PORT COUNT    accepts that many connections, and
//   bench_counting connect ADDRESS@PORT COUNT   makes them; both say "held" once they stand, and
//                                               hold them until their input ends
//   bench_counting talk ADDRESS@PORT COUNT      makes that many answered UDP flows
//   bench_counting connections PORT ROUNDS      counts the connections, ROUNDS times
//   bench_counting flows PORT ROUNDS            counts the UDP flows, ROUNDS times
//
// The last two print one line of JSON: how many there are, the median and worst time in
// milliseconds, and the CPU time; for flows also the longest time that the loop was busy at once.

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "config/base/address.h"
#include "config/base/file_descriptor.h"
#include "tools/sluice-agent/sessions/flow_sampler.h"
#include "tools/sluice-agent/sessions/port_sampler.h"

namespace sluice::bench {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(EXIT_FAILURE);
}

base::MonoTime now() {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(Clock::now());
}

double milliseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

base::FileDescriptor open_socket(const base::SocketAddress& where, int type) {
  base::FileDescriptor made(
      socket(where.address.is_v4() ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0));
  if (made.get() < 0) give_up("socket");
  return made;
}

void bind_to(const base::FileDescriptor& socket, const base::SocketAddress& where) {
  sockaddr_storage storage{};
  const socklen_t length = where.to(storage);
  const int on = 1;
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(socket.get(), reinterpret_cast<sockaddr*>(&storage), length) != 0) give_up("bind");
}

// One connection after the other, by `make`, in as many processes as it takes: each may have so
// many files open. Says "held" when all stand, and ends with its input.
template <class Make>
int hold(unsigned count, const Make& make) {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) give_up("getrlimit");
  files.rlim_cur = files.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &files) != 0) give_up("setrlimit");
  const auto each = static_cast<unsigned>(std::min<rlim_t>(files.rlim_cur, 100'000) - 50);
  std::array<int, 2> told{};
  if (pipe(told.data()) != 0) give_up("pipe");
  char done = '.';
  std::vector<pid_t> children;
  for (unsigned left = count; left > 0; left -= std::min(left, each)) {
    children.push_back(fork());
    if (children.back() < 0) give_up("fork");
    if (children.back() != 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::vector<base::FileDescriptor> held;
    while (held.size() < std::min(left, each)) held.push_back(make());
    if (write(told[1], &done, 1) != 1) give_up("write");
    pause();
    std::_Exit(EXIT_SUCCESS);
  }
  close(told[1]);
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (read(told[0], &done, 1) != 1) return EXIT_FAILURE;
  }
  std::puts("held");
  std::fflush(stdout);
  while (std::getchar() != EOF) continue;
  for (const pid_t child : children) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  return EXIT_SUCCESS;
}

int accept_all(const base::SocketAddress& where, unsigned count) {
  const base::FileDescriptor listener = open_socket(where, SOCK_STREAM);
  bind_to(listener, where);
  if (listen(listener.get(), 4096) != 0) give_up("listen");
  std::puts("listening");
  std::fflush(stdout);
  return hold(count, [&] {
    base::FileDescriptor accepted(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (accepted.get() < 0) give_up("accept");
    return accepted;
  });
}

int connect_all(const base::SocketAddress& where, unsigned count) {
  sockaddr_storage storage{};
  const socklen_t length = where.to(storage);
  return hold(count, [&] {
    base::FileDescriptor client = open_socket(where, SOCK_STREAM);
    if (connect(client.get(), reinterpret_cast<sockaddr*>(&storage), length) != 0) {
      give_up("connect");
    }
    return client;
  });
}

// Clients of many addresses: one has no more than 64,000 ports.
int talk(const base::SocketAddress& where, unsigned count) {
  const base::FileDescriptor service = open_socket(where, SOCK_DGRAM);
  bind_to(service, where);
  sockaddr_storage to{};
  const socklen_t to_length = where.to(to);
  constexpr unsigned kFirstPort = 1024;
  constexpr unsigned kPorts = 60'000;
  for (unsigned i = 0; i < count; ++i) {
    const auto host = static_cast<std::uint8_t>(2 + i / kPorts);
    const base::FileDescriptor client = open_socket(where, SOCK_DGRAM);
    const auto port = static_cast<std::uint16_t>(kFirstPort + i % kPorts);
    bind_to(client, {base::IpAddress::v4({127, 0, 0, host}), port});
    char octet = 0;
    sendto(client.get(), &octet, 1, 0, reinterpret_cast<sockaddr*>(&to), to_length);
    sockaddr_storage from{};
    socklen_t from_length = sizeof from;
    if (recvfrom(service.get(), &octet, 1, 0, reinterpret_cast<sockaddr*>(&from), &from_length) <
        0) {
      give_up("recvfrom");
    }
    sendto(service.get(), &octet, 1, 0, reinterpret_cast<sockaddr*>(&from), from_length);
  }
  return EXIT_SUCCESS;
}

// Milliseconds of CPU time, user and system.
double spent(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return 1e3 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e6;
}
double spent() {
  return spent(CLOCK_PROCESS_CPUTIME_ID);
}
double spent_here() {
  return spent(CLOCK_THREAD_CPUTIME_ID);
}

struct Times {
  std::vector<double> whole;
  double before = spent();
  double longest_piece = 0;

  void print(std::uint64_t count) {
    std::sort(whole.begin(), whole.end());
    std::printf(
        "{\"count\": %llu, \"best\": %.3f, \"median\": %.3f, \"worst\": %.3f, \"cpu\": %.3f, "
        "\"piece\": %.3f}\n",
        static_cast<unsigned long long>(count), whole.front(), whole[whole.size() / 2],
        whole.back(), (spent() - before) / static_cast<double>(whole.size()), longest_piece);
  }
};

int count_connections(std::uint16_t port, unsigned rounds) {
  agent::PortSampler sampler({port});
  Times times;
  for (unsigned i = 0; i < rounds; ++i) {
    const auto begin = Clock::now();
    if (const auto done = sampler.sample(now(), {}); !done) {
      std::fprintf(stderr, "%s\n", done.error().message.c_str());
      return EXIT_FAILURE;
    }
    times.whole.push_back(milliseconds(Clock::now() - begin));
  }
  times.print(sampler.count(std::array{port})->connections);
  return EXIT_SUCCESS;
}

int count_flows(std::uint16_t port, unsigned rounds) {
  uv_loop_t loop{};
  uv_loop_init(&loop);
  agent::FlowSampler sampler(&loop, {port}, std::chrono::seconds(60));
  Times times;
  for (unsigned i = 0; i < rounds; ++i) {
    const auto begin = Clock::now();
    sampler.sample(now(), {});
    const auto piece = Clock::now() - begin;
    while (sampler.busy()) {
      // What the loop does once its wait is over: take the list.
      const double before = spent_here();
      uv_run(&loop, UV_RUN_ONCE);
      times.longest_piece = std::max(times.longest_piece, spent_here() - before);
    }
    times.longest_piece = std::max(times.longest_piece, milliseconds(piece));
    times.whole.push_back(milliseconds(Clock::now() - begin));
  }
  const auto count = sampler.count(std::array{port});
  if (!count) {
    std::fprintf(stderr, "%s\n", sampler.failure().c_str());
    return EXIT_FAILURE;
  }
  times.print(count->flows);
  return EXIT_SUCCESS;
}

int run(std::string_view what, const std::string& where, unsigned count) {
  const auto port = static_cast<std::uint16_t>(std::strtoul(where.c_str(), nullptr, 10));
  if (what == "connections") return count_connections(port, count);
  if (what == "flows") return count_flows(port, count);
  const auto address = base::SocketAddress::parse(where);
  if (address && what == "accept") return accept_all(*address, count);
  if (address && what == "connect") return connect_all(*address, count);
  if (address && what == "talk") return talk(*address, count);
  std::fputs(
      "usage: bench_counting accept|connect|talk ADDRESS@PORT COUNT | connections|flows PORT "
      "ROUNDS\n",
      stderr);
  return 2;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  if (argc != 4) return sluice::bench::run("", "", 0);
  return sluice::bench::run(
      argv[1], argv[2], static_cast<unsigned>(std::max(1UL, std::strtoul(argv[3], nullptr, 10))));
}
