#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/base/clock.h"
#include "tools/sluicectl/lookup/lookups.h"
#include "tools/sluicectl/lookup/message.h"
#include "tools/sluicectl/verify/expected.h"

// One answer against the authority's state. Pure.
namespace sluice::ctl {

// From the best to the worst.
enum class Finding : std::uint8_t {
  Right,
  Stale,     // a cache that may still have what it has
  Changing,  // the state was another one before and after each look: not judged
  Wrong,
  Truncated,  // and TCP does not help
  NotAuthoritative,
  Refused,
  Failed,  // another RCODE that is no answer
  Malformed,
  NoAnswer,
  NotAsked,
};
const char* to_string(Finding finding) noexcept;  // "right", "no-answer"

struct Judgement {
  Finding finding = Finding::Right;
  std::string text;                     // for people; may be empty when right
  std::optional<base::WallTime> until;  // Stale: by then it must be gone
};

// Who was asked decides what its answer has to be: a resolver may answer from its cache.
enum class Source : std::uint8_t { Responder, NameServer, Resolver };

// Of an authoritative answer, wherever it comes from, nothing less than the state of now is right.
Judgement judge(const Expected& expected, const Reply& reply, Source source, base::WallTime now);

// A change of state between the looks before and after the question is nobody's fault: the better
// of both judgements.
Judgement better(Judgement one, Judgement other);

// Over UDP truncation is no fault where TCP has the whole answer.
Judgement settle_truncated(Judgement udp, const Judgement& tcp);

// Scripts fail on it (exit code 1).
bool is_fault(Finding finding) noexcept;

}  // namespace sluice::ctl
