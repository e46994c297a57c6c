#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dns/answer/extended_error.h"
#include "dns/wire/query.h"
#include "dns/wire/types.h"
#include "dns/wire/writer.h"
#include "dns/zone/rrset.h"

namespace sluice::dns {

// Composes one answer from rendered RRsets, within a size limit and with room kept for OPT. An
// RRset is added whole or not at all (RFC 2181 section 9). Sections are filled in their order.
class AnswerWriter {
 public:
  // `octets` is the message that `query` was read from: its question is copied with its case, and
  // thus the first name of the answer stands at kHeaderOctets. `options` are those of OPT, as they
  // are sent; none for who sent no OPT. REQUIRES: room for kMinUdpPayload, and for question, OPT
  // and options.
  AnswerWriter(const Query& query, std::span<const std::uint8_t> octets,
               std::span<std::uint8_t> room, std::span<const std::uint8_t> options = {}) noexcept;

  // Adds an RRset whose owner name stands at `owner` in the message; uncompressed, if the RRset has
  // pointers in its RDATA. False: no room, nothing added.
  bool add(Section section, const RRset& rrset, std::size_t owner) noexcept;

  // The same for records of any owners, whose pointers take the message to begin `shift` octets
  // later than it does.
  bool add_shifted(Section section, std::span<const std::uint8_t> records,
                   std::size_t shift) noexcept;

  // The same for `rrset` whose records have one size each and no pointer but their owner's. The
  // record number `first` comes first, then those behind it, then those before it.
  bool add_rotated(Section section, const RRset& rrset, std::size_t first,
                   std::size_t owner) noexcept;

  // Some of the records of `rrset`, which has no pointer but their owner's: those of the `chosen`
  // groups, of which number i ends at `ends[i]` of its octets and begins where the one before ends.
  // rrset.count: the records of the chosen. False also when the owner is out of a pointer's reach.
  bool add_groups(Section section, const RRset& rrset, std::span<const std::uint32_t> ends,
                  std::span<const std::uint16_t> chosen, std::size_t owner) noexcept;

  // Lowers to `most` seconds what is above it of the TTLs of the records from `start` on, where one
  // begins.
  void cap_ttls(std::size_t start, std::uint32_t most) noexcept;

  // Without OPT, which finish() adds.
  std::size_t size() const noexcept { return writer_.size(); }
  bool fits(std::size_t octets) const noexcept { return writer_.fits(octets); }
  // What was written before, to be changed in place.
  std::uint8_t* at(std::size_t offset) noexcept { return writer_.at(offset); }

  void set_authoritative() noexcept { flags_ |= kFlagAA; }
  void set_truncated() noexcept { flags_ |= kFlagTC; }
  // Sent with OPT when the answer leaves room for it, and never instead of a record (RFC 8914
  // section 3). `error` lives as long as the writer; the last one counts.
  void explain(const ExtendedError& error) noexcept { error_ = &error; }

  // Writes header and OPT, returns the size of the message. `payload`: what OPT says that we take.
  std::size_t finish(Rcode rcode, std::uint16_t payload) noexcept;

 private:
  void count(Section section, std::size_t records) noexcept {
    counts_[static_cast<std::size_t>(section)] =
        static_cast<std::uint16_t>(counts_[static_cast<std::size_t>(section)] + records);
  }
  void move_owners(std::size_t start, std::size_t owner) noexcept;
  bool add_spelled_out(Section section, const RRset& rrset, std::size_t owner) noexcept;
  std::size_t write_options(std::uint8_t* at, std::size_t room) noexcept;

  const Query& query_;
  std::span<std::uint8_t> room_;
  std::span<const std::uint8_t> options_;
  const ExtendedError* error_ = nullptr;
  WireWriter writer_;  // has the room less what OPT needs
  std::uint16_t flags_;
  std::array<std::uint16_t, 3> counts_{};  // by Section
};

}  // namespace sluice::dns
