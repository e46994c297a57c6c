#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/base/clock.h"
#include "config/base/result.h"
#include "health/cluster/records.h"
#include "health/stored_words.h"
#include "health/strict_json.h"

// How records are written as JSON and read from it: what all of them have in common. What is empty,
// false or absent is left out. Pure.
namespace sluice::cluster {

inline constexpr health::Words<health::Fallback, 5> kFallbacks{
    {{"none", health::Fallback::None},
     {"never-empty", health::Fallback::NeverEmpty},
     {"serve-held", health::Fallback::ServeHeld},
     {"addresses", health::Fallback::Addresses},
     {"nodata", health::Fallback::NoData}}};

// What a reader says of a wrong name.
inline constexpr const char* kNoServer = "must be the name of a server";
inline constexpr const char* kNoService = "must be the name of a service";

// An object that is being written.
class RecordWriter {
 public:
  RecordWriter& text(const char* name, std::string_view value);
  RecordWriter& texts(const char* name, const std::vector<std::string>& values);
  RecordWriter& flag(const char* name, bool value);
  RecordWriter& time(const char* name, base::WallTime value);
  RecordWriter& time(const char* name, const std::optional<base::WallTime>& value);
  RecordWriter& number(const char* name, std::uint64_t value);  // 0 too
  // As it is; nothing when it is null, an empty object or an empty array.
  RecordWriter& member(const char* name, nlohmann::json value);

  nlohmann::json take() { return std::move(object_); }
  std::string dump() const;

 private:
  nlohmann::json object_ = nlohmann::json::object();
};

// An object that is being read; see JsonReader. Absence is a mistake unless it says otherwise.
class RecordReader : public health::JsonReader {
 public:
  using JsonReader::JsonReader;

  std::string text_or_empty(std::string_view name) { return text(name).value_or(""); }
  bool flag_or_false(std::string_view name) { return flag(name).value_or(false); }
  std::vector<std::string> texts_or_none(std::string_view name);
  std::uint64_t number(std::string_view name, std::uint64_t max = health::kMaxJsonInteger);
  base::WallTime time(std::string_view name);
  std::optional<base::WallTime> time_or_none(std::string_view name);
  // A text that `is` true of; otherwise `wanted` says what it must be.
  std::string name(std::string_view name, bool (*is)(std::string_view), const char* wanted);
  template <class T, std::size_t N>
  T word(std::string_view name, const health::Words<T, N>& words) {
    const auto value = choice(name, words);
    if (!value && !failed()) fail(name, "must be given");
    return value.value_or(T{});
  }

  // Calls `entry(name, value)` for each member of that object, if it is there, until a mistake.
  template <class Entry>
  void each_member(std::string_view name, Entry&& entry) {
    const nlohmann::json* object = optional(name);
    if (object == nullptr) return;
    if (!object->is_object()) return fail(name, "must be an object");
    for (const auto& [key, value] : object->items()) {
      if (!failed()) entry(key, value);
    }
  }
  // Calls `entry(path, value)` for each element of that array, if it is there, until a mistake.
  template <class Entry>
  void each_element(std::string_view name, Entry&& entry) {
    const nlohmann::json* array = optional(name);
    if (array == nullptr) return;
    if (!array->is_array()) return fail(name, "must be an array");
    std::size_t index = 0;
    for (const auto& value : *array) {
      if (!failed()) entry(std::string(name) + "[" + std::to_string(index++) + "]", value);
    }
  }
};

// What stands under one key: the key without its group and slash, and the value (null: deleted).
struct Entry {
  std::string_view rest;
  const nlohmann::json* value = nullptr;
};
// The error: what is wrong, without the key.
using ReadRecord = base::Result<Record, std::string>;

base::Unexpected<std::string> wrong(std::string what);
base::Unexpected<std::string> wrong(const health::JsonError& error);

// The record, unless something was wrong with it.
template <class T>
ReadRecord finish(RecordReader& reader, T record) {
  if (const auto mistake = reader.finish_known()) return wrong(*mistake);
  return Record(std::move(record));
}

}  // namespace sluice::cluster
