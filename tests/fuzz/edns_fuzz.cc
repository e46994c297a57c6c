// RDATA of an OPT record -> the options that we know, each where it stands; or refused, when they
// do not fill it. Held against a second reader that walks the options in the plainest way. The
// first octets are payload size, version and flags.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dns/wire/edns.h"
#include "dns/wire/writer.h"
#include "tests/fuzz/require.h"

namespace {

using namespace sluice::dns;
using sluice::fuzz::require;

struct Option {
  std::uint16_t code = 0;
  std::size_t at = 0;  // of its data
  std::size_t octets = 0;
};

// Nothing: they don't fill the RDATA, which begins at `at`.
std::optional<std::vector<Option>> walk(std::span<const std::uint8_t> message, std::size_t at) {
  std::vector<Option> options;
  while (at < message.size()) {
    if (message.size() - at < kOptionOctets) return {};
    const Option option{load_u16(message.data() + at), at + kOptionOctets,
                        load_u16(message.data() + at + 2)};
    if (message.size() - option.at < option.octets) return {};
    options.push_back(option);
    at = option.at + option.octets;
  }
  return options;
}

std::size_t count(const std::vector<Option>& options, OptionCode code) {
  return static_cast<std::size_t>(
      std::ranges::count(options, static_cast<std::uint16_t>(code), &Option::code));
}

const Option* first(const std::vector<Option>& options, OptionCode code) {
  const auto found = std::ranges::find(options, static_cast<std::uint16_t>(code), &Option::code);
  return found == options.end() ? nullptr : &*found;
}

// RFC 7871 section 6, in words of its own: address bits are as many as the prefix says.
bool is_subnet(std::span<const std::uint8_t> data) {
  if (data.size() < 4 || data[3] != 0) return false;
  const unsigned family = load_u16(data.data());
  const unsigned prefix = data[2];
  if (prefix > (family == 1 ? 32U : family == 2 ? 128U : 0U) || family > 2) return false;
  const auto address = data.subspan(4);
  if (address.size() != (prefix + 7) / 8) return false;
  for (std::size_t bit = prefix; bit < 8 * address.size(); ++bit) {
    if ((address[bit / 8] & (0x80U >> bit % 8)) != 0) return false;
  }
  return true;
}

void require_options(std::span<const std::uint8_t> message, const EdnsOptions& found,
                     const std::vector<Option>& options) {
  const Option* cookie = first(options, OptionCode::Cookie);
  const Option* subnet = first(options, OptionCode::ClientSubnet);
  require(found.has(EdnsOptions::kNsid) == (count(options, OptionCode::Nsid) > 0));
  require(found.has(EdnsOptions::kCookie) == (cookie != nullptr));
  require(found.has(EdnsOptions::kClientSubnet) == (subnet != nullptr));
  bool malformed = count(options, OptionCode::ClientSubnet) > 1;
  if (cookie != nullptr) {
    const bool good = cookie->octets == 8 || (cookie->octets >= 16 && cookie->octets <= 40);
    malformed = malformed || !good;
    if (good) require(found.cookie_at == cookie->at && found.cookie_octets == cookie->octets);
  }
  if (subnet != nullptr) {
    malformed = malformed || !is_subnet(message.subspan(subnet->at, subnet->octets));
  }
  require(found.has(EdnsOptions::kMalformed) == malformed);
  if (subnet != nullptr && !malformed) {
    require(found.subnet_at == subnet->at && found.subnet_octets == subnet->octets);
  }
  bool asked = false;
  bool timed = false;
  for (const Option& option : options) {
    if (option.code != static_cast<std::uint16_t>(OptionCode::TcpKeepalive)) continue;
    (option.octets == 0 ? asked : timed) = true;
  }
  require(found.has(EdnsOptions::kKeepalive) == asked);
  require(found.has(EdnsOptions::kKeepaliveTimeout) == timed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kHead = 5;      // payload size, version, flags
  constexpr std::size_t kBefore = 37;   // octets of a message before its OPT record
  constexpr std::size_t kMost = 4'096;  // what a message over UDP may have
  if (size < kHead || size > kMost) return 0;
  std::vector<std::uint8_t> message(kBefore);
  message.insert(message.end(), {data[0], data[1], 0, data[2], data[3], data[4]});
  const std::size_t octets = size - kHead;
  message.insert(message.end(), {static_cast<std::uint8_t>(octets >> 8),
                                 static_cast<std::uint8_t>(octets & 0xFF)});
  const std::size_t at = message.size();
  message.insert(message.end(), data + kHead, data + size);

  WireReader reader(message);
  reader.skip(kBefore);
  const auto edns = read_opt(reader);
  const auto options = walk(message, at);
  const bool known = data[2] == 0;
  require(edns.has_value() == (!known || options.has_value()));
  if (!edns) return 0;
  require(reader.ok() && reader.at_end());
  require(edns->payload == std::max<unsigned>(512, load_u16(data)) && edns->version == data[2]);
  require(edns->dnssec_ok == ((data[3] & 0x80) != 0));
  if (known) require_options(message, edns->options, *options);
  if (!known) require(edns->options.seen == 0);
  return 0;
}
