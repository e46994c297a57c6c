#pragma once

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "config/value.h"

namespace sluice::config {

// Typed reads of one mapping. A read of a key that is not there leaves the default alone. A key
// that is given twice is an error at once; a key that nobody asked for is an error when the Mapping
// goes out of scope, so that no reader can forget to look for typos.
//
//   Mapping block(value);
//   block.read("fall", check.fall, 1, 20);        // "checks[0].fall: must be 1..20, is 0"
//   block.read("interval", check.interval, 100ms, 1h);
//
// An empty value is a mapping without keys: what is left when every line of it is a comment.
class Mapping {
 public:
  explicit Mapping(const Value& value);
  ~Mapping();  // says which keys are unknown
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  // The value of a key, or nothing. It must not outlive this Mapping.
  std::optional<Value> find(std::string_view key);
  // The same; that it is missing is an error, which says what is wanted: "the addresses to answer
  // on".
  std::optional<Value> require(std::string_view key, std::string_view wanted);

  // Nothing may stand here yet: a key of a later version.
  void refuse(std::string_view key);

  template <class Number>
  requires std::is_unsigned_v<Number>
  void read(std::string_view key, Number& out, std::type_identity_t<Number> min,
            std::type_identity_t<Number> max) {
    if (const auto value = find(key)) {
      if (const auto number = value->number(min, max)) out = static_cast<Number>(*number);
    }
  }
  void read(std::string_view key, base::Duration& out, base::Duration min, base::Duration max);
  void read(std::string_view key, bool& out);

  // For a mapping whose keys are names that the operator chose: calls `visit(const Value& key,
  // const Value& value)` for each, in order. All keys are known then.
  template <class Visit>
  void each(Visit&& visit) {
    for (Entry& entry : entries_) {
      if (entry.known) continue;
      entry.known = true;
      visit(at_key(entry), Value(self_, entry.key, 0, entry.value));
    }
  }

  // Whether each key has been asked for: nothing is known of what a mistyped one was meant to be.
  bool all_known() const noexcept;

  const Value& value() const noexcept { return self_; }

 private:
  struct Entry {
    std::string_view key;
    Document::Id key_node = 0;
    Document::Id value = 0;
    bool known = false;  // asked for, or complained about
  };

  void find_duplicates();
  void complain_unknown(const Entry& entry) const;
  Value at_key(const Entry& entry) const { return {self_, entry.key, 0, entry.key_node}; }

  Value self_;
  bool is_mapping_;
  std::vector<Entry> entries_;
  std::vector<std::string_view> asked_;
};

}  // namespace sluice::config
