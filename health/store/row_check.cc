#include "health/store/row_check.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/base/fnv.h"

namespace sluice::health {
namespace {

class Digest {
 public:
  void add(std::string_view octets) { hash_.add(octets); }
  void add(unsigned char octet) { hash_.add(octet); }
  void add(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) {
      hash_.add(static_cast<unsigned char>((number >> shift) & 0xff));
    }
  }

  // The last octets reach FNV's high bits only: mixed once more, then folded.
  std::int64_t bits48() const {
    const std::uint64_t hash = hash_.value();
    std::uint64_t mixed = (hash ^ (hash >> 32)) * 0xd6e8feb86659fd93;
    mixed ^= mixed >> 32;
    return static_cast<std::int64_t>((mixed ^ (mixed >> 48)) & 0xffff'ffff'ffff);
  }

 private:
  base::Fnv1a hash_;
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
