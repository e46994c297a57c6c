#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::base {

// Octets as people write them: "512MiB", "1GiB", "65536". KiB, MiB, GiB are 1024, 1024^2, 1024^3.
std::optional<std::uint64_t> parse_size(std::string_view text);

// In the largest unit that divides it: "512MiB".
std::string size_text(std::uint64_t octets);

}  // namespace sluice::base
