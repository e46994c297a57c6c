// Pushes heartbeats as very many agents do: each on a connection of its own that it keeps, one
// every
// --period, spread evenly. Connects all, says so, and begins with the first line on its standard
// input; each further line is answered by one of JSON with what was counted since the line before.
// The input's end, or --seconds, ends the program. Exit code 1 when an agent was answered otherwise
// than by 200, or cut off.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nlohmann/json.hpp>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/base/address.h"
#include "config/base/file_descriptor.h"
#include "tools/bench/agents/agent.h"
#include "tools/bench/load/exchange.h"

namespace sluice::bench {
namespace {

struct Counts {
  std::uint64_t sent = 0, accepted = 0, refused = 0, cut = 0, skipped = 0;
  Latencies latencies;
};

struct Agent {
  explicit Agent(AgentVoice with) : voice(std::move(with)) {}

  AgentVoice voice;
  ReplyReader reader;
  base::FileDescriptor fd;
  std::uint64_t asked_at = 0;  // 0: no heartbeat is under way
  std::uint64_t accepted = 0;
};

// More than these are no test of one authority.
constexpr unsigned kMostAgents = 50'000;
// Of one address there are some 28,000 ports to connect from (ip_local_port_range): agents are
// spread over several of 127.0.0.0/8, as they come from several hosts.
constexpr unsigned kAgentsAnAddress = 10'000;

[[noreturn]] void fail(const std::string& what) {
  std::cerr << "bench_agents: " << what << '\n';
  std::exit(1);
}

class Agents {
 public:
  Agents(const base::SocketAddress& authority, std::vector<Agent> agents, double period)
      : authority_(authority),
        agents_(std::move(agents)),
        period_(static_cast<std::uint64_t>(period * 1e9)),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = kInput;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, STDIN_FILENO, &event);
  }

  void connect_all() {
    for (std::uint64_t i = 0; i < agents_.size(); ++i) connect(agents_[i], i);
  }

  // Until the input's end, or `seconds` are over.
  void run(double seconds) {
    begin_ = now_ns();
    const std::uint64_t end = begin_ + static_cast<std::uint64_t>(seconds * 1e9);
    std::array<epoll_event, 256> events{};
    while (!ended_ && now_ns() < end) {
      push_due();
      const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), 1);
      for (int i = 0; i < count; ++i) {
        const std::uint64_t whose = events[static_cast<std::size_t>(i)].data.u64;
        if (whose == kInput) {
          answer_input();
        } else {
          take_reply(agents_[whose]);
        }
      }
    }
  }

  const Counts& all() const noexcept { return all_; }

  void report() {
    std::uint64_t least = UINT64_MAX;
    std::size_t connected = 0;
    for (const Agent& agent : agents_) {
      least = std::min(least, agent.accepted);
      if (agent.fd.is_open()) ++connected;
    }
    const auto milliseconds = [&](double share) {
      return static_cast<double>(counts_.latencies.quantile(share)) / 1e6;
    };
    std::cout << nlohmann::json{{"sent", counts_.sent},        {"accepted", counts_.accepted},
                                {"refused", counts_.refused},  {"cut", counts_.cut},
                                {"skipped", counts_.skipped},  {"agents", agents_.size()},
                                {"connected", connected},      {"accepted_of_each", least},
                                {"p50_ms", milliseconds(0.5)}, {"p99_ms", milliseconds(0.99)}}
              << std::endl;
    counts_ = {};
  }

 private:
  static constexpr std::uint64_t kInput = UINT64_MAX;

  // Agent i pushes at (i / agents) of each period. A time that was missed by more than a period
  // (this program was stopped) is left out, as an agent's timer would.
  void push_due() {
    const std::uint64_t elapsed = now_ns() - begin_;
    const auto count = static_cast<std::uint64_t>(agents_.size());
    const std::uint64_t due = elapsed / period_ * count + elapsed % period_ * count / period_;
    if (due > pushed_ + count) {
      all_.skipped += due - pushed_ - count;
      counts_.skipped += due - pushed_ - count;
      pushed_ = due - count;
    }
    while (pushed_ < due) push(pushed_++ % count);
  }

  void push(std::uint64_t number) {
    Agent& agent = agents_[number];
    if (agent.asked_at != 0) {  // the last reply is late: an agent waits for it
      count(&Counts::skipped);
      return;
    }
    if (!agent.fd.is_open()) connect(agent, number);
    const std::string request = agent.voice.next();
    agent.asked_at = now_ns();
    count(&Counts::sent);
    const ssize_t sent = ::send(agent.fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
    // A request is far smaller than a send buffer: what does not fit is no ordinary connection.
    if (sent != static_cast<ssize_t>(request.size())) cut(agent);
  }

  void connect(Agent& agent, std::uint64_t number) {
    agent.fd = base::FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!agent.fd.is_open()) fail(std::string("socket: ") + std::strerror(errno));
    const int on = 1;
    ::setsockopt(agent.fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr =
        htonl(INADDR_LOOPBACK + 1 + static_cast<std::uint32_t>(number / kAgentsAnAddress));
    ::setsockopt(agent.fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (::bind(agent.fd.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0) {
      fail(std::string("bind: ") + std::strerror(errno));
    }
    sockaddr_storage address{};
    const socklen_t length = authority_.to(address);
    if (::connect(agent.fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) {
      fail(std::string("connect: ") + std::strerror(errno));
    }
    ::fcntl(agent.fd.get(), F_SETFL, O_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = number;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, agent.fd.get(), &event);
  }

  void take_reply(Agent& agent) {
    std::array<char, 16'384> octets{};
    const ssize_t received = ::recv(agent.fd.get(), octets.data(), octets.size(), 0);
    if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (received <= 0) return cut(agent);
    switch (agent.reader.feed({octets.data(), static_cast<std::size_t>(received)})) {
      case ReplyReader::State::More:
        return;
      case ReplyReader::State::Broken:
        return cut(agent);
      case ReplyReader::State::Whole:
        break;
    }
    counts_.latencies.add(now_ns() - agent.asked_at);
    agent.asked_at = 0;
    if (agent.reader.status() != 200) return count(&Counts::refused);
    count(&Counts::accepted);
    ++agent.accepted;
  }

  void cut(Agent& agent) {
    count(&Counts::cut);
    agent.fd = {};
    agent.reader = {};
    agent.asked_at = 0;
  }

  void count(std::uint64_t Counts::*what) {
    ++(counts_.*what);
    ++(all_.*what);
  }

  void answer_input() {
    std::array<char, 256> octets{};
    const ssize_t size = ::read(STDIN_FILENO, octets.data(), octets.size());
    if (size <= 0) {
      ended_ = true;
      return;
    }
    for (ssize_t i = 0; i < size; ++i) {
      if (octets[static_cast<std::size_t>(i)] == '\n') report();
    }
  }

  base::SocketAddress authority_;
  std::vector<Agent> agents_;
  std::uint64_t period_;  // ns
  base::FileDescriptor epoll_;
  std::uint64_t begin_ = 0;
  std::uint64_t pushed_ = 0;  // heartbeats whose time has come
  bool ended_ = false;
  Counts counts_;  // since the report before
  Counts all_;
};

// Lines of SERVER TOKEN.
std::vector<Agent> read_agents(const std::string& file, const std::string& host) {
  std::ifstream in(file);
  if (!in) fail(file + ": " + std::strerror(errno));
  std::vector<Agent> agents;
  std::string server;
  std::string token;
  while (in >> server >> token) {
    if (agents.size() == kMostAgents)
      fail(file + ": more agents than " + std::to_string(kMostAgents));
    agents.emplace_back(AgentVoice(host, server, token, agents.size()));
  }
  if (agents.empty()) fail(file + ": no agents");
  return agents;
}

// Each agent takes a descriptor; the soft limit is often 1,024.
void make_room(std::size_t agents) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < agents + 16) {
    fail(std::to_string(agents) + " agents need more open files than the limit (ulimit -Hn) of " +
         std::to_string(files.rlim_cur));
  }
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  using namespace sluice;
  std::string server;
  std::string file;
  double period = 2;
  double seconds = 600;
  CLI::App app("Pushes heartbeats as very many agents do.");
  app.add_option("authority", server, "ADDRESS@PORT (IPv4, loopback)")->required();
  app.add_option("agents", file, "a file of lines SERVER TOKEN")->required();
  app.add_option("--period", period, "seconds between two heartbeats of an agent (default 2)")
      ->check(CLI::Range(0.1, 60.0));
  app.add_option("--seconds", seconds, "at most (default 600)")->check(CLI::Range(0.1, 86'400.0));
  CLI11_PARSE(app, argc, argv);
  const auto address = base::SocketAddress::parse(server);
  if (!address || !address->address.is_v4()) {
    std::cerr << "needs ADDRESS@PORT\n";
    return 2;
  }
  std::string host = address->to_string();
  host.replace(host.find('@'), 1, ":");
  auto list = bench::read_agents(file, host);
  bench::make_room(list.size());
  bench::Agents agents(*address, std::move(list), period);
  agents.connect_all();
  agents.report();
  // Not by std::cin, which would keep the lines that follow.
  char newline = 0;
  if (::read(STDIN_FILENO, &newline, 1) != 1) return 1;
  agents.run(seconds);
  const bench::Counts& all = agents.all();
  return all.accepted > 0 && all.refused == 0 && all.cut == 0 ? 0 : 1;
}
