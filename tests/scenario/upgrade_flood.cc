// Asks a responder without a pause while it is replaced by another process, and counts every query
// that gets no answer: nothing is asked twice, so that each datagram and each octet counts.
//
//   upgrade_flood DNS_PORT QUERIES_A_SECOND NAME EXPECTED
//
// NAME's A RRset must have EXPECTED members in every answer ("1-3": a range). Queries go out over
// UDP, over TCP connections that stay open and have many queries under way, over TCP connections
// whose clients read so little at a time that answers wait in the middle, and over TCP connections
// that are made for one query each. Says "asking" once there are answers of each kind, runs until
// standard input ends, waits for what is still under way, and prints one line of JSON: what came of
// the queries, and the longest gap between two answers, beside the longest time that this program
// itself did not get round to looking.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/scenario/flood.h"

namespace {

using namespace sluice::flood;

using Clock = std::chrono::steady_clock;

constexpr std::size_t kUdpSockets = 16;   // enough that SO_REUSEPORT reaches every worker
constexpr std::size_t kUdpWindow = 8;     // of each: far from what any socket's buffer holds
constexpr std::size_t kPipelined = 4;     // connections with
constexpr std::size_t kTcpWindow = 32;    // queries under way
constexpr std::size_t kSlow = 2;          // connections with
constexpr std::size_t kSlowWindow = 600;  // answers that wait for their reader
constexpr std::size_t kSlowOctets = 700;  // read at a time, which ends within an answer
constexpr std::size_t kFresh = 4;         // connections at a time with one query each,
constexpr auto kFreshEvery = std::chrono::milliseconds(20);  // as ports in TIME_WAIT allow
constexpr auto kPatience = std::chrono::seconds(15);         // for the last answers

struct Setting {
  std::uint16_t port = 0;
  double rate = 0;
  std::string name;
  unsigned least = 0;
  unsigned most = 0;
};

using Milliseconds = std::chrono::duration<double, std::milli>;

// The longest time between two of some things.
struct Gap {
  std::optional<Clock::time_point> last;
  Milliseconds longest{0};

  void note(Clock::time_point now) {
    if (last) longest = std::max<Milliseconds>(longest, now - *last);
    last = now;
  }
};

struct Counts {
  std::uint64_t asked = 0;
  std::uint64_t answered = 0;
  std::uint64_t lost = 0;
  std::uint64_t wrong = 0;
  std::uint64_t refused = 0;  // ICMP: nobody had the port
  std::uint64_t cut = 0;      // connections that ended
  Gap gap;                    // between two answers
};

// Does not wait from then on.
int connected(int type, std::uint16_t port, int receive_buffer) {
  const int fd = connect_to(port, type | SOCK_NONBLOCK, receive_buffer);
  pollfd ready{fd, POLLOUT, 0};
  if (poll(&ready, 1, 10'000) != 1) die("connecting takes too long");
  if (type == SOCK_STREAM) send_at_once(fd);
  return fd;
}

// What all connections share.
struct World {
  Setting setting;
  std::string query;
  Clock::time_point begin = Clock::now();
  bool asking = true;  // afterwards gaps are those of slow readers' windows
  Gap answers;         // of all kinds
  Gap turns;           // of this program, which may have to wait for a processor
  double given = 0;    // of the rate

  // Whether one more query may go now.
  bool may_ask() {
    const std::chrono::duration<double> since = Clock::now() - begin;
    if (given >= since.count() * setting.rate) return false;
    given += 1;
    return true;
  }

  bool is_right(std::string_view answer) const {
    return answer.size() >= query.size() && (answer[2] & 0x80) != 0 && (answer[3] & 15) == 0 &&
           u16(answer, 6) >= setting.least && u16(answer, 6) <= setting.most &&
           answer.substr(12, query.size() - 12) == std::string_view(query).substr(12);
  }
};

// Queries under way, by ID.
class UnderWay {
 public:
  std::size_t size() const { return size_; }
  unsigned add() {
    do {
      ++id_;
    } while (open_[id_]);
    open_[id_] = true;
    ++size_;
    return id_;
  }
  bool remove(unsigned id) {
    if (!open_[id]) return false;
    open_[id] = false;
    --size_;
    return true;
  }

 private:
  std::uint16_t id_ = 0;
  std::size_t size_ = 0;
  std::vector<bool> open_ = std::vector<bool>(65536);
};

void judge(World& world, UnderWay& under_way, Counts& counts, std::string_view answer) {
  if (answer.size() < 12 || !under_way.remove(u16(answer, 0))) {
    ++counts.wrong;
    return;
  }
  ++counts.answered;
  if (!world.is_right(answer)) ++counts.wrong;
  if (!world.asking) return;
  const auto now = Clock::now();
  counts.gap.note(now);
  world.answers.note(now);
}

std::string next_query(const World& world, UnderWay& under_way) {
  const unsigned id = under_way.add();
  std::string wire = world.query;
  put_id(wire, id);
  return wire;
}

class Udp {
 public:
  explicit Udp(std::uint16_t port) : fd_(connected(SOCK_DGRAM, port, 0)) {}
  int fd() const { return fd_; }
  bool waits() const { return under_way_.size() > 0; }

  void ask(World& world, Counts& counts) {
    while (under_way_.size() < kUdpWindow && world.may_ask()) {
      const std::string wire = next_query(world, under_way_);
      ++counts.asked;
      if (send(fd_, wire.data(), wire.size(), 0) < 0) refuse(counts);
    }
  }

  void receive(World& world, Counts& counts) {
    std::array<char, 4096> octets{};
    for (;;) {
      const ssize_t size = recv(fd_, octets.data(), octets.size(), 0);
      if (size >= 0) {
        judge(world, under_way_, counts, {octets.data(), static_cast<std::size_t>(size)});
      } else if (errno == ECONNREFUSED) {
        refuse(counts);
      } else {
        return;
      }
    }
  }

  void end(Counts& counts) {
    counts.lost += under_way_.size();
    close(fd_);
  }

 private:
  static void refuse(Counts& counts) {
    if (errno == ECONNREFUSED) ++counts.refused;
  }

  int fd_;
  UnderWay under_way_;
};

class Tcp {
 public:
  Tcp(std::uint16_t port, std::size_t window, std::size_t read_at_once)
      : fd_(connected(SOCK_STREAM, port, read_at_once < 4096 ? 4096 : 0)),
        window_(window),
        read_at_once_(read_at_once) {}
  int fd() const { return ended_ ? -1 : fd_; }
  bool waits() const { return !ended_ && under_way_.size() > 0; }

  void ask(World& world, Counts& counts) {
    // A slow reader asks in bursts, so that answers wait for it.
    if (ended_ || (read_at_once_ < 4096 && under_way_.size() > window_ / 2)) return flush(counts);
    while (under_way_.size() < window_ && out_.size() < 16384 && world.may_ask()) {
      out_ += framed(next_query(world, under_way_));
      ++counts.asked;
    }
    flush(counts);
  }

  void receive(World& world, Counts& counts) {
    if (ended_) return;
    std::array<char, 16384> octets{};
    const ssize_t size = recv(fd_, octets.data(), std::min(read_at_once_, octets.size()), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) return cut(counts);
    in_.append(octets.data(), static_cast<std::size_t>(size));
    std::size_t at = 0;
    while (in_.size() - at >= 2) {
      const std::size_t length = u16(in_, at);
      if (in_.size() - at - 2 < length) break;
      judge(world, under_way_, counts, std::string_view(in_).substr(at + 2, length));
      at += 2 + length;
    }
    in_.erase(0, at);
    read_at_ = Clock::now() + (read_at_once_ < 4096 ? std::chrono::microseconds(500)
                                                    : std::chrono::microseconds(0));
  }

  void flush(Counts& counts) {
    if (ended_ || out_.empty()) return;
    const ssize_t size = send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (size >= 0) {
      out_.erase(0, static_cast<std::size_t>(size));
    } else if (errno != EAGAIN && errno != EINTR) {
      cut(counts);
    }
  }

  // A slow reader waits between two reads.
  bool is_due() const { return Clock::now() >= read_at_; }
  void read_at_full_speed() { read_at_once_ = 16384; }

  void end(Counts& counts) {
    counts.lost += under_way_.size();
    close(fd_);
  }

 private:
  void cut(Counts& counts) {
    ++counts.cut;
    ended_ = true;
  }

  int fd_;
  std::size_t window_;
  std::size_t read_at_once_;
  Clock::time_point read_at_{};
  bool ended_ = false;
  UnderWay under_way_;
  std::string out_;
  std::string in_;
};

// A connection for one query, and then the next.
class Fresh {
 public:
  int fd() const { return connection_ ? connection_->fd() : -1; }
  bool waits() const { return connection_ && connection_->waits(); }

  void ask(World& world, Counts& counts) {
    if (waits()) return connection_->flush(counts);
    if (Clock::now() < next_) return;
    end(counts);
    next_ = Clock::now() + kFreshEvery;
    connection_.emplace(world.setting.port, 1, 16384);
    connection_->ask(world, counts);
  }

  void receive(World& world, Counts& counts) {
    if (waits()) connection_->receive(world, counts);
  }

  void flush(Counts& counts) {
    if (connection_) connection_->flush(counts);
  }

  void end(Counts& counts) {
    if (connection_) connection_->end(counts);
    connection_.reset();
  }

 private:
  std::optional<Tcp> connection_;
  Clock::time_point next_{};
};

void print(const char* name, const Counts& counts) {
  std::printf(R"("%s": {"asked": %lu, "answered": %lu, "lost": %lu, "wrong": %lu, )"
              R"("refused": %lu, "cut": %lu, "longest_gap_ms": %.3f}, )",
              name, counts.asked, counts.answered, counts.lost, counts.wrong, counts.refused,
              counts.cut, counts.gap.longest.count());
}

Setting read_setting(int argc, char** argv) {
  if (argc != 5) die("usage: DNS_PORT QUERIES_A_SECOND NAME EXPECTED");
  Setting setting{static_cast<std::uint16_t>(std::stoul(argv[1])), std::stod(argv[2]), argv[3], 0,
                  0};
  const std::string expected = argv[4];
  setting.least = static_cast<unsigned>(std::stoul(expected));
  const std::size_t dash = expected.find('-');
  setting.most = dash == std::string::npos
                     ? setting.least
                     : static_cast<unsigned>(std::stoul(expected.substr(dash + 1)));
  return setting;
}

}  // namespace

int main(int argc, char** argv) {
  World world;
  world.setting = read_setting(argc, argv);
  world.query = std::string("\0\0\0\0\0\1\0\0\0\0\0\0", 12) + question(world.setting.name, 1);
  std::deque<Udp> udp;
  std::deque<Tcp> pipelined;
  std::deque<Tcp> slow;
  for (std::size_t i = 0; i < kUdpSockets; ++i) udp.emplace_back(world.setting.port);
  for (std::size_t i = 0; i < kPipelined; ++i) {
    pipelined.emplace_back(world.setting.port, kTcpWindow, 16384);
  }
  for (std::size_t i = 0; i < kSlow; ++i) {
    slow.emplace_back(world.setting.port, kSlowWindow, kSlowOctets);
  }
  std::deque<Fresh> fresh(kFresh);
  Counts udp_counts;
  Counts tcp_counts;
  Counts slow_counts;
  Counts fresh_counts;
  world.begin = Clock::now();
  bool told = false;

  std::vector<pollfd> waiting;
  std::size_t round = 0;
  Clock::time_point until{};
  while (true) {
    world.turns.note(Clock::now());
    // Each kind is the first to take its part of the rate now and then.
    for (std::size_t turn = 0; world.asking && turn < 4; ++turn) {
      const std::size_t kind = (round + turn) % 4;
      if (kind == 0) {
        for (Udp& each : udp) each.ask(world, udp_counts);
      } else if (kind == 1) {
        for (Tcp& each : pipelined) each.ask(world, tcp_counts);
      } else if (kind == 2) {
        for (Tcp& each : slow) each.ask(world, slow_counts);
      } else {
        for (Fresh& each : fresh) each.ask(world, fresh_counts);
      }
    }
    ++round;
    waiting.assign(1, {world.asking ? STDIN_FILENO : -1, POLLIN, 0});
    for (const Udp& each : udp) waiting.push_back({each.fd(), POLLIN, 0});
    for (const Tcp& each : pipelined) waiting.push_back({each.fd(), POLLIN, 0});
    for (const Tcp& each : slow) waiting.push_back({each.is_due() ? each.fd() : -1, POLLIN, 0});
    for (const Fresh& each : fresh) waiting.push_back({each.fd(), POLLIN, 0});
    poll(waiting.data(), waiting.size(), 1);
    for (Udp& each : udp) each.receive(world, udp_counts);
    for (Tcp& each : pipelined) each.receive(world, tcp_counts);
    for (Tcp& each : slow) {
      if (each.is_due()) each.receive(world, slow_counts);
    }
    for (Fresh& each : fresh) each.receive(world, fresh_counts);
    if (!told) {
      // From here on whatever happens happens to each kind.
      told = udp_counts.answered > 0 && tcp_counts.answered > 0 && slow_counts.answered > 0 &&
             fresh_counts.answered > 0;
      if (told) {
        std::printf("asking\n");
        std::fflush(stdout);
      } else if (Clock::now() > world.begin + kPatience) {
        die("no answers of some kind");
      }
    }
    if (world.asking && (waiting[0].revents & (POLLIN | POLLHUP)) != 0) {
      world.asking = false;
      until = Clock::now() + kPatience;
      for (Tcp& each : slow) each.read_at_full_speed();
    }
    if (world.asking) continue;
    const auto waits = [](const auto& each) { return each.waits(); };
    const bool done = std::ranges::none_of(udp, waits) && std::ranges::none_of(pipelined, waits) &&
                      std::ranges::none_of(slow, waits) && std::ranges::none_of(fresh, waits);
    if (done || Clock::now() > until) break;
    for (Tcp& each : pipelined) each.flush(tcp_counts);
    for (Tcp& each : slow) each.flush(slow_counts);
    for (Fresh& each : fresh) each.flush(fresh_counts);
  }
  for (Udp& each : udp) each.end(udp_counts);
  for (Tcp& each : pipelined) each.end(tcp_counts);
  for (Tcp& each : slow) each.end(slow_counts);
  for (Fresh& each : fresh) each.end(fresh_counts);
  const std::chrono::duration<double> took = Clock::now() - world.begin;
  std::printf("{");
  print("udp", udp_counts);
  print("tcp", tcp_counts);
  print("slow", slow_counts);
  print("fresh", fresh_counts);
  std::printf("\"seconds\": %.3f, \"longest_gap_ms\": %.3f, \"longest_own_pause_ms\": %.3f}\n",
              took.count(), world.answers.longest.count(), world.turns.longest.count());
  return 0;
}
