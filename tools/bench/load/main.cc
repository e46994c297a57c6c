// Asks a server over UDP or TCP as fast as one core can (or at --rate), checks each answer, and
// reports answers a second, losses and latencies. Exit code 1 when an answer was wrong or none
// came.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/resource.h>

#include "config/base/address.h"
#include "dns/wire/writer.h"
#include "tools/bench/load/exchange.h"
#include "tools/bench/load/tcp_asker.h"
#include "tools/bench/load/udp_asker.h"

namespace sluice::bench {
namespace {

struct Options {
  base::SocketAddress server;
  std::vector<Question> questions;
  double seconds = 3;     // how long
  unsigned window = 256;  // queries under way at most, over all sockets
  unsigned burst = 0;     // so many at once, and the next when all are answered; 0: no
  double rate = 0;        // queries a second; 0: as fast as it goes
  unsigned sockets = 1;   // several spread over the server's workers
  bool json = false;
  std::string save_answers;
};

// How many queries may go now so that the rate is kept; many when there is none.
std::uint64_t due(const Options& options, std::uint64_t elapsed, std::uint64_t sent) {
  if (options.rate <= 0) return UdpAsker::kBatch;
  const auto by_now = static_cast<std::uint64_t>(options.rate * static_cast<double>(elapsed) / 1e9);
  return by_now > sent ? by_now - sent : 0;
}

// How many queries go now. Batches of half a window at least, for a server that is as fast as we
// are would see one query at a time.
unsigned batch(const Options& options, unsigned window, unsigned under_way, std::uint64_t may) {
  if (options.burst > 0) return under_way == 0 ? options.burst : 0;
  const unsigned room = window - std::min(window, under_way);
  const unsigned least = options.rate > 0 ? 1 : std::min(UdpAsker::kBatch, (window + 1) / 2);
  if (room < least) return 0;
  return static_cast<unsigned>(std::min<std::uint64_t>({room, may, UdpAsker::kBatch}));
}

// Without a rate it spins: a sleeping generator would have the server pay for each wake-up.
template <class Asker>
void run(const Options& options, std::vector<std::unique_ptr<Asker>>& askers, const Tally& tally) {
  const std::uint64_t begin = now_ns();
  const std::uint64_t end = begin + static_cast<std::uint64_t>(options.seconds * 1e9);
  const unsigned window = std::max(1U, options.window / options.sockets);
  std::uint64_t looked_for_losses = begin;
  for (std::uint64_t time = begin; time < end; time = now_ns()) {
    bool moved = false;
    for (const auto& asker : askers) {
      const unsigned count = batch(options, window, asker->exchange().under_way(),
                                   due(options, time - begin, tally.sent));
      if (count > 0) asker->ask(count);
      moved = asker->take_answers() > 0 || count > 0 || moved;
    }
    if (time - looked_for_losses > Exchange::kLostAfter / 10) {
      for (const auto& asker : askers) asker->exchange().give_up(time);
      looked_for_losses = time;
    }
    if (!moved && options.rate > 0) {
      pollfd readable{askers.front()->fd(), POLLIN, 0};
      const timespec soon{0, 200'000};
      ::ppoll(&readable, 1, &soon, nullptr);
    }
  }
  // What is under way may still come.
  const std::uint64_t last = now_ns() + Exchange::kLostAfter / 5;
  while (now_ns() < last) {
    unsigned under_way = 0;
    for (const auto& asker : askers) {
      asker->take_answers();
      under_way += asker->exchange().under_way();
    }
    if (under_way == 0) break;
  }
  for (const auto& asker : askers) asker->exchange().give_up(UINT64_MAX);
}

// What this process has spent, in nanoseconds a query.
double own_cost(const Tally& tally) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto nanoseconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_usec) * 1e3;
  };
  return (nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)) /
         static_cast<double>(std::max<std::uint64_t>(tally.answered, 1));
}

void report(const Options& options, const Tally& tally) {
  const auto microseconds = [&](double share) {
    return static_cast<double>(tally.latencies.quantile(share)) / 1e3;
  };
  const double rate = static_cast<double>(tally.answered) / options.seconds;
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
  const auto count = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf("%.0f answers/s, %llu answered of %llu, %llu lost (%llu came late)\n", rate,
              count(tally.answered), count(tally.sent), count(tally.lost), count(tally.late));
  std::printf("latency p50 %.0f us, p99 %.0f us, p99.9 %.0f us\n", microseconds(0.5),
              microseconds(0.99), microseconds(0.999));
  std::printf("wrong: %llu by ID, %llu by question, %llu by RCODE, %llu by number of answers\n",
              count(tally.wrong_id), count(tally.wrong_question), count(tally.wrong_rcode),
              count(tally.wrong_count));
  std::printf("this generator: %.0f ns of CPU a query, waiting included\n", own_cost(tally));
}

// One answer to each question, each with its length before it: for bench_echo.
void save(const std::string& file, std::span<const std::vector<std::uint8_t>> answers) {
  std::ofstream out(file, std::ios::binary);
  for (const auto& answer : answers) {
    std::uint8_t length[2];
    dns::store_u16(length, static_cast<std::uint16_t>(answer.size()));
    out.write(reinterpret_cast<const char*>(length), sizeof length);
    out.write(reinterpret_cast<const char*>(answer.data()),
              static_cast<std::streamsize>(answer.size()));
  }
}

template <class Asker>
int measure(const Options& options) {
  Tally tally;
  std::vector<std::unique_ptr<Asker>> askers;
  for (unsigned i = 0; i < options.sockets; ++i) {
    askers.push_back(std::make_unique<Asker>(options.server, options.questions, tally));
  }
  if constexpr (std::is_same_v<Asker, UdpAsker>) {
    if (!options.save_answers.empty()) askers.front()->keep_answers(options.questions.size());
  }
  run(options, askers, tally);
  report(options, tally);
  if constexpr (std::is_same_v<Asker, UdpAsker>) {
    if (!options.save_answers.empty()) save(options.save_answers, askers.front()->kept());
  }
  return tally.answered > 0 && tally.wrong() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  using namespace sluice;
  bench::Options options;
  std::string server;
  std::vector<std::string> question;
  std::string file;
  bool edns = false;
  bool tcp = false;
  CLI::App app("Asks a DNS server as fast as one core can, and checks each answer.");
  app.add_option("server", server, "ADDRESS@PORT")->required();
  app.add_option("question", question, "NAME [A|AAAA|SRV [NOERROR|NXDOMAIN|REFUSED [ANSWERS]]]");
  app.add_option("--questions", file, "a file of such lines, asked in turn");
  app.add_flag("--edns", edns, "with an OPT record");
  app.add_flag("--tcp", tcp);
  app.add_option("--seconds", options.seconds, "default 3");
  app.add_option("--window", options.window, "queries under way at most (default 256)")
      ->check(CLI::Range(1, 32'768));
  app.add_option("--burst", options.burst, "so many at once, the next when all are answered")
      ->check(CLI::Range(0, 1'000));
  app.add_option("--rate", options.rate, "queries a second (default: as fast as it goes)");
  app.add_option("--sockets", options.sockets, "source ports or connections (default 1)")
      ->check(CLI::Range(1, 256));
  app.add_flag("--json", options.json);
  app.add_option("--save-answers", options.save_answers, "over UDP: a file for bench_echo");
  CLI11_PARSE(app, argc, argv);
  const auto address = base::SocketAddress::parse(server);
  if (!address || question.empty() == file.empty()) {
    std::cerr << "needs ADDRESS@PORT, and a question or --questions\n";
    return 2;
  }
  options.server = *address;
  std::string line;
  for (const std::string& word : question) line += (line.empty() ? "" : " ") + word;
  if (file.empty()) {
    auto one = bench::parse_question(line, edns);
    if (!one) {
      std::cerr << base::to_string(one.error()) << '\n';
      return 2;
    }
    options.questions.push_back(*std::move(one));
  } else {
    auto all = bench::read_questions(file, edns);
    if (!all) {
      std::cerr << base::to_string(all.error()) << '\n';
      return 2;
    }
    options.questions = *std::move(all);
  }
  return tcp ? bench::measure<bench::TcpAsker>(options) : bench::measure<bench::UdpAsker>(options);
}
