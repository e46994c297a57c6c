#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "config/base/result.h"
#include "dns/wire/reader.h"

namespace sluice::dns {

enum class NameError : std::uint8_t {
  Truncated,   // the octets end within the name
  BadLabel,    // longer than 63 octets, or of an unassigned label type
  TooLong,     // more than 255 octets in all
  Compressed,  // a pointer where none may be
  EmptyLabel,  // text only: two dots in a row, or nothing at all
};

// An absolute domain name (RFC 1034 section 3.1) in uncompressed wire form, lower-cased (names
// compare without regard to case, RFC 4343), stored inline: no allocation. A copy
// takes as many octets as the name has (rounded up), not as many as it might have.
class Name {
 public:
  static constexpr std::size_t kMaxOctets = 255;      // RFC 1035 section 2.3.4
  static constexpr std::size_t kMaxLabelOctets = 63;  // RFC 1035 section 2.3.4
  static constexpr std::size_t kMaxLabels = 127;      // of one octet each, and the root

  Name() noexcept { std::memset(octets_.data(), 0, kWord); }  // the root
  Name(const Name& other) noexcept { copy(other); }
  Name& operator=(const Name& other) noexcept {
    copy(other);
    return *this;
  }
  ~Name() = default;

  // Reads an uncompressed name. A question carries the first name of a message and so has nothing
  // to point back to: compression here is an error. After an error the reader stands where it was.
  static base::Result<Name, NameError> read(WireReader& reader) noexcept;
  // The same into this name, which an error leaves as it was.
  base::Result<base::Done, NameError> assign(WireReader& reader) noexcept;

  // "pool01.contoso.example", with a final dot or without. No escapes: for the names of a
  // configuration; zone text goes through ldns.
  static base::Result<Name, NameError> parse(std::string_view text) noexcept;

  // With the root's length octet.
  std::span<const std::uint8_t> wire() const noexcept { return {octets_.data(), size_}; }
  std::size_t size() const noexcept { return size_; }
  // Without the root: 3 for "www.example.org".
  std::size_t labels() const noexcept { return labels_; }

  bool is_wildcard() const noexcept { return octets_[0] == 1 && octets_[1] == '*'; }
  // Itself is within itself.
  bool is_within(const Name& ancestor) const noexcept;
  // What follows the first label. Not of the root.
  Name parent() const noexcept;

  // For people: no final dot, unprintable octets as \DDD (RFC 1035 section 5.1); the root is ".".
  std::string to_string() const;

  friend bool operator==(const Name& left, const Name& right) noexcept {
    return left.size_ == right.size_ &&
           std::memcmp(left.octets_.data(), right.octets_.data(), left.size_) == 0;
  }

 private:
  friend class SuffixHashes;

  void assign_lower(std::span<const std::uint8_t> wire, std::size_t labels) noexcept;

  void copy(const Name& other) noexcept {
    // Whole chunks, with the word behind the name that hashing reads (and masks).
    for (std::size_t at = 0; at < other.size_ + kWord; at += kChunk) {
      std::memmove(octets_.data() + at, other.octets_.data() + at, kChunk);
    }
    size_ = other.size_;
    labels_ = other.labels_;
  }

  static constexpr std::size_t kWord = 8;
  static constexpr std::size_t kChunk = 32;
  // The longest name and a word behind it, in whole chunks.
  static constexpr std::size_t kRoom = 288;

  std::array<std::uint8_t, kRoom> octets_;  // set up to size_ + kWord
  std::uint8_t size_ = 1;
  std::uint8_t labels_ = 0;
};

// The hash of a name is made from the root towards the first label, so that one pass over a name
// yields the hashes of all its suffixes: what a table of names is asked for one after another to
// find the closest encloser. Suffix 0 is the whole name, suffix labels() the root.
class SuffixHashes {
 public:
  explicit SuffixHashes(const Name& name) noexcept;

  std::uint64_t hash(std::size_t suffix) const noexcept { return hashes_[suffix]; }
  // Of a hash, what a table's slot keeps beside its place, which the lower half chose.
  static std::uint32_t tag(std::uint64_t hash) noexcept {
    return static_cast<std::uint32_t>(hash >> 32);
  }
  // Where the suffix begins in the name's wire form.
  std::size_t offset(std::size_t suffix) const noexcept { return offsets_[suffix]; }
  std::size_t labels() const noexcept { return labels_; }

 private:
  std::size_t labels_;
  std::array<std::uint64_t, Name::kMaxLabels + 1> hashes_;  // the first labels_ + 1 are set
  std::array<std::uint8_t, Name::kMaxLabels + 1> offsets_;
};

}  // namespace sluice::dns
