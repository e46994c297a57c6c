#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dns/wire/name.h"

// The words of a master file (RFC 1035 section 5.1): tokens as MasterFileScanner cuts them.
namespace sluice::dns {

inline constexpr std::uint32_t kMaxTtl = 0x7FFFFFFF;  // seconds, RFC 2181 section 8

// Without regard to the case of ASCII letters.
bool same_word(std::string_view left, std::string_view right) noexcept;

// "300" or "1h30m", in seconds. Nothing: no TTL at all; above kMaxTtl: too large, by how much is
// not said.
std::optional<std::uint64_t> parse_ttl(std::string_view text) noexcept;

// A class by name or as CLASSnnn (RFC 3597 section 5), served or not.
bool is_class(std::string_view text) noexcept;

// A name with escapes, relative to the origin unless it ends with a dot; "@" is the origin.
std::optional<Name> parse_name(std::string_view text, const Name& origin);

// Without quotes, and with escapes resolved: "\"" and "\059". Nothing: a bad escape, or a quote
// within the word.
std::optional<std::string> unquoted(std::string_view token);

// Foreign text for a message: at most 60 octets, what is not printable ASCII as \DDD.
std::string shown(std::string_view text);

}  // namespace sluice::dns
