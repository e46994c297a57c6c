#include "tools/bench/load/exchange.h"

#include <cstring>

#include "dns/wire/types.h"
#include "dns/wire/writer.h"

namespace sluice::bench {

void Exchange::take(std::span<const std::uint8_t> answer, std::uint64_t time) noexcept {
  if (answer.size() < dns::kHeaderOctets) {
    ++tally_.wrong_question;
    return;
  }
  const std::uint16_t id = dns::load_u16(answer.data());
  if (asked_at_[id] == 0) {  // given up before, or never asked
    ++(static_cast<std::uint16_t>(next_ - id) < 32'768 ? tally_.late : tally_.wrong_id);
    return;
  }
  tally_.latencies.add(time - asked_at_[id]);
  asked_at_[id] = 0;
  --under_way_;
  ++tally_.answered;
  const Question& asked = question(id);
  const std::size_t octets = asked.question_end - dns::kHeaderOctets;
  if ((answer[2] & 0x80) == 0 || answer.size() < asked.question_end ||
      std::memcmp(answer.data() + dns::kHeaderOctets, asked.octets.data() + dns::kHeaderOctets,
                  octets) != 0) {
    ++tally_.wrong_question;
  } else if ((answer[3] & 0x0F) != asked.rcode) {
    ++tally_.wrong_rcode;
  } else if (asked.answers >= 0 && dns::load_u16(answer.data() + 6) != asked.answers) {
    ++tally_.wrong_count;
  }
}

void Exchange::give_up(std::uint64_t time) noexcept {
  for (; oldest_ != next_; ++oldest_) {
    std::uint64_t& asked_at = asked_at_[oldest_];
    if (asked_at == 0) continue;
    if (asked_at + kLostAfter > time) return;
    asked_at = 0;
    --under_way_;
    ++tally_.lost;
  }
}

}  // namespace sluice::bench
