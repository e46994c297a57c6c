#include "health/store/row_check.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::health {
namespace {

// FNV-1a, 64 bits: each octet is a bijection of the state, so that one changed octet alone never
// goes unnoticed before the fold.
class Digest {
 public:
  void add(std::string_view octets) {
    for (const char octet : octets) add(static_cast<unsigned char>(octet));
  }
  void add(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) {
      add(static_cast<unsigned char>((number >> shift) & 0xff));
    }
  }
  void add(unsigned char octet) { state_ = (state_ ^ octet) * 0x100000001b3; }

  // The last octets reach FNV's high bits only: mixed once more, then folded.
  std::int64_t bits48() const {
    std::uint64_t mixed = (state_ ^ (state_ >> 32)) * 0xd6e8feb86659fd93;
    mixed ^= mixed >> 32;
    return static_cast<std::int64_t>((mixed ^ (mixed >> 48)) & 0xffff'ffff'ffff);
  }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325;
};

}  // namespace

void row_check(sqlite3_context* context, int count, sqlite3_value** values) {
  Digest digest;
  for (int i = 0; i < count; ++i) {
    const int type = sqlite3_value_type(values[i]);
    digest.add(static_cast<unsigned char>(type));
    if (type == SQLITE_INTEGER) {
      digest.add(static_cast<std::uint64_t>(sqlite3_value_int64(values[i])));
    } else if (type != SQLITE_NULL) {
      // The octets first: they may have to be converted, which changes their number.
      const auto* octets = static_cast<const char*>(sqlite3_value_blob(values[i]));
      const auto size = static_cast<std::size_t>(sqlite3_value_bytes(values[i]));
      digest.add(static_cast<std::uint64_t>(size));
      if (size > 0) digest.add(std::string_view(octets, size));
    }
  }
  sqlite3_result_int64(context, digest.bits48());
}

}  // namespace sluice::health
