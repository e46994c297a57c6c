// Floods several responders by UDP and TCP, and counts the answers that break the promise of an
// acknowledgement (semantics.md section 5). Who drains and resumes says so on standard input, and
// who breaks the responders does that meanwhile: connections may end, answers may stay away.
//
//   cluster_flood QUERIES_PER_SECOND POOL FEATURE RESPONDERS SERVERS
//     RESPONDERS  ADDRESS@PORT,...
//     SERVERS     FQDN=IPV4,...
//
// A line of input is answered by an empty line of output when all that follows will be judged by
// it:
//   + SERVER RESPONDER...   the drain of that server (its place in SERVERS, from 0) was
//   acknowledged,
//                           and these responders (places) confirmed it
//   - SERVER                its resume is about to be asked for
// At the end of the input one line of JSON; each broken promise is a line on standard error.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/scenario/flood.h"

namespace {

using namespace sluice::flood;

constexpr std::size_t kMostResponders = 8;
constexpr std::size_t kMostServers = 16;
constexpr std::size_t kUdpSockets = 4;      // of each responder: SO_REUSEPORT reaches every worker
constexpr std::size_t kTcpConnections = 2;  // likewise
constexpr std::uint64_t kTcpShare = 4;      // of so many queries one goes by TCP
constexpr std::size_t kMostUnderWay = 64;   // on one connection
constexpr auto kTick = std::chrono::milliseconds(2);
// A connection that has had no answer for so long is given up: its responder is paused, or gone.
constexpr std::int64_t kGiveUp = 3'000'000'000;
constexpr std::uint64_t kMostTold = 50;  // broken promises

struct Server {
  std::string fqdn;
  std::string as_target;   // its first label in wire form, as an SRV's target has it
  std::string as_address;  // RDLENGTH and RDATA of its A record
};

struct Setting {
  std::uint64_t per_second = 0;
  std::string pool;
  std::string feature;
  std::vector<sockaddr_in> responders;
  std::vector<Server> servers;
};

std::int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

// Since when each responder has promised not to name each server; 0: it has not.
struct Board {
  std::array<std::array<std::atomic<std::int64_t>, kMostServers>, kMostResponders> promised{};
  std::atomic<bool> stop{false};
};

struct Counts {
  std::uint64_t queries = 0;
  std::uint64_t answers = 0;
  std::uint64_t judged = 0;  // by how many promises
  std::uint64_t broken = 0;
  std::array<std::uint64_t, kMostResponders> of{};  // answers, by responder
};

// One question and OPT with a payload size of 1232.
std::string query_template(const std::string& name, std::uint16_t qtype) {
  return std::string("\0\0\0\0\0\1\0\0\0\0\0\1", 12) + question(name, qtype) +
         std::string("\0\0\x29\x04\xd0\0\0\0\0\0\0", 11);
}

class Questions {
 public:
  explicit Questions(const Setting& setting)
      : wires_{query_template(setting.pool, 1), query_template("_sip._tcp." + setting.pool, 33),
               query_template(setting.feature, 1)} {}

  std::string next(std::uint16_t id) const {
    std::string wire = wires_[id % wires_.size()];
    put_id(wire, id);
    return wire;
  }

 private:
  std::array<std::string, 3> wires_;
};

class Judge {
 public:
  Judge(const Setting& setting, Board& board, const char* transport)
      : setting_(setting), questions_(setting), board_(board), transport_(transport) {}

  const Questions& questions() const { return questions_; }
  Counts& counts() { return counts_; }

  void answer(std::string_view octets, std::size_t responder, std::int64_t sent) {
    if (octets.size() < 12) die("an answer of less than 12 octets");
    ++counts_.answers;
    ++counts_.of[responder];
    for (std::size_t server = 0; server < setting_.servers.size(); ++server) {
      // Read after the answer was received: had the resume been asked for before the answer was
      // sent, this would show it.
      const std::int64_t promised = board_.promised[responder][server].load();
      if (promised == 0 || sent <= promised) continue;
      ++counts_.judged;
      const Server& drained = setting_.servers[server];
      if (octets.find(drained.as_target) == std::string_view::npos &&
          octets.find(drained.as_address) == std::string_view::npos) {
        continue;
      }
      if (++counts_.broken > kMostTold) continue;
      std::fprintf(stderr,
                   "responder %zu names %s by %s: promised at %.6f, asked at %.6f, now %.6f\n",
                   responder, drained.fqdn.c_str(), transport_, static_cast<double>(promised) / 1e9,
                   static_cast<double>(sent) / 1e9, static_cast<double>(monotonic_ns()) / 1e9);
    }
  }

 private:
  const Setting& setting_;
  Questions questions_;
  Board& board_;
  const char* transport_;
  Counts counts_;
};

int open_towards(const sockaddr_in& address, int type) {
  const int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) die("socket");
  // One that refuses shows at the first query.
  (void)connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return fd;
}

// A socket towards one responder, with its queries under way by ID.
class Client {
 public:
  Client(const sockaddr_in& address, std::size_t responder, int type)
      : address_(address), responder_(responder), type_(type) {
    open();
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  int fd() const { return fd_; }

  void ask(std::size_t count, Judge& judge) {
    const std::int64_t now = monotonic_ns();
    if (type_ == SOCK_STREAM && now - heard_ > kGiveUp) return open();
    for (std::size_t asked = 0; asked < count; ++asked) {
      if (type_ == SOCK_STREAM && under_way_ >= kMostUnderWay) return;
      const std::string query = judge.questions().next(++id_);
      const std::string wire = type_ == SOCK_STREAM ? framed(query) : query;
      sent_[id_] = monotonic_ns();
      const ssize_t size = send(fd_, wire.data(), wire.size(), MSG_NOSIGNAL);
      if (size == static_cast<ssize_t>(wire.size())) {
        ++under_way_;
        ++judge.counts().queries;
        continue;
      }
      // Nobody listens, or it is not connected yet, or the connection ended.
      if (type_ == SOCK_STREAM && errno != EAGAIN && errno != EINPROGRESS) open();
      return;
    }
  }

  void receive(Judge& judge) {
    std::array<char, 16384> octets{};
    for (;;) {
      const ssize_t size = recv(fd_, octets.data(), octets.size(), MSG_DONTWAIT);
      if (size < 0 && errno == EAGAIN) return;
      if (type_ == SOCK_DGRAM) {
        if (size < 0) return;  // ICMP: nobody listens
        judge_one(std::string_view(octets.data(), static_cast<std::size_t>(size)), judge);
        continue;
      }
      if (size <= 0) {
        if (size == 0 || errno != ENOTCONN) open();
        return;
      }
      pending_.append(octets.data(), static_cast<std::size_t>(size));
      judge_pending(judge);
    }
  }

 private:
  void open() {
    if (fd_ >= 0) close(fd_);
    fd_ = open_towards(address_, type_);
    if (type_ == SOCK_STREAM) send_at_once(fd_);
    pending_.clear();
    under_way_ = 0;
    heard_ = monotonic_ns();
  }

  void judge_pending(Judge& judge) {
    std::size_t at = 0;
    while (pending_.size() - at >= 2) {
      const std::size_t length = u16(pending_, at);
      if (pending_.size() - at - 2 < length) break;
      judge_one(std::string_view(pending_).substr(at + 2, length), judge);
      at += 2 + length;
    }
    pending_.erase(0, at);
  }

  void judge_one(std::string_view answer, Judge& judge) {
    if (under_way_ > 0) --under_way_;
    heard_ = monotonic_ns();
    judge.answer(answer, responder_, sent_[u16(answer, 0)]);
  }

  sockaddr_in address_;
  std::size_t responder_;
  int type_;
  int fd_ = -1;
  std::uint16_t id_ = 0;
  std::size_t under_way_ = 0;
  std::int64_t heard_ = 0;
  std::string pending_;
  // An ID comes again after 65536 queries: an answer that took so long counts as one to the newer
  // query, and is judged as if it had been asked for later than it was. So many take minutes here.
  std::vector<std::int64_t> sent_ = std::vector<std::int64_t>(65536);
};

void flood(const Setting& setting, int type, std::size_t sockets, std::uint64_t per_second,
           Board& board, Judge& judge) {
  std::deque<Client> clients;
  for (std::size_t responder = 0; responder < setting.responders.size(); ++responder) {
    for (std::size_t index = 0; index < sockets; ++index) {
      clients.emplace_back(setting.responders[responder], responder, type);
    }
  }
  std::vector<pollfd> waiting(clients.size());
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t asked = 0;  // rounds of one query by each
  while (!board.stop.load()) {
    const auto gone = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - start);
    const std::uint64_t due =
        static_cast<std::uint64_t>(gone.count()) * per_second / clients.size() / 1'000'000;
    // What a busy machine kept from being asked is not made up for.
    const std::uint64_t count = std::min<std::uint64_t>(due - asked, 16);
    asked = due;
    for (Client& each : clients) each.ask(count, judge);
    for (std::size_t index = 0; index < clients.size(); ++index) {
      waiting[index] = {clients[index].fd(), POLLIN, 0};
    }
    poll(waiting.data(), waiting.size(), static_cast<int>(kTick.count()));
    for (Client& each : clients) each.receive(judge);
  }
}

void print(const char* name, const Counts& counts, std::size_t responders) {
  std::printf(R"("%s": {"queries": %lu, "answers": %lu, "judged": %lu, "broken": %lu, "of": [)",
              name, counts.queries, counts.answers, counts.judged, counts.broken);
  for (std::size_t index = 0; index < responders; ++index) {
    std::printf("%s%lu", index == 0 ? "" : ", ", counts.of[index]);
  }
  std::printf("]}");
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  std::istringstream stream(list);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

sockaddr_in read_responder(const std::string& word) {
  const std::size_t at = word.find('@');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (at == std::string::npos ||
      inet_pton(AF_INET, word.substr(0, at).c_str(), &address.sin_addr) != 1) {
    die("not ADDRESS@PORT: " + word);
  }
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoul(word.substr(at + 1))));
  return address;
}

Server read_server(const std::string& word) {
  const std::size_t equals = word.find('=');
  in_addr address{};
  if (equals == std::string::npos || inet_pton(AF_INET, word.c_str() + equals + 1, &address) != 1) {
    die("not FQDN=IPV4: " + word);
  }
  const std::string fqdn = word.substr(0, equals);
  const std::string label = fqdn.substr(0, fqdn.find('.'));
  std::string rdata("\0\4", 2);
  rdata.append(reinterpret_cast<const char*>(&address), sizeof address);
  return {fqdn, static_cast<char>(label.size()) + label, rdata};
}

Setting read_setting(const std::vector<std::string>& words) {
  if (words.size() != 5) die("usage: QUERIES_PER_SECOND POOL FEATURE RESPONDERS SERVERS");
  Setting setting{std::stoul(words[0]), words[1], words[2], {}, {}};
  for (const std::string& each : split(words[3])) {
    setting.responders.push_back(read_responder(each));
  }
  for (const std::string& each : split(words[4])) setting.servers.push_back(read_server(each));
  if (setting.responders.size() > kMostResponders) die("too many responders");
  if (setting.servers.size() > kMostServers) die("too many servers");
  return setting;
}

void listen_to_the_driver(const Setting& setting, Board& board) {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string what;
    std::size_t server = 0;
    if (!(words >> what >> server) || server >= setting.servers.size())
      die("no such line: " + line);
    if (what == "+") {
      for (std::size_t responder = 0; words >> responder;) {
        if (responder >= setting.responders.size()) die("no such responder: " + line);
        board.promised[responder][server] = monotonic_ns();
      }
    } else {
      for (auto& of_responder : board.promised) of_responder[server] = 0;
    }
    std::cout << std::endl;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Setting setting = read_setting(std::vector<std::string>(argv + 1, argv + argc));
  Board board;
  Judge udp(setting, board, "UDP");
  Judge tcp(setting, board, "TCP");
  const std::uint64_t by_tcp = setting.per_second / kTcpShare;
  std::thread udp_thread(
      [&] { flood(setting, SOCK_DGRAM, kUdpSockets, setting.per_second - by_tcp, board, udp); });
  std::thread tcp_thread([&] { flood(setting, SOCK_STREAM, kTcpConnections, by_tcp, board, tcp); });
  listen_to_the_driver(setting, board);
  board.stop = true;
  udp_thread.join();
  tcp_thread.join();
  std::printf("{");
  print("udp", udp.counts(), setting.responders.size());
  std::printf(", ");
  print("tcp", tcp.counts(), setting.responders.size());
  std::printf("}\n");
  return 0;
}
