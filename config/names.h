#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/large_pages.h"
#include "config/base/result.h"
#include "config/value.h"

namespace sluice::config {

// Names as the model has them: lower case, no final dot, labels of letters, digits, hyphens and
// underscores, 1..63 octets each (RFC 1035 section 2.3.4), hyphens inside only (RFC 952). The error
// says what would be right.
using CheckedName = base::Result<std::string, std::string>;

// Of a name as it is written: 255 octets on the wire (RFC 1035 section 2.3.4), where a length
// stands before each label and the root behind.
inline constexpr std::size_t kMaxName = 253;
inline constexpr std::size_t kMaxLabel = 63;

// The name of a zone or a pool: labels with dots between, kMaxName octets at most. Not an address.
CheckedName check_dns_name(std::string_view text);
// The name of a server: two labels at least, since one alone is the short form of something else.
CheckedName check_server_name(std::string_view text);
// A name below the pool: a DNS name without a final dot.
CheckedName check_relative_name(std::string_view text);
// "_service._proto" (RFC 2782).
CheckedName check_srv_name(std::string_view text);
// The name of a service, a component or a session counter: one label.
CheckedName check_label(std::string_view text);
// What fails together, such as a rack or a site: one word of letters, digits, "-", "_" and "."; 63
// octets at most, in lower case.
CheckedName check_domain(std::string_view text);
// The name of a token: what an audit line can show; 1..64 letters, digits and "._-@+".
CheckedName check_token_name(std::string_view text);

// The value as a name, or what is wrong with it in the value's Findings.
std::optional<std::string> read_name(const Value& value, CheckedName (*check)(std::string_view));

// Who took which name, so that two never mean the same. Names may be taken by the million: they lie
// one behind another, found through one flat hash table.
class NameTable {
 public:
  struct Taken {
    int line = 0;
    const char* what = "";              // "server"; a literal
    const std::string* file = nullptr;  // outlives the table; null: the configuration itself
  };

  // The name is taken from here on, if it is free: then its number, counted from 0 in the order of
  // taking. Else nothing; find() says who has it.
  std::optional<std::uint32_t> claim(std::string_view name, Taken by);
  // Makes room for so many more names.
  void reserve(std::size_t names);
  // The same as claim() for a value; that the name is not free is an error there, which names the
  // line where it was taken.
  bool take(const Value& at, std::string_view name, const char* what);

  // Valid until the next name is taken.
  const Taken* find(std::string_view name) const;
  std::optional<std::uint32_t> number(std::string_view name) const;
  std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(entries_.size()); }
  // "s1.example is already the name of the server in line 7"
  std::string clash(std::string_view name) const;

  // "; did you mean NAME?" with a name of that kind, or nothing. Looks at every name, hence only
  // some times, and not among very many.
  std::string hint(std::string_view typo, std::string_view what);

 private:
  struct Entry {
    std::size_t first = 0;  // octet, in octets_
    std::size_t size = 0;
    Taken taken;
  };
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t entry = 0;  // its number + 1; 0: free
  };

  template <class T>
  using Large = std::vector<T, base::LargePages<T>>;

  std::string_view name_of(const Entry& entry) const noexcept {
    return {octets_.data() + entry.first, entry.size};
  }
  // The name's slot, or the free one where it would be. REQUIRES: a free slot.
  std::size_t slot_of(std::string_view name, std::uint32_t hash) const noexcept;
  void resize_slots(std::size_t slots);

  Large<char> octets_;
  Large<Entry> entries_;
  Large<Slot> slots_;    // a power of two, at most half of them taken
  int hints_left_ = 20;  // who has more to mend has another problem
};

}  // namespace sluice::config
