// Asks a server over UDP as fast as one core can (or at --rate), checks each answer, and reports
// answers a second, losses and latencies. Exit code 1 when an answer was wrong or none came.
#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/base/address.h"
#include "dns/wire/types.h"
#include "tools/bench/latency.h"

namespace sluice::bench {
namespace {

// As many as the servers of the field take at once: the generator must not be the bottleneck.
constexpr unsigned kBatch = 64;
constexpr std::size_t kAnswerOctets = 4096;
// An answer that takes longer does not come.
constexpr std::uint64_t kLostAfter = 1'000'000'000;  // ns

struct Options {
  base::SocketAddress server;
  std::string name;
  dns::RRType type = dns::RRType::A;
  unsigned answers = 8;   // records that each answer must have; 0: any number
  double seconds = 3;     // how long
  unsigned window = 256;  // queries under way at most, over all sockets
  double rate = 0;        // queries a second; 0: as fast as it goes
  unsigned sockets = 1;   // several spread over the server's workers
  bool edns = false;
  bool json = false;
  std::string save_answer;
};

struct Tally {
  std::uint64_t sent = 0, answered = 0, lost = 0, late = 0;
  std::uint64_t wrong_id = 0, wrong_rcode = 0, wrong_count = 0;
  std::uint64_t wrong() const noexcept { return wrong_id + wrong_rcode + wrong_count; }
};

std::uint64_t now() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

std::vector<std::uint8_t> make_query(const Options& options) {
  std::vector<std::uint8_t> query{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  if (options.edns) query[11] = 1;  // ARCOUNT
  std::size_t begin = 0;
  while (begin < options.name.size()) {
    const std::size_t end = std::min(options.name.find('.', begin), options.name.size());
    query.push_back(static_cast<std::uint8_t>(end - begin));
    query.insert(query.end(), options.name.begin() + static_cast<std::ptrdiff_t>(begin),
                 options.name.begin() + static_cast<std::ptrdiff_t>(end));
    begin = end + 1;
  }
  const auto type = static_cast<std::uint16_t>(options.type);
  query.insert(query.end(), {0, static_cast<std::uint8_t>(type >> 8),
                             static_cast<std::uint8_t>(type & 0xFF), 0, 1});
  // OPT: the root, type 41, payload size 1232, no extended RCODE, version 0, no flags, no options.
  if (options.edns) query.insert(query.end(), {0, 0, 41, 0x04, 0xD0, 0, 0, 0, 0, 0, 0});
  return query;
}

// One socket with its own IDs: a query's ID is its number modulo 65,536.
class Asker {
 public:
  Asker(const Options& options, Tally& tally, Latencies& latencies);
  ~Asker() { ::close(fd_); }
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;

  int fd() const noexcept { return fd_; }
  unsigned under_way() const noexcept { return under_way_; }

  void ask(unsigned count);
  unsigned take_answers();
  void give_up_old(std::uint64_t now);
  const std::vector<std::uint8_t>& last_answer() const noexcept { return last_answer_; }

 private:
  void check(const std::uint8_t* answer, std::size_t size, std::uint64_t now);

  const Options& options_;
  Tally& tally_;
  Latencies& latencies_;
  int fd_;
  std::uint16_t next_ = 0, oldest_ = 0;
  unsigned under_way_ = 0;
  std::vector<std::uint64_t> asked_at_ = std::vector<std::uint64_t>(65'536);  // 0: not asked
  std::array<mmsghdr, kBatch> out_{}, in_{};
  std::array<iovec, kBatch> out_octets_{}, in_octets_{};
  std::vector<std::vector<std::uint8_t>> queries_, answers_;
  std::vector<std::uint8_t> last_answer_;
};

Asker::Asker(const Options& options, Tally& tally, Latencies& latencies)
    : options_(options),
      tally_(tally),
      latencies_(latencies),
      queries_(kBatch, make_query(options)),
      answers_(kBatch, std::vector<std::uint8_t>(kAnswerOctets)) {
  fd_ =
      ::socket(options.server.address.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  const int octets = 4 << 20;
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
  sockaddr_storage server{};
  const socklen_t length = options.server.to(server);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&server), length) != 0) {
    std::perror("connect");
    std::exit(1);
  }
  for (unsigned i = 0; i < kBatch; ++i) {
    out_octets_[i] = {queries_[i].data(), queries_[i].size()};
    in_octets_[i] = {answers_[i].data(), answers_[i].size()};
    out_[i].msg_hdr.msg_iov = &out_octets_[i];
    in_[i].msg_hdr.msg_iov = &in_octets_[i];
    out_[i].msg_hdr.msg_iovlen = in_[i].msg_hdr.msg_iovlen = 1;
  }
}

void Asker::ask(unsigned count) {
  const std::uint64_t time = now();
  for (unsigned i = 0; i < count; ++i) {
    const auto id = static_cast<std::uint16_t>(next_ + i);
    queries_[i][0] = static_cast<std::uint8_t>(id >> 8);
    queries_[i][1] = static_cast<std::uint8_t>(id & 0xFF);
  }
  const int sent = ::sendmmsg(fd_, out_.data(), count, 0);
  for (int i = 0; i < sent; ++i) asked_at_[next_++] = time;
  if (sent <= 0) return;
  under_way_ += static_cast<unsigned>(sent);
  tally_.sent += static_cast<unsigned>(sent);
}

unsigned Asker::take_answers() {
  const int received = ::recvmmsg(fd_, in_.data(), kBatch, MSG_DONTWAIT, nullptr);
  if (received <= 0) return 0;
  const std::uint64_t time = now();
  for (unsigned i = 0; i < static_cast<unsigned>(received); ++i) {
    check(answers_[i].data(), in_[i].msg_len, time);
  }
  const auto& last = answers_[static_cast<unsigned>(received) - 1];
  last_answer_.assign(last.begin(),
                      last.begin() + in_[static_cast<unsigned>(received) - 1].msg_len);
  return static_cast<unsigned>(received);
}

void Asker::check(const std::uint8_t* answer, std::size_t size, std::uint64_t time) {
  if (size < dns::kHeaderOctets) {
    ++tally_.wrong_count;
    return;
  }
  const auto id = static_cast<std::uint16_t>(answer[0] << 8 | answer[1]);
  if (asked_at_[id] == 0) {  // given up before, or never asked
    ++(static_cast<std::uint16_t>(next_ - id) < 32'768 ? tally_.late : tally_.wrong_id);
    return;
  }
  latencies_.add(time - asked_at_[id]);
  asked_at_[id] = 0;
  --under_way_;
  ++tally_.answered;
  const bool is_answer = (answer[2] & 0x80) != 0 && (answer[3] & 0x0F) == 0;
  if (!is_answer) {
    ++tally_.wrong_rcode;
  } else if (options_.answers != 0 &&
             static_cast<unsigned>(answer[6] << 8 | answer[7]) != options_.answers) {
    ++tally_.wrong_count;
  }
}

void Asker::give_up_old(std::uint64_t time) {
  for (; oldest_ != next_; ++oldest_) {
    std::uint64_t& asked_at = asked_at_[oldest_];
    if (asked_at == 0) continue;
    if (asked_at + kLostAfter > time) return;
    asked_at = 0;
    --under_way_;
    ++tally_.lost;
  }
}

// How many queries may go now so that the rate is kept; unlimited when there is none.
std::uint64_t allowed(const Options& options, std::uint64_t elapsed, std::uint64_t sent) {
  if (options.rate <= 0) return kBatch;
  const auto due = static_cast<std::uint64_t>(options.rate * static_cast<double>(elapsed) / 1e9);
  return due > sent ? due - sent : 0;
}

// Without a rate it spins: a sleeping generator would have the server pay for each wake-up.
void run(const Options& options, std::vector<std::unique_ptr<Asker>>& askers, const Tally& tally) {
  const std::uint64_t begin = now();
  const std::uint64_t end = begin + static_cast<std::uint64_t>(options.seconds * 1e9);
  const unsigned window = std::max(1U, options.window / options.sockets);
  std::uint64_t looked_for_losses = begin;
  for (std::uint64_t time = begin; time < end; time = now()) {
    bool moved = false;
    for (const auto& asker : askers) {
      const std::uint64_t may = allowed(options, time - begin, tally.sent);
      const unsigned room = window - std::min(window, asker->under_way());
      // Batches of half a window at least, for a server that is as fast as we are would see one
      // query at a time.
      if (room > 0 && may > 0 && (options.rate > 0 || room >= std::min(kBatch, (window + 1) / 2))) {
        asker->ask(static_cast<unsigned>(std::min<std::uint64_t>({room, may, kBatch})));
        moved = true;
      }
      moved = asker->take_answers() > 0 || moved;
    }
    if (time - looked_for_losses > kLostAfter / 10) {
      for (const auto& asker : askers) asker->give_up_old(time);
      looked_for_losses = time;
    }
    if (!moved && options.rate > 0) {
      pollfd readable{askers.front()->fd(), POLLIN, 0};
      const timespec soon{0, 200'000};
      ::ppoll(&readable, 1, &soon, nullptr);
    }
  }
  // What is under way may still come.
  const std::uint64_t last = now() + kLostAfter / 5;
  while (now() < last) {
    unsigned under_way = 0;
    for (const auto& asker : askers) {
      asker->take_answers();
      under_way += asker->under_way();
    }
    if (under_way == 0) break;
  }
  for (const auto& asker : askers) asker->give_up_old(UINT64_MAX);
}

void report(const Options& options, const Tally& tally, const Latencies& latencies,
            double seconds) {
  const auto microseconds = [&](double share) {
    return static_cast<double>(latencies.quantile(share)) / 1e3;
  };
  const double rate = static_cast<double>(tally.answered) / seconds;
  if (options.json) {
    std::cout << nlohmann::json{{"sent", tally.sent},
                                {"answered", tally.answered},
                                {"answers_per_second", rate},
                                {"lost", tally.lost},
                                {"late", tally.late},
                                {"wrong", tally.wrong()},
                                {"p50_us", microseconds(0.5)},
                                {"p99_us", microseconds(0.99)},
                                {"p999_us", microseconds(0.999)}}
              << '\n';
    return;
  }
  std::printf(
      "%.0f answers/s, %llu answered of %llu, %llu lost (%llu came late)\n", rate,
      static_cast<unsigned long long>(tally.answered), static_cast<unsigned long long>(tally.sent),
      static_cast<unsigned long long>(tally.lost), static_cast<unsigned long long>(tally.late));
  std::printf("latency p50 %.0f us, p99 %.0f us, p99.9 %.0f us\n", microseconds(0.5),
              microseconds(0.99), microseconds(0.999));
  std::printf("wrong: %llu by id, %llu by rcode, %llu by number of answers\n",
              static_cast<unsigned long long>(tally.wrong_id),
              static_cast<unsigned long long>(tally.wrong_rcode),
              static_cast<unsigned long long>(tally.wrong_count));
}

int measure(const Options& options) {
  Tally tally;
  Latencies latencies;
  std::vector<std::unique_ptr<Asker>> askers;
  for (unsigned i = 0; i < options.sockets; ++i) {
    askers.push_back(std::make_unique<Asker>(options, tally, latencies));
  }
  run(options, askers, tally);
  report(options, tally, latencies, options.seconds);
  if (!options.save_answer.empty()) {
    const auto& answer = askers.front()->last_answer();
    std::ofstream(options.save_answer, std::ios::binary)
        .write(reinterpret_cast<const char*>(answer.data()),
               static_cast<std::streamsize>(answer.size()));
  }
  return tally.answered > 0 && tally.wrong() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  using sluice::dns::RRType;
  sluice::bench::Options options;
  std::string server;
  CLI::App app("Asks a DNS server over UDP as fast as one core can, and checks each answer.");
  app.add_option("server", server, "ADDRESS@PORT")->required();
  app.add_option("name", options.name, "QNAME, without a final dot")->required();
  app.add_option("type", options.type, "A, AAAA or SRV (default A)")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, RRType>{
              {"A", RRType::A}, {"AAAA", RRType::AAAA}, {"SRV", RRType::SRV}},
          CLI::ignore_case));
  app.add_option("--answers", options.answers,
                 "records that each answer must have (default 8; 0: any number)");
  app.add_option("--seconds", options.seconds, "default 3");
  app.add_option("--window", options.window, "queries under way at most (default 256)")
      ->check(CLI::Range(1, 32'768));
  app.add_option("--rate", options.rate, "queries a second (default: as fast as it goes)");
  app.add_option("--sockets", options.sockets, "source ports (default 1)")
      ->check(CLI::Range(1, 256));
  app.add_flag("--edns", options.edns, "with an OPT record");
  app.add_flag("--json", options.json);
  app.add_option("--save-answer", options.save_answer, "writes the last answer's octets to a file");
  CLI11_PARSE(app, argc, argv);
  const auto address = sluice::base::SocketAddress::parse(server);
  if (!address) {
    std::cerr << server << ": must be ADDRESS@PORT\n";
    return 2;
  }
  options.server = *address;
  return sluice::bench::measure(options);
}
