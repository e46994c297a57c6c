#include "tools/sluicectl/api/json_reader.h"

#include "health/rfc3339.h"
#include "tools/sluicectl/render/text.h"

namespace sluice::ctl {
namespace {

// The deepest document of the API (pools, servers, services, verdict, reasons) has 11 levels.
constexpr std::size_t kDeepest = 64;

bool nests_too_deep(std::string_view octets) {
  std::size_t depth = 0;
  bool in_text = false;
  for (std::size_t at = 0; at < octets.size(); ++at) {
    const char octet = octets[at];
    if (in_text) {
      if (octet == '\\') ++at;
      if (octet == '"') in_text = false;
    } else if (octet == '"') {
      in_text = true;
    } else if (octet == '[' || octet == '{') {
      if (++depth > kDeepest) return true;
    } else if ((octet == ']' || octet == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

}  // namespace

base::Result<Json, std::string> parse_document(std::string_view octets) {
  if (nests_too_deep(octets)) return base::Unexpected<std::string>{"its JSON nests too deep"};
  Json document = Json::parse(octets, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) return base::Unexpected<std::string>{"it is not JSON"};
  return document;
}

std::string JsonReader::safe(std::string_view text) {
  return printable(text);
}

std::string JsonReader::path_of(std::string_view member) const {
  return (path_.empty() ? "" : path_ + ".") + std::string(member);
}

void JsonReader::fail(const std::string& path, const std::string& what) {
  if (failure_->empty()) *failure_ = (path.empty() ? "the document" : path) + " " + what;
}

bool JsonReader::is_object() {
  if (value_->is_object()) return true;
  fail(path_, "is not an object");
  return false;
}

const Json* JsonReader::find(std::string_view member) const {
  if (!value_->is_object()) return nullptr;
  const auto found = value_->find(std::string(member));
  return found == value_->end() || found->is_null() ? nullptr : &*found;
}

const Json* JsonReader::typed(std::string_view member, Json::value_t type, const char* what) {
  const Json* value = find(member);
  if (value == nullptr || value->type() == type) return value;
  fail(path_of(member), "is not " + std::string(what));
  return nullptr;
}

std::optional<std::string> JsonReader::text_if(std::string_view member) {
  const Json* value = typed(member, Json::value_t::string, "a text");
  if (value == nullptr) return {};
  return safe(value->get_ref<const std::string&>());
}

std::optional<bool> JsonReader::flag_if(std::string_view member) {
  const Json* value = typed(member, Json::value_t::boolean, "true or false");
  if (value == nullptr) return {};
  return value->get<bool>();
}

std::optional<std::uint64_t> JsonReader::as_number(const Json& value, const std::string& path) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  fail(path, "is not a whole number");
  return {};
}

std::optional<std::uint64_t> JsonReader::number_if(std::string_view member) {
  const Json* value = find(member);
  if (value == nullptr) return {};
  return as_number(*value, path_of(member));
}

std::optional<double> JsonReader::decimal_if(std::string_view member) {
  const Json* value = find(member);
  if (value == nullptr) return {};
  if (value->is_number()) return value->get<double>();
  fail(path_of(member), "is not a number");
  return {};
}

std::optional<base::WallTime> JsonReader::time_if(std::string_view member) {
  const auto text = text_if(member);
  if (!text) return {};
  const auto time = health::parse_rfc3339(*text);
  if (!time) fail(path_of(member), "is not a time of RFC 3339");
  return time;
}

base::WallTime JsonReader::time(std::string_view member) {
  if (!has(member)) fail(path_of(member), "is missing");
  return time_if(member).value_or(base::WallTime{});
}

std::string JsonReader::text(std::string_view member) {
  if (!has(member)) fail(path_of(member), "is missing");
  return text_if(member).value_or("");
}

bool JsonReader::flag(std::string_view member) {
  if (!has(member)) fail(path_of(member), "is missing");
  return flag_if(member).value_or(false);
}

std::uint64_t JsonReader::number(std::string_view member) {
  if (!has(member)) fail(path_of(member), "is missing");
  return number_if(member).value_or(0);
}

std::optional<JsonReader> JsonReader::object_if(std::string_view member) {
  const Json* value = typed(member, Json::value_t::object, "an object");
  if (value == nullptr) return {};
  return JsonReader(*value, *failure_, path_of(member));
}

std::vector<std::string> JsonReader::texts(std::string_view member) {
  std::vector<std::string> found;
  const Json* list = typed(member, Json::value_t::array, "a list");
  if (list == nullptr) return found;
  for (const Json& element : *list) {
    if (!element.is_string()) {
      fail(path_of(member), "is not a list of texts");
      break;
    }
    found.push_back(safe(element.get_ref<const std::string&>()));
  }
  return found;
}

std::optional<std::vector<std::pair<std::string, std::uint64_t>>> JsonReader::numbers_if(
    std::string_view member) {
  const Json* object = typed(member, Json::value_t::object, "an object");
  if (object == nullptr) return {};
  std::vector<std::pair<std::string, std::uint64_t>> found;
  for (const auto& [name, value] : object->items()) {
    const std::string shown = safe(name);
    found.emplace_back(shown, as_number(value, path_of(member) + "." + shown).value_or(0));
  }
  return found;
}

}  // namespace sluice::ctl
