#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "tools/bench/load/latency.h"
#include "tools/bench/load/questions.h"

namespace sluice::bench {

inline std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

// What all sockets of a run counted together.
struct Tally {
  std::uint64_t sent = 0, answered = 0, lost = 0, late = 0;
  std::uint64_t wrong_id = 0, wrong_question = 0, wrong_rcode = 0, wrong_count = 0;
  Latencies latencies;

  std::uint64_t wrong() const noexcept {
    return wrong_id + wrong_question + wrong_rcode + wrong_count;
  }
};

// The queries under way on one socket. A query's ID is its number modulo 65,536, and its question
// the ID modulo the number of questions: who knows the ID knows what was asked, bench_echo too.
class Exchange {
 public:
  Exchange(std::span<const Question> questions, Tally& tally) noexcept
      : questions_(questions), tally_(tally) {}

  unsigned under_way() const noexcept { return under_way_; }
  // The ID of the query that ask() notes next, and its question.
  std::uint16_t next_id() const noexcept { return next_; }
  const Question& question(std::uint16_t id) const noexcept {
    return questions_[id % questions_.size()];
  }

  // The next query was sent. REQUIRES: at most 32,768 under way.
  void ask(std::uint64_t time) noexcept {
    asked_at_[next_++] = time;
    ++under_way_;
    ++tally_.sent;
  }
  // Checks ID, QR, the question, RCODE and number of answers.
  void take(std::span<const std::uint8_t> answer, std::uint64_t time) noexcept;
  // What takes longer than a second does not come; of UDP.
  void give_up(std::uint64_t time) noexcept;

  static constexpr std::uint64_t kLostAfter = 1'000'000'000;  // ns

 private:
  std::span<const Question> questions_;
  Tally& tally_;
  std::uint16_t next_ = 0, oldest_ = 0;
  unsigned under_way_ = 0;
  std::vector<std::uint64_t> asked_at_ = std::vector<std::uint64_t>(65'536);  // 0: not asked
};

}  // namespace sluice::bench
