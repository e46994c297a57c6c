#include "dns/zone/svcb.h"

#include <algorithm>
#include <vector>

#include "dns/wire/name.h"
#include "dns/wire/reader.h"

namespace sluice::dns {

namespace {

// SvcParamKeys (RFC 9460 section 14.3.2).
enum class Key : std::uint16_t {
  Mandatory = 0,
  Alpn = 1,
  NoDefaultAlpn = 2,
  Port = 3,
  Ipv4Hint = 4,
  Ech = 5,
  Ipv6Hint = 6,
  Invalid = 65'535,
};

struct Param {
  Key key = Key::Mandatory;
  std::span<const std::uint8_t> value;
};

std::string name_of(Key key) {
  constexpr const char* kNames[] = {"mandatory", "alpn", "no-default-alpn", "port",
                                    "ipv4hint",  "ech",  "ipv6hint"};
  const auto number = static_cast<std::uint16_t>(key);
  return number < std::size(kNames) ? kNames[number] : "key" + std::to_string(number);
}

bool has(std::span<const Param> params, Key key) {
  return std::ranges::find(params, key, &Param::key) != params.end();
}

// One or more strings, none of them empty (section 7.1.1).
bool is_alpn(std::span<const std::uint8_t> value) {
  WireReader reader(value);
  while (!reader.at_end()) {
    const std::uint8_t size = reader.u8();
    reader.skip(size);
    if (size == 0 || !reader.ok()) return false;
  }
  return !value.empty();
}

// Keys that are there too, ascending, `mandatory` not among them (section 8).
std::string mandatory_mistake(std::span<const std::uint8_t> value, std::span<const Param> params) {
  if (value.empty() || value.size() % 2 != 0) return "mandatory names no keys";
  WireReader reader(value);
  int last = -1;
  while (!reader.at_end()) {
    const auto key = static_cast<Key>(reader.u16());
    if (key == Key::Mandatory) return "mandatory names itself";
    if (static_cast<int>(key) <= last) return "mandatory names " + name_of(key) + " twice";
    if (!has(params, key)) return "mandatory names " + name_of(key) + ", which is not there";
    last = static_cast<int>(key);
  }
  return {};
}

std::string value_mistake(const Param& param, std::span<const Param> params) {
  const std::size_t size = param.value.size();
  switch (param.key) {
    case Key::Mandatory:
      return mandatory_mistake(param.value, params);
    case Key::Alpn:
      return is_alpn(param.value) ? "" : "alpn needs one or more protocols, such as alpn=h2,h3";
    case Key::NoDefaultAlpn:
      if (size != 0) return "no-default-alpn has no value";
      // Section 7.1.1: with neither there would be no protocol left.
      return has(params, Key::Alpn) ? "" : "no-default-alpn needs alpn";
    case Key::Port:
      return size == 2 ? "" : "port needs a number, 0..65535";
    case Key::Ipv4Hint:
      return size > 0 && size % 4 == 0 ? "" : "ipv4hint needs one or more IPv4 addresses";
    case Key::Ipv6Hint:
      return size > 0 && size % 16 == 0 ? "" : "ipv6hint needs one or more IPv6 addresses";
    case Key::Ech:
      return size > 0 ? "" : "ech needs a value";
    case Key::Invalid:
      return "key65535 is reserved";  // section 14.3.2
  }
  return {};
}

}  // namespace

std::string svcb_mistake(std::span<const std::uint8_t> rdata) {
  WireReader reader(rdata);
  const std::uint16_t priority = reader.u16();
  if (!Name::read(reader)) return "RDATA is malformed";
  std::vector<Param> params;
  while (!reader.at_end()) {
    Param param;
    param.key = static_cast<Key>(reader.u16());
    const std::uint16_t size = reader.u16();
    param.value = reader.octets(size);
    if (!reader.ok()) return "RDATA is malformed";
    if (!params.empty() && params.back().key == param.key) {
      return name_of(param.key) + " stands there twice";
    }
    // Strictly ascending on the wire (section 2.2), where ldns puts them so.
    if (!params.empty() && params.back().key > param.key) return "RDATA is malformed";
    params.push_back(param);
  }
  // Recipients must ignore them (section 2.4.2), so whoever wrote them meant something else.
  if (priority == 0 && !params.empty()) return "priority 0 (an alias) takes no parameters";
  for (const Param& param : params) {
    if (std::string mistake = value_mistake(param, params); !mistake.empty()) return mistake;
  }
  return {};
}

}  // namespace sluice::dns
