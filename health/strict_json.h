#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "config/base/result.h"

// JSON from outside (RFC 8259), read strictly: what agents push and what operators ask. Pure.
namespace sluice::health {

struct JsonError {
  std::string path;     // of the member: "services.front-end.health"; empty: the whole document
  std::string message;  // "must be up, down or stopped"
};

// Deeper than anything that we read (a session counter is at depth 4), and far from a stack's end.
inline constexpr std::size_t kMaxJsonDepth = 8;
// Of a text or a member's name, in octets.
inline constexpr std::size_t kMaxJsonText = 1'024;
// What every JSON implementation carries exactly (RFC 8259 section 6): 2^53 - 1.
inline constexpr std::uint64_t kMaxJsonInteger = (1ULL << 53) - 1;

// Accepts any octets. Members that occur twice, nesting beyond kMaxJsonDepth and texts or names
// over `most_text` are errors like wrong syntax.
base::Result<nlohmann::json, JsonError> parse_json(std::string_view octets,
                                                   std::size_t most_text = kMaxJsonText);

// "a.b", or "b" when `path` is empty.
std::string member_path(std::string_view path, std::string_view name);

// Reads an object member by member. The first mistake is kept and later reads yield nothing, so
// that a reader reads everything and asks finish() once. A member that is null counts as absent.
class JsonReader {
 public:
  // `value` must outlive the reader.
  JsonReader(const nlohmann::json& value, std::string path);

  // The member, whatever it is, or null.
  const nlohmann::json* optional(std::string_view name);
  // The same; absence is a mistake.
  const nlohmann::json* required(std::string_view name);

  std::optional<std::string> text(std::string_view name);
  std::string required_text(std::string_view name);  // not empty
  std::optional<bool> flag(std::string_view name);

  // `value` as a whole number 0..max.
  std::optional<std::uint64_t> integer(const nlohmann::json* value, std::string_view name,
                                       std::uint64_t max);

  template <class T, std::size_t N>
  std::optional<T> choice(std::string_view name,
                          const std::array<std::pair<std::string_view, T>, N>& choices) {
    const nlohmann::json* value = optional(name);
    if (value == nullptr) return {};
    std::string wanted;
    for (std::size_t i = 0; i < N; ++i) {
      if (value->is_string() && value->get_ref<const std::string&>() == choices[i].first) {
        return choices[i].second;
      }
      wanted += i == 0 ? "" : i + 1 == N ? " or " : ", ";
      wanted += choices[i].first;
    }
    fail(name, "must be " + wanted);
    return {};
  }

  void fail(std::string_view name, std::string message);
  // Takes over a mistake of a nested object.
  void take(std::optional<JsonError> nested);
  bool failed() const noexcept { return error_.has_value(); }

  // The first mistake; members that nobody asked for are one.
  std::optional<JsonError> finish();
  // The first mistake; members that nobody asked for are a newer version's, and left alone.
  std::optional<JsonError> finish_known() { return std::move(error_); }

 private:
  const nlohmann::json& value_;
  std::string path_;
  std::optional<JsonError> error_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace sluice::health
