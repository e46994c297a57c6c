// The presentation format of SVCB and HTTPS records; svcb.cc has what their octets must be.
#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "config/base/address.h"
#include "dns/ldns.h"
#include "dns/zone/presentation.h"
#include "dns/zone/svcb.h"

namespace sluice::dns {

namespace {

using Octets = std::vector<std::uint8_t>;
using Value = std::optional<Octets>;  // nothing: not what the key takes

template <class T>
std::optional<T> parse_decimal(std::string_view text) noexcept {
  T number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

void put_u16(Octets& octets, std::uint16_t number) {
  octets.push_back(static_cast<std::uint8_t>(number >> 8));
  octets.push_back(static_cast<std::uint8_t>(number));
}

// By name, or as keyNNNNN without leading zeros (section 2.1).
std::optional<std::uint16_t> parse_key(std::string_view text) noexcept {
  // The registry as of RFC 9540 and RFC 9461.
  constexpr std::array<std::string_view, 9> kKeys = {"mandatory", "alpn",     "no-default-alpn",
                                                     "port",      "ipv4hint", "ech",
                                                     "ipv6hint",  "dohpath",  "ohttp"};
  const auto* named = std::ranges::find(kKeys, text);
  if (named != kKeys.end()) return static_cast<std::uint16_t>(named - kKeys.begin());
  if (!text.starts_with("key")) return std::nullopt;
  text.remove_prefix(3);
  if (text.size() > 1 && text.starts_with('0')) return std::nullopt;
  return parse_decimal<std::uint16_t>(text);
}

// A list at commas; "\," and "\\" are a comma and a backslash of an item (appendix A.1). Nothing:
// an empty item, or another escape.
std::optional<std::vector<std::string>> split_list(std::string_view text) {
  std::vector<std::string> items(1);
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == ',') {
      items.emplace_back();
      continue;
    }
    if (text[at] == '\\') {
      ++at;
      if (at == text.size() || (text[at] != ',' && text[at] != '\\')) return std::nullopt;
    }
    items.back() += text[at];
  }
  const bool empty = std::ranges::any_of(items, &std::string::empty);
  return empty ? std::nullopt : std::optional(std::move(items));
}

Value read_mandatory(const std::vector<std::string>& items) {
  std::vector<std::uint16_t> keys;
  for (const std::string& item : items) {
    const auto key = parse_key(item);
    if (!key) return std::nullopt;
    keys.push_back(*key);
  }
  std::ranges::sort(keys);  // ascending on the wire (section 8)
  Octets octets;
  for (const std::uint16_t key : keys) put_u16(octets, key);
  return octets;
}

Value read_alpn(const std::vector<std::string>& items) {
  Octets octets;
  for (const std::string& item : items) {
    if (item.size() > 255) return std::nullopt;
    octets.push_back(static_cast<std::uint8_t>(item.size()));
    octets.insert(octets.end(), item.begin(), item.end());
  }
  return octets;
}

Value read_addresses(const std::vector<std::string>& items, bool v4) {
  Octets octets;
  for (const std::string& item : items) {
    const auto address = base::IpAddress::parse(item);
    if (!address || address->is_v4() != v4) return std::nullopt;
    octets.insert(octets.end(), address->octets().begin(), address->octets().end());
  }
  return octets;
}

Value read_port(std::string_view text) {
  const auto port = parse_decimal<std::uint16_t>(text);
  if (!port) return std::nullopt;
  Octets octets;
  put_u16(octets, *port);
  return octets;
}

Value read_base64(const std::string& text) {
  ldns_rdf* raw = nullptr;
  const ldns_status status = ldns_str2rdf_b64(&raw, text.c_str());
  const LdnsRdf parsed(raw);
  if (status != LDNS_STATUS_OK) return std::nullopt;
  const std::uint8_t* octets = ldns_rdf_data(raw);
  return Octets(octets, octets + ldns_rdf_size(raw));
}

Value read_value(std::uint16_t key, const std::string& text) {
  const auto list = [&](auto&& read) -> Value {
    const auto items = split_list(text);
    return items ? read(*items) : std::nullopt;
  };
  switch (key) {
    case 0:
      return list(read_mandatory);
    case 1:
      return list(read_alpn);
    case 3:
      return read_port(text);
    case 4:
      return list([](const auto& items) { return read_addresses(items, true); });
    case 5:
      return read_base64(text);
    case 6:
      return list([](const auto& items) { return read_addresses(items, false); });
    default:
      return Octets(text.begin(), text.end());
  }
}

}  // namespace

base::Result<base::Done, std::string> read_svcb(std::span<const std::string_view> tokens,
                                                const Name& origin, Octets& rdata) {
  const auto wrong = [](std::string message) { return base::Unexpected{std::move(message)}; };
  if (tokens.size() < 2) return wrong("needs a priority and a target");
  const auto priority = parse_decimal<std::uint16_t>(tokens[0]);
  if (!priority) return wrong("the priority must be 0..65535");
  const auto target = parse_name(tokens[1], origin);
  if (!target) return wrong("the target is not a domain name");

  std::map<std::uint16_t, Octets> params;
  for (const std::string_view token : tokens.subspan(2)) {
    const std::size_t equals = token.find('=');
    const std::string_view word = token.substr(0, equals);
    const auto key = parse_key(word);
    if (!key) return wrong(shown(word) + " is no parameter: alpn, port, ... or keyNNNNN are");
    Value value = Octets();
    if (equals != std::string_view::npos) {
      const auto text = unquoted(token.substr(equals + 1));
      value = text ? read_value(*key, *text) : std::nullopt;
    }
    if (!value || value->size() > 65'535) return wrong(shown(token) + " is not what it takes");
    if (!params.emplace(*key, *std::move(value)).second) {
      return wrong(shown(word) + " stands there twice");
    }
  }

  rdata.clear();
  put_u16(rdata, *priority);
  rdata.insert(rdata.end(), target->wire().begin(), target->wire().end());
  for (const auto& [key, value] : params) {
    put_u16(rdata, key);
    put_u16(rdata, static_cast<std::uint16_t>(value.size()));
    rdata.insert(rdata.end(), value.begin(), value.end());
  }
  if (std::string mistake = svcb_mistake(rdata); !mistake.empty()) return wrong(std::move(mistake));
  return base::Done{};
}

}  // namespace sluice::dns
