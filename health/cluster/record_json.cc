#include "health/cluster/record_json.h"

#include <utility>

#include "health/rfc3339.h"

namespace sluice::cluster {

using nlohmann::json;

RecordWriter& RecordWriter::text(const char* name, std::string_view value) {
  if (!value.empty()) object_[name] = value;
  return *this;
}

RecordWriter& RecordWriter::texts(const char* name, const std::vector<std::string>& values) {
  if (!values.empty()) object_[name] = values;
  return *this;
}

RecordWriter& RecordWriter::flag(const char* name, bool value) {
  if (value) object_[name] = true;
  return *this;
}

RecordWriter& RecordWriter::time(const char* name, base::WallTime value) {
  object_[name] = health::to_rfc3339(value);
  return *this;
}

RecordWriter& RecordWriter::time(const char* name, const std::optional<base::WallTime>& value) {
  return value ? time(name, *value) : *this;
}

RecordWriter& RecordWriter::number(const char* name, std::uint64_t value) {
  object_[name] = value;
  return *this;
}

RecordWriter& RecordWriter::member(const char* name, json value) {
  if (!value.empty()) object_[name] = std::move(value);  // null counts as empty
  return *this;
}

std::string RecordWriter::dump() const {
  // What is no UTF-8 (a reason that an old store has) is no reason to end the process.
  return object_.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::vector<std::string> RecordReader::texts_or_none(std::string_view name) {
  std::vector<std::string> texts;
  each_element(name, [&](const std::string& path, const json& value) {
    if (!value.is_string()) return fail(path, "must be a text");
    texts.push_back(value.get<std::string>());
  });
  return texts;
}

std::uint64_t RecordReader::number(std::string_view name, std::uint64_t max) {
  return integer(required(name), name, max).value_or(0);
}

base::WallTime RecordReader::time(std::string_view name) {
  required(name);
  return time_or_none(name).value_or(base::WallTime{});
}

std::optional<base::WallTime> RecordReader::time_or_none(std::string_view name) {
  const auto written = text(name);
  if (!written) return {};
  const auto time = health::parse_rfc3339(*written);
  if (!time) fail(name, "must be a time of RFC 3339");
  return time;
}

std::string RecordReader::name(std::string_view name, bool (*is)(std::string_view),
                               const char* wanted) {
  std::string text = required_text(name);
  if (!failed() && !is(text)) fail(name, wanted);
  return text;
}

base::Unexpected<std::string> wrong(std::string what) {
  return base::Unexpected{std::move(what)};
}

base::Unexpected<std::string> wrong(const health::JsonError& error) {
  return wrong(error.path.empty() ? error.message : error.path + " " + error.message);
}

}  // namespace sluice::cluster
