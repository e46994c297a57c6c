#include "tools/sluicectl/options/validators.h"

#include <algorithm>

#include "config/base/duration.h"
#include "tools/sluicectl/time_words.h"

namespace sluice::ctl {

std::string no_duration(const std::string& text) {
  return "'" + text + "' is no duration: 90s, 15m, 2h or 1h30m";
}

const CLI::Validator& a_duration() {
  static const CLI::Validator validator(
      [](std::string& text) {
        return base::parse_duration(text) ? std::string() : no_duration(text);
      },
      "DURATION");
  return validator;
}

const CLI::Validator& not_empty() {
  static const CLI::Validator validator(
      [](std::string& text) { return text.empty() ? "must not be empty" : std::string(); }, "");
  return validator;
}

const CLI::Validator& a_name() {
  static const CLI::Validator validator(
      [](std::string& text) {
        const bool plain = !text.empty() && std::ranges::all_of(text, [](char octet) {
          return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
                 (octet >= '0' && octet <= '9') || octet == '-' || octet == '_' || octet == '.';
        });
        return plain ? std::string() : "'" + text + "' must be of letters, digits, - _ .";
      },
      "");
  return validator;
}

const CLI::Validator& a_time() {
  static const CLI::Validator validator(
      [](std::string& text) {
        const auto wrong = no_time(text);
        return wrong ? *wrong : std::string();
      },
      "TIME");
  return validator;
}

const CLI::Validator& an_expiry() {
  static const CLI::Validator validator(
      [](std::string& text) {
        const auto expiry = api_expiry(text);
        return expiry ? std::string() : expiry.error();
      },
      "DURATION");
  return validator;
}

}  // namespace sluice::ctl
