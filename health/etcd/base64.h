#pragma once

#include <optional>
#include <string>
#include <string_view>

// Base64 (RFC 4648 section 4), in which etcd's JSON has keys and values. Pure.
namespace sluice::etcd {

std::string to_base64(std::string_view octets);
// Nothing for what is none: a foreign character, a wrong length, octets after the padding.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace sluice::etcd
