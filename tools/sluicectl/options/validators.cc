#include "tools/sluicectl/options/validators.h"

#include <algorithm>
#include <charconv>

#include "config/base/duration.h"
#include "config/base/nearest.h"
#include "tools/sluicectl/lookup/message.h"
#include "tools/sluicectl/render/text.h"
#include "tools/sluicectl/time_words.h"

namespace sluice::ctl {

// Without a port, that of DNS.
std::optional<base::SocketAddress> parse_dns_server(const std::string& text) {
  if (const auto whole = base::SocketAddress::parse(text)) {
    return whole->port == 0 ? std::nullopt : whole;
  }
  const auto address = base::IpAddress::parse(text);
  if (!address) return {};
  return base::SocketAddress{*address, base::kDnsPort};
}

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

CLI::Validator one_of(const std::vector<std::string>& words) {
  return CLI::Validator(
      [words](std::string& text) {
        if (std::ranges::find(words, text) != words.end()) return std::string();
        return "'" + text + "' must be " + joined(words, " or ") +
               base::did_you_mean(text, {words.begin(), words.end()});
      },
      "{" + joined(words, ",") + "}");
}

CLI::Validator a_number(unsigned least, unsigned most) {
  return CLI::Validator(
      [least, most](std::string& text) {
        unsigned number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        const bool whole = error == std::errc{} && end == text.data() + text.size();
        if (whole && number >= least && number <= most) return std::string();
        return "'" + text + "' must be a number from " + std::to_string(least) + " to " +
               std::to_string(most);
      },
      "");
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

const CLI::Validator& a_type() {
  static const CLI::Validator validator(
      [](std::string& text) {
        return parse_type(text) ? std::string() : "'" + text + "' is no type: A, AAAA, SRV, NS";
      },
      "");
  return validator;
}

const CLI::Validator& a_dns_server() {
  static const CLI::Validator validator(
      [](std::string& text) {
        return parse_dns_server(text) ? std::string()
                                      : "'" + text +
                                            "' is no ADDRESS or ADDRESS@PORT: 192.0.2.1@53, "
                                            "2001:db8::1";
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
