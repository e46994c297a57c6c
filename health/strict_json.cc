#include "health/strict_json.h"

#include <vector>

namespace sluice::health {
namespace {

using nlohmann::json;

// Builds the document as the parser reports it. Returning false stops the parser.
class Builder final : public nlohmann::json_sax<json> {
 public:
  explicit Builder(std::size_t most_text) : most_text_(most_text) {}

  bool null() override { return place(json()); }
  bool boolean(bool value) override { return place(json(value)); }
  bool number_integer(number_integer_t value) override { return place(json(value)); }
  bool number_unsigned(number_unsigned_t value) override { return place(json(value)); }
  bool number_float(number_float_t value, const string_t&) override { return place(json(value)); }
  bool binary(binary_t&) override { return fail("must be JSON"); }
  bool string(string_t& value) override {
    if (value.size() > most_text_) {
      return fail("must not be longer than " + std::to_string(most_text_) + " octets");
    }
    return place(json(std::move(value)));
  }

  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    Level& level = levels_.back();
    if (name.size() > most_text_) {
      return fail("has a member whose name is over " + std::to_string(most_text_) + " octets");
    }
    level.key = std::move(name);
    if (level.value.contains(level.key)) return fail_at(path(), "must not be given twice");
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    if (error_) return false;
    return fail_at("", "must be JSON, is not from octet " + std::to_string(position) + " on");
  }

  base::Result<json, JsonError> result(bool parsed) && {
    if (error_) return base::Unexpected{std::move(*error_)};
    if (!parsed) return base::Unexpected{JsonError{{}, "must be JSON"}};
    return std::move(root_);
  }

 private:
  struct Level {
    json value;
    std::string key;  // of the member that is being read; objects only
  };

  // Of the value that comes next.
  std::string path() const {
    std::string text;
    for (const Level& level : levels_) {
      if (level.value.is_array()) {
        text += "[" + std::to_string(level.value.size()) + "]";
      } else {
        text = member_path(text, level.key);
      }
    }
    return text;
  }

  bool place(json value) {
    if (levels_.empty()) {
      root_ = std::move(value);
    } else if (levels_.back().value.is_array()) {
      levels_.back().value.push_back(std::move(value));
    } else {
      levels_.back().value.emplace(levels_.back().key, std::move(value));
    }
    return true;
  }
  bool open(json value) {
    if (levels_.size() == kMaxJsonDepth) return fail("is nested too deeply");
    levels_.push_back({std::move(value), {}});
    return true;
  }
  bool close() {
    json value = std::move(levels_.back().value);
    levels_.pop_back();
    return place(std::move(value));
  }

  bool fail(std::string message) { return fail_at(path(), std::move(message)); }
  bool fail_at(std::string path, std::string message) {
    error_ = JsonError{std::move(path), std::move(message)};
    return false;
  }

  std::size_t most_text_;
  json root_;
  std::vector<Level> levels_;
  std::optional<JsonError> error_;
};

}  // namespace

base::Result<json, JsonError> parse_json(std::string_view octets, std::size_t most_text) {
  // The parser takes a zero octet for the end of its input.
  const std::size_t zero = octets.find('\0');
  if (zero != std::string_view::npos) {
    return base::Unexpected{
        JsonError{{}, "must be JSON, is not from octet " + std::to_string(zero + 1) + " on"}};
  }
  Builder builder(most_text);
  const bool parsed = json::sax_parse(octets.begin(), octets.end(), &builder);
  return std::move(builder).result(parsed);
}

std::string member_path(std::string_view path, std::string_view name) {
  std::string joined(path);
  if (!joined.empty()) joined += '.';
  return joined.append(name);
}

JsonReader::JsonReader(const json& value, std::string path)
    : value_(value), path_(std::move(path)) {
  if (!value_.is_object()) error_ = JsonError{path_, "must be an object"};
}

const json* JsonReader::optional(std::string_view name) {
  if (error_) return nullptr;
  known_.emplace(name);
  const auto found = value_.find(name);
  return found == value_.end() || found->is_null() ? nullptr : &*found;
}

const json* JsonReader::required(std::string_view name) {
  const json* value = optional(name);
  if (value == nullptr) fail(name, "must be given");
  return value;
}

std::optional<std::string> JsonReader::text(std::string_view name) {
  const json* value = optional(name);
  if (value == nullptr) return {};
  if (value->is_string()) return value->get<std::string>();
  fail(name, "must be a text");
  return {};
}

std::string JsonReader::required_text(std::string_view name) {
  if (required(name) == nullptr) return {};
  std::string value = text(name).value_or("");
  if (value.empty()) fail(name, "must not be empty");
  return value;
}

std::optional<bool> JsonReader::flag(std::string_view name) {
  const json* value = optional(name);
  if (value == nullptr) return {};
  if (value->is_boolean()) return value->get<bool>();
  fail(name, "must be true or false");
  return {};
}

std::optional<std::uint64_t> JsonReader::integer(const json* value, std::string_view name,
                                                 std::uint64_t max) {
  if (value == nullptr) return {};
  if (value->is_number_unsigned() && value->get<std::uint64_t>() <= max) {
    return value->get<std::uint64_t>();
  }
  fail(name, "must be a whole number 0.." + std::to_string(max));
  return {};
}

void JsonReader::fail(std::string_view name, std::string message) {
  if (!error_) error_ = JsonError{member_path(path_, name), std::move(message)};
}

void JsonReader::take(std::optional<JsonError> nested) {
  if (!error_) error_ = std::move(nested);
}

std::optional<JsonError> JsonReader::finish() {
  if (error_) return std::move(error_);
  for (const auto& [name, member] : value_.items()) {
    if (!known_.contains(name)) return JsonError{member_path(path_, name), "is not known"};
  }
  return {};
}

}  // namespace sluice::health
