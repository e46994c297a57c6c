#pragma once

#include <cstdint>
#include <string_view>

#include "health/snapshot.h"

namespace sluice::dns {

// Extended DNS Errors (RFC 8914): a word of explanation beside an answer, for people who debug.
struct ExtendedError {
  std::uint16_t code;     // INFO-CODE
  std::string_view text;  // EXTRA-TEXT, UTF-8; short, for it must never cost a record
};

inline constexpr ExtendedError kStaleAnswer{3, "cut off: who accepts may have changed"};
inline constexpr ExtendedError kNotAuthoritative{20, {}};
inline constexpr ExtendedError kNotSupported{21, {}};
inline constexpr ExtendedError kInvalidType{30, {}};
inline constexpr ExtendedError kNoTransfers{18, "no zone transfers"};
inline constexpr ExtendedError kNoUpdates{18, "no dynamic updates"};
inline constexpr ExtendedError kNoNotifies{18, "no zone takes a NOTIFY"};
inline constexpr ExtendedError kHidden{18, {}};

// Why a pool answers as it does when not with its accepting members. The assigned codes speak of
// resolvers that failed, and none of these is a failure: so code 0, Other, with the reason in
// words (RFC 8914 section 4.1). Lives for ever. REQUIRES: not Fallback::None.
const ExtendedError& explanation_of(health::Fallback fallback) noexcept;

}  // namespace sluice::dns
