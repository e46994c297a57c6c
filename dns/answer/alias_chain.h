#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dns/answer/answer_writer.h"
#include "dns/wire/name.h"
#include "dns/zone/zone_set.h"

namespace sluice::dns {

// The aliases at the beginning of an answer, one leading to the next: CNAMEs, and DNAMEs with the
// CNAMEs that they stand for (RFC 1034 section 4.3.2 step 3a, RFC 6672 section 3.2). Lives for one
// call; refers to what it is given.
class AliasChain {
 public:
  enum class Step : std::uint8_t {
    On,       // the question goes on for name()
    End,      // it has been there already, or the chain is too long to be meant
    NoRoom,   // the message is full
    TooLong,  // a DNAME makes a name of more than 255 octets
  };

  AliasChain(const ZoneSet& zones, const Name& qname, AnswerWriter& writer) noexcept
      : zones_(zones), writer_(writer), name_(qname) {}

  // Writes what the lookup of name() found, a Cname or Dname.
  Step add(const Lookup& lookup) noexcept;

  const Name& name() const noexcept { return name_; }
  // Where name() stands in the message, written out.
  std::size_t owner() const noexcept { return owner_; }

 private:
  // Longer ones are mistakes, or somebody's game.
  static constexpr std::size_t kMaxAliases = 16;

  Step add_dname(const Lookup& lookup) noexcept;
  Step add_cname(const RRset& cname) noexcept;
  bool stands_at(std::size_t offset) const noexcept;

  const ZoneSet& zones_;
  AnswerWriter& writer_;
  Name name_;
  std::size_t owner_ = kHeaderOctets;
  std::size_t aliases_ = 0;
  std::array<std::size_t, kMaxAliases> owners_{};     // where names stand that were gone on for
  std::array<std::uint32_t, kMaxAliases> written_{};  // by alias: its RRset in the zone
};

}  // namespace sluice::dns
