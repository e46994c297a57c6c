#include "dns/wire/name.h"

#include <bit>
#include <cassert>

namespace sluice::dns {

namespace {

std::uint64_t load_word(const std::uint8_t* at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Eight octets at a time. Length octets are at most 63 and so are never taken for a letter: a whole
// name in wire form can be folded.
std::uint64_t lower(std::uint64_t word) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x80 * kOnes;
  const std::uint64_t low_bits = word & ~kHigh;
  const std::uint64_t after_z = low_bits + (0x7F - 'Z') * kOnes;
  const std::uint64_t from_a = low_bits + (0x80 - 'A') * kOnes;
  const std::uint64_t upper = ~word & (from_a ^ after_z) & kHigh;
  return word | (upper >> 2);
}

// The first `count` octets of a word in memory order, 1..8; the others zero.
std::uint64_t first_octets(std::uint64_t word, std::size_t count) noexcept {
  const auto unused = static_cast<unsigned>(8 * (8 - count));
  if constexpr (std::endian::native == std::endian::little) {
    return (word << unused) >> unused;
  } else {
    return (word >> unused) << unused;
  }
}

// Any number with bits all over.
constexpr std::uint64_t kRootHash = 0x2545F4914F6CDD1D;

// A product of 128 bits, folded: each bit of the result depends on all bits of the word, so tables
// may take any of them. (The low half alone does not see the upper octets: the numbers at the end
// of "fe0123" went to a third of the slots.)
std::uint64_t mix(std::uint64_t hash, std::uint64_t word) noexcept {
  __extension__ using Product = unsigned __int128;
  const Product product = Product{hash ^ word} * 0x9E3779B97F4A7C15;  // 2^64 / golden ratio
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

base::Result<Name, NameError> Name::read(WireReader& reader) noexcept {
  Name name;
  const auto read = name.assign(reader);
  if (!read) return base::Unexpected{read.error()};
  return name;
}

base::Result<base::Done, NameError> Name::assign(WireReader& reader) noexcept {
  const std::span<const std::uint8_t> wire = reader.rest();
  std::size_t size = 0;
  std::size_t labels = 0;
  for (;; ++labels) {
    if (size >= wire.size()) return base::Unexpected{NameError::Truncated};
    const std::uint8_t length = wire[size];
    if (length > kMaxLabelOctets) {
      return base::Unexpected{length >= 0xC0 ? NameError::Compressed : NameError::BadLabel};
    }
    size += 1U + length;
    if (size > kMaxOctets) return base::Unexpected{NameError::TooLong};
    if (length == 0) break;
  }
  reader.skip(size);
  assign_lower(wire.first(size), labels);
  return base::Done{};
}

base::Result<Name, NameError> Name::parse(std::string_view text) noexcept {
  if (text == ".") return Name();
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty()) return base::Unexpected{NameError::EmptyLabel};
  std::array<std::uint8_t, kMaxOctets> wire{};
  std::size_t size = 0;
  std::size_t labels = 0;
  for (bool more = true; more; ++labels) {
    const std::size_t dot = text.find('.');
    more = dot != std::string_view::npos;
    const std::string_view label = text.substr(0, dot);
    if (label.empty()) return base::Unexpected{NameError::EmptyLabel};
    if (label.size() > kMaxLabelOctets) return base::Unexpected{NameError::BadLabel};
    // Its length octet, and the root's, which is still to come.
    if (size + 1 + label.size() + 1 > kMaxOctets) return base::Unexpected{NameError::TooLong};
    wire[size] = static_cast<std::uint8_t>(label.size());
    std::memcpy(wire.data() + size + 1, label.data(), label.size());
    size += 1 + label.size();
    text.remove_prefix(more ? dot + 1 : label.size());
  }
  Name name;
  name.assign_lower(std::span(wire).first(size + 1), labels);
  return name;
}

void Name::assign_lower(std::span<const std::uint8_t> wire, std::size_t labels) noexcept {
  std::memcpy(octets_.data(), wire.data(), wire.size());
  std::memset(octets_.data() + wire.size(), 0, kWord);
  for (std::size_t at = 0; at < wire.size(); at += 8) {
    const std::uint64_t word = lower(load_word(octets_.data() + at));
    std::memcpy(octets_.data() + at, &word, sizeof word);
  }
  size_ = static_cast<std::uint8_t>(wire.size());
  labels_ = static_cast<std::uint8_t>(labels);
}

bool Name::is_within(const Name& ancestor) const noexcept {
  if (labels_ < ancestor.labels_) return false;
  std::size_t at = 0;
  for (std::size_t label = labels_; label > ancestor.labels_; --label) at += 1U + octets_[at];
  return size_ - at == ancestor.size_ &&
         std::memcmp(octets_.data() + at, ancestor.octets_.data(), ancestor.size_) == 0;
}

Name Name::parent() const noexcept {
  assert(labels_ > 0);
  Name name;
  const std::size_t skipped = 1U + octets_[0];
  name.assign_lower(wire().subspan(skipped), labels_ - 1U);
  return name;
}

std::string Name::to_string() const {
  if (labels_ == 0) return ".";
  std::string text;
  for (std::size_t at = 0; octets_[at] != 0; at += 1U + octets_[at]) {
    if (at > 0) text += '.';
    for (const std::uint8_t octet : wire().subspan(at + 1, octets_[at])) {
      if (octet > 0x20 && octet < 0x7F) {
        if (octet == '.' || octet == '\\') text += '\\';
        text += static_cast<char>(octet);
      } else {
        text += '\\';
        for (const int digit : {octet / 100, octet / 10 % 10, octet % 10}) {
          text += static_cast<char>('0' + digit);
        }
      }
    }
  }
  return text;
}

SuffixHashes::SuffixHashes(const Name& name) noexcept : labels_(name.labels_) {
  const std::uint8_t* octets = name.octets_.data();
  std::size_t at = 0;
  for (std::size_t label = 0; label < labels_; ++label) {
    offsets_[label] = static_cast<std::uint8_t>(at);
    at += 1U + octets[at];
  }
  offsets_[labels_] = static_cast<std::uint8_t>(at);
  std::uint64_t hash = kRootHash;
  hashes_[labels_] = hash;
  for (std::size_t label = labels_; label-- > 0;) {
    // The length octet is part of it: "ab.c" and "a.bc" differ. Words are read beyond the label's
    // end, and within the room of a Name.
    std::size_t left = 1U + octets[offsets_[label]];
    const std::uint8_t* word = octets + offsets_[label];
    for (; left > 8; left -= 8, word += 8) hash = mix(hash, load_word(word));
    hash = mix(hash, first_octets(load_word(word), left));
    hashes_[label] = hash;
  }
}

}  // namespace sluice::dns
