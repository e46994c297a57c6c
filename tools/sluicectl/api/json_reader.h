#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/base/clock.h"
#include "config/base/result.h"

namespace sluice::ctl {

// Keeps the members in the order in which the authority wrote them: that of its configuration.
using Json = nlohmann::ordered_json;

// Octets of whoever answered, as a document. Refuses what nests deeper than the API ever does, so
// that no answer costs more memory than a small multiple of its octets. The error is a sentence.
base::Result<Json, std::string> parse_document(std::string_view octets);

// The one way from a foreign document to our own structs. Reading what is not there, or is of
// another type, yields an empty value and a failure that names the path; whoever reads takes a
// whole structure and asks once. Members that we do not know are left alone: the API grows.
// Every text comes out printable(). The document must outlive the reader.
class JsonReader {
 public:
  // `failure` keeps the first failure of this reader and of all that come from it.
  JsonReader(const Json& value, std::string& failure) : value_(&value), failure_(&failure) {}

  // The member has to be there.
  std::string text(std::string_view member);
  bool flag(std::string_view member);
  std::uint64_t number(std::string_view member);
  base::WallTime time(std::string_view member);

  // Absent and null are alike.
  std::optional<std::string> text_if(std::string_view member);
  std::optional<bool> flag_if(std::string_view member);
  std::optional<std::uint64_t> number_if(std::string_view member);
  std::optional<double> decimal_if(std::string_view member);
  std::optional<base::WallTime> time_if(std::string_view member);
  std::optional<JsonReader> object_if(std::string_view member);
  std::vector<std::string> texts(std::string_view member);  // absent: none

  bool has(std::string_view member) const { return find(member) != nullptr; }

  // Calls visit(JsonReader&) for each object of an array; absent: none.
  template <class Visit>
  void each(std::string_view member, Visit visit) {
    const Json* list = typed(member, Json::value_t::array, "a list");
    if (list == nullptr) return;
    for (std::size_t at = 0; at < list->size(); ++at) {
      JsonReader element((*list)[at], *failure_, path_of(member) + "[" + std::to_string(at) + "]");
      if (element.is_object()) visit(element);
    }
  }
  // Calls visit(name, JsonReader&) for each member of an object, all of them objects.
  template <class Visit>
  void each_member(std::string_view member, Visit visit) {
    const Json* object = typed(member, Json::value_t::object, "an object");
    if (object == nullptr) return;
    for (const auto& [name, value] : object->items()) {
      JsonReader element(value, *failure_, path_of(member) + "." + safe(name));
      if (element.is_object()) visit(safe(name), element);
    }
  }
  // The members of an object of numbers; absent or null: nothing.
  std::optional<std::vector<std::pair<std::string, std::uint64_t>>> numbers_if(
      std::string_view member);

  // Fails otherwise.
  bool is_object();

 private:
  JsonReader(const Json& value, std::string& failure, std::string path)
      : value_(&value), failure_(&failure), path_(std::move(path)) {}

  const Json* find(std::string_view member) const;  // null: absent, or JSON's null
  const Json* typed(std::string_view member, Json::value_t type, const char* what);
  std::optional<std::uint64_t> as_number(const Json& value, const std::string& path);
  std::string path_of(std::string_view member) const;
  void fail(const std::string& path, const std::string& what);
  static std::string safe(std::string_view text);

  const Json* value_;
  std::string* failure_;
  std::string path_;  // empty: the document
};

// Reads a whole document by `read`; the error names the member that was not as it should be.
template <class T>
base::Result<T, std::string> read_answer(const Json& document, T (*read)(JsonReader&)) {
  std::string failure;
  JsonReader reader(document, failure);
  if (reader.is_object()) {
    T value = read(reader);
    if (failure.empty()) return value;
  }
  return base::Unexpected{std::move(failure)};
}

}  // namespace sluice::ctl
