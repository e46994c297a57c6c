// Floods a responder while servers are drained and resumed, and counts the answers that break the
// promise of an acknowledgement (semantics.md section 5): those that name a server after its drain
// was acknowledged and before its resume was asked for.
//
//   ack_flood DNS_PORT API_PORT TOKEN ROUNDS POOL FEATURE SERVER=IPV4...
//
// One thread keeps a window of queries under way on several UDP sockets, another on several TCP
// connections; the main thread drains and resumes, and goes on to the next round only when both
// have judged answers of this one. Prints one line of JSON; exits 0 when it could do all rounds,
// whatever it counted: the test that calls it judges.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/scenario/flood.h"

namespace {

using namespace sluice::flood;

constexpr std::size_t kUdpSockets = 8;      // enough that SO_REUSEPORT reaches every worker
constexpr std::size_t kTcpConnections = 4;  // likewise
constexpr std::size_t kWindow = 16;         // queries under way on each
constexpr std::uint64_t kJudgedUdp = 32;    // answers a round waits for, over all sockets
constexpr std::uint64_t kJudgedTcp = 8;     // and connections
constexpr auto kPatience = std::chrono::seconds(20);  // for one round, on a busy machine

struct Server {
  std::string fqdn;
  std::string as_target;   // its first label in wire form, as an SRV's target has it
  std::string as_address;  // RDLENGTH and RDATA of its A record
};

struct Setting {
  std::uint16_t dns_port = 0;
  std::uint16_t api_port = 0;
  std::string token;
  std::uint64_t rounds = 0;
  std::string pool;
  std::string feature;
  std::vector<Server> servers;
};

// A round drains one server: whole in the even rounds, its front-end service in the odd ones.
struct Round {
  std::uint64_t number = 0;
  std::size_t server(const Setting& setting) const { return number % setting.servers.size(); }
  bool whole() const { return number % 2 == 0; }
};

// What the flooding threads know of the driver's doing. `promised` is the number of the round whose
// drain is acknowledged, plus one; 0 while nothing is promised. The driver sets it after the
// acknowledgement came and clears it before it asks for the resume.
struct Board {
  std::atomic<std::uint64_t> promised{0};
  std::atomic<std::int64_t> acknowledged_at{0};  // CLOCK_REALTIME, of the promised round
  std::atomic<std::uint64_t> judged_udp{0};      // in the promised round
  std::atomic<std::uint64_t> judged_tcp{0};
  std::atomic<bool> stop{false};
};

struct Counts {
  std::uint64_t answers = 0;
  std::uint64_t judged = 0;       // answers to queries sent after an acknowledgement
  std::uint64_t judged_late = 0;  // answers sent after it (kernel's time) to earlier queries
  std::uint64_t broken = 0;       // of these two: name the drained server
  std::uint64_t short_of = 0;     // of these two: do not name all the others
};

std::int64_t realtime_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

// One question and OPT with a payload size of 1232.
std::string query_template(const std::string& name, std::uint16_t qtype) {
  return std::string("\0\0\0\0\0\1\0\0\0\0\0\1", 12) + question(name, qtype) +
         std::string("\0\0\x29\x04\xd0\0\0\0\0\0\0", 11);
}

// The queries that are asked in turn. The last one follows another service than front-end.
class Questions {
 public:
  explicit Questions(const Setting& setting)
      : wires_{query_template(setting.pool, 1), query_template("_sip._tcp." + setting.pool, 33),
               query_template(setting.feature, 1)} {}

  // Its kind is the ID modulo size().
  std::string next(std::uint16_t id) const {
    std::string wire = wires_[id % wires_.size()];
    put_id(wire, id);
    return wire;
  }
  bool follows_front_end(std::uint16_t id) const { return id % wires_.size() != 2; }

 private:
  std::array<std::string, 3> wires_;
};

class Judge {
 public:
  Judge(const Setting& setting, Board& board, std::atomic<std::uint64_t>& judged)
      : setting_(setting), questions_(setting), board_(board), judged_(judged) {}

  const Questions& questions() const { return questions_; }
  const Counts& counts() const { return counts_; }

  // `promised_then`: what was promised when the query was sent. `stamp`: when the kernel took the
  // answer, 0 when that can't be told.
  void answer(std::string_view octets, std::uint64_t promised_then, std::int64_t stamp) {
    if (octets.size() < 12) die("an answer of less than 12 octets");
    ++counts_.answers;
    // Read after the answer was received: had the resume been asked for before the answer was sent,
    // this would show it.
    const std::uint64_t promised = board_.promised.load();
    if (promised == 0) return;
    const Round round{promised - 1};
    const std::uint16_t id = u16(octets, 0);
    if (!round.whole() && !questions_.follows_front_end(id)) return;
    const bool after = promised_then == promised;
    const bool late = !after && stamp > board_.acknowledged_at.load();
    if (late && board_.promised.load() != promised) return;  // acknowledged_at was another round's
    if (!after && !late) return;
    ++(after ? counts_.judged : counts_.judged_late);
    const Server& drained = setting_.servers[round.server(setting_)];
    if (octets.find(drained.as_target) != std::string_view::npos ||
        octets.find(drained.as_address) != std::string_view::npos) {
      ++counts_.broken;
    }
    if ((octets[3] & 15) != 0 || u16(octets, 6) != setting_.servers.size() - 1) ++counts_.short_of;
    if (after) judged_.fetch_add(1);
  }

 private:
  const Setting& setting_;
  Questions questions_;
  Board& board_;
  std::atomic<std::uint64_t>& judged_;
  Counts counts_;
};

// A UDP socket with its queries under way, by ID.
class UdpFlood {
 public:
  explicit UdpFlood(std::uint16_t port) : fd_(connect_to(port, SOCK_DGRAM)) {
    const int on = 1;
    if (setsockopt(fd_, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0) die("SO_TIMESTAMPNS");
  }
  int fd() const { return fd_; }

  void fill(const Questions& questions, const Board& board) {
    while (under_way_ < kWindow) {
      const std::string wire = questions.next(++id_);
      promised_[id_] = board.promised.load();
      if (send(fd_, wire.data(), wire.size(), 0) < 0) return;
      ++under_way_;
    }
  }

  void receive(Judge& judge) {
    std::array<char, 4096> octets{};
    alignas(cmsghdr) std::array<char, 256> control{};
    iovec part{octets.data(), octets.size()};
    for (;;) {
      msghdr message{};
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      const ssize_t size = recvmsg(fd_, &message, MSG_DONTWAIT);
      if (size < 2) return;
      if (under_way_ > 0) --under_way_;
      const std::string_view answer(octets.data(), static_cast<std::size_t>(size));
      judge.answer(answer, promised_[u16(answer, 0)], stamp_of(message));
    }
  }

  // What the kernel dropped for want of room will not come any more.
  void forget() { under_way_ = 0; }

 private:
  static std::int64_t stamp_of(msghdr& message) {
    for (cmsghdr* at = CMSG_FIRSTHDR(&message); at != nullptr; at = CMSG_NXTHDR(&message, at)) {
      if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_TIMESTAMPNS) continue;
      timespec stamp{};
      std::memcpy(&stamp, CMSG_DATA(at), sizeof stamp);
      return stamp.tv_sec * 1'000'000'000 + stamp.tv_nsec;
    }
    return 0;
  }

  int fd_;
  std::uint16_t id_ = 0;
  std::size_t under_way_ = 0;
  std::vector<std::uint64_t> promised_ = std::vector<std::uint64_t>(65536);
};

// A TCP connection with pipelined queries. Answers may overtake each other (RFC 7766 section 7).
class TcpFlood {
 public:
  explicit TcpFlood(std::uint16_t port) : fd_(connect_to(port, SOCK_STREAM)) { send_at_once(fd_); }
  int fd() const { return fd_; }

  void fill(const Questions& questions, const Board& board) {
    while (under_way_ < kWindow) {
      const std::string wire = framed(questions.next(++id_));
      promised_[id_] = board.promised.load();
      // A window of queries always fits into the socket's buffer.
      if (send(fd_, wire.data(), wire.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(wire.size())) {
        die("sending over TCP");
      }
      ++under_way_;
    }
  }

  void receive(Judge& judge) {
    std::array<char, 16384> octets{};
    const ssize_t size = recv(fd_, octets.data(), octets.size(), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) die("a TCP connection was closed");
    pending_.append(octets.data(), static_cast<std::size_t>(size));
    std::size_t at = 0;
    while (pending_.size() - at >= 2) {
      const std::size_t length = u16(pending_, at);
      if (pending_.size() - at - 2 < length) break;
      const std::string_view answer = std::string_view(pending_).substr(at + 2, length);
      judge.answer(answer, promised_[u16(answer, 0)], 0);
      --under_way_;
      at += 2 + length;
    }
    pending_.erase(0, at);
  }

  void forget() {}

 private:
  int fd_;
  std::uint16_t id_ = 0;
  std::size_t under_way_ = 0;
  std::string pending_;
  std::vector<std::uint64_t> promised_ = std::vector<std::uint64_t>(65536);
};

template <class Flood>
void flood(std::size_t count, std::uint16_t port, Board& board, Judge& judge) {
  std::deque<Flood> floods;
  std::vector<pollfd> waiting;
  for (std::size_t index = 0; index < count; ++index) {
    floods.emplace_back(port);
    waiting.push_back({floods.back().fd(), POLLIN, 0});
  }
  while (!board.stop.load()) {
    for (Flood& each : floods) each.fill(judge.questions(), board);
    // 100 ms without any answer: UDP lost the windows.
    const int ready = poll(waiting.data(), waiting.size(), 100);
    for (Flood& each : floods) ready == 0 ? each.forget() : each.receive(judge);
  }
  for (const pollfd& each : waiting) close(each.fd);
}

// The operator's side: one kept HTTP connection. A process that takes the responder's place ends it
// between two requests, or before a reply; whoever gets none asks again, which is harmless.
class Operator {
 public:
  explicit Operator(const Setting& setting) : setting_(setting) { connect_anew(); }
  ~Operator() { close(fd_); }
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  void post(const Round& round, const std::string& what) {
    const std::string body = round.whole() ? "{}" : R"({"service": "front-end"})";
    const std::string request =
        "POST /v1/servers/" + setting_.servers[round.server(setting_)].fqdn + "/" + what +
        " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + setting_.token +
        "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    std::string reply = ask(request);
    for (int tries = 1; reply.empty() && tries < 10; ++tries) {
      connect_anew();
      reply = ask(request);
    }
    if (!reply.starts_with("HTTP/1.1 200")) die(what + ": " + reply);
  }

 private:
  void connect_anew() {
    if (fd_ >= 0) close(fd_);
    fd_ = connect_to(setting_.api_port, SOCK_STREAM);
    send_at_once(fd_);
  }

  // The reply; empty: the connection ended before it was whole.
  std::string ask(const std::string& request) {
    const ssize_t sent = send(fd_, request.data(), request.size(), MSG_NOSIGNAL);
    return sent == static_cast<ssize_t>(request.size()) ? read_reply() : std::string();
  }

  std::string read_reply() const {
    std::string reply;
    std::array<char, 4096> octets{};
    for (std::size_t whole = std::string::npos; reply.size() < whole;) {
      const ssize_t size = recv(fd_, octets.data(), octets.size(), 0);
      if (size <= 0) return {};
      reply.append(octets.data(), static_cast<std::size_t>(size));
      const std::size_t body = reply.find("\r\n\r\n");
      if (body == std::string::npos) continue;
      whole = body + 4 + content_length(reply.substr(0, body));
    }
    return reply;
  }

  static std::size_t content_length(std::string head) {
    std::transform(head.begin(), head.end(), head.begin(),
                   [](unsigned char octet) { return static_cast<char>(std::tolower(octet)); });
    const std::size_t at = head.find("content-length:");
    if (at == std::string::npos) die("no Content-Length in " + head);
    return std::strtoul(head.c_str() + at + 15, nullptr, 10);
  }

  const Setting& setting_;
  int fd_ = -1;
};

// All rounds; returns how long each acknowledgement took, in microseconds, sorted.
std::vector<std::int64_t> drive(const Setting& setting, Board& board) {
  Operator actor(setting);
  std::vector<std::int64_t> waits;
  for (std::uint64_t number = 0; number < setting.rounds; ++number) {
    const Round round{number};
    board.judged_udp = 0;
    board.judged_tcp = 0;
    const auto asked = std::chrono::steady_clock::now();
    actor.post(round, "drain");
    const auto acknowledged = std::chrono::steady_clock::now();
    board.acknowledged_at = realtime_ns();
    board.promised = number + 1;
    waits.push_back(
        std::chrono::duration_cast<std::chrono::microseconds>(acknowledged - asked).count());
    while (board.judged_udp.load() < kJudgedUdp || board.judged_tcp.load() < kJudgedTcp) {
      if (std::chrono::steady_clock::now() - acknowledged > kPatience) die("no answers any more");
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    board.promised = 0;
    actor.post(round, "resume");
  }
  std::sort(waits.begin(), waits.end());
  return waits;
}

void print(const char* name, const Counts& counts) {
  std::printf(R"("%s": {"answers": %lu, "judged": %lu, "judged_late": %lu, "broken": %lu, )"
              R"("short": %lu}, )",
              name, counts.answers, counts.judged, counts.judged_late, counts.broken,
              counts.short_of);
}

Setting read_setting(const std::vector<std::string>& words) {
  if (words.size() < 8) die("usage: DNS_PORT API_PORT TOKEN ROUNDS POOL FEATURE SERVER=IPV4...");
  Setting setting{static_cast<std::uint16_t>(std::stoul(words[0])),
                  static_cast<std::uint16_t>(std::stoul(words[1])),
                  words[2],
                  std::stoul(words[3]),
                  words[4],
                  words[5],
                  {}};
  for (std::size_t index = 6; index < words.size(); ++index) {
    const std::size_t equals = words[index].find('=');
    in_addr address{};
    if (equals == std::string::npos ||
        inet_pton(AF_INET, words[index].c_str() + equals + 1, &address) != 1) {
      die("not SERVER=IPV4: " + words[index]);
    }
    const std::string fqdn = words[index].substr(0, equals);
    const std::string label = fqdn.substr(0, fqdn.find('.'));
    std::string rdata("\0\4", 2);
    rdata.append(reinterpret_cast<const char*>(&address), sizeof address);
    setting.servers.push_back({fqdn, static_cast<char>(label.size()) + label, rdata});
  }
  return setting;
}

}  // namespace

int main(int argc, char** argv) {
  const Setting setting = read_setting(std::vector<std::string>(argv + 1, argv + argc));
  Board board;
  Judge udp(setting, board, board.judged_udp);
  Judge tcp(setting, board, board.judged_tcp);
  std::thread udp_thread([&] { flood<UdpFlood>(kUdpSockets, setting.dns_port, board, udp); });
  std::thread tcp_thread([&] { flood<TcpFlood>(kTcpConnections, setting.dns_port, board, tcp); });
  const std::vector<std::int64_t> waits = drive(setting, board);
  board.stop = true;
  udp_thread.join();
  tcp_thread.join();
  std::printf("{");
  print("udp", udp.counts());
  print("tcp", tcp.counts());
  std::printf("\"rounds\": %lu, \"ack_us\": {\"p50\": %ld, \"p99\": %ld, \"max\": %ld}}\n",
              setting.rounds, waits[waits.size() / 2], waits[waits.size() * 99 / 100],
              waits.back());
  return 0;
}
