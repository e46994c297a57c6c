#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "config/base/address.h"

// The file behind `pools: - list:`: servers' addresses in master-file format (RFC 1035 section 5),
// a record to a line. It may hold hundreds of thousands of them, so this is a reader of its own
// for exactly that: no library, no allocation for a record.
namespace sluice::config {

// One line: an address of the server `owner`.
struct ListRecord {
  std::string_view owner;   // absolute, lower case, no final dot; valid until the next line is read
  bool same_owner = false;  // as in the record before
  base::IpAddress address;  // of one machine
  int line = 0;             // counts from 1
};

// Reads `OWNER [TTL] [IN] A|AAAA ADDRESS` lines, `$ORIGIN` and `$TTL`, comments and empty lines.
// The owner is left out by beginning the line with a blank; `@` is the origin; names without a
// final dot are relative to $ORIGIN, which must come before. Names are those of config/names.h. A
// TTL must be the pools': nothing that is written here is silently ignored. Parentheses, quotes,
// escapes, other directives, types and classes are mistakes.
class ListFile {
 public:
  // `text` outlives the reader. `ttl`: the pools'.
  ListFile(std::string_view text, std::chrono::seconds ttl) : rest_(text), ttl_(ttl) {}

  // A record, or what is wrong with the line in its place ("must be ..., is ..."); neither: the
  // text is over. next() goes on behind a mistake, unless nothing below could be understood.
  struct Step {
    std::optional<ListRecord> record;
    std::string mistake;
    int line = 0;  // of the mistake
  };
  Step next();

 private:
  using Fault = std::string;  // empty: none

  std::string_view take_line();
  Fault read_directive(std::string_view line);
  // Neither record nor fault: the line has none.
  Fault read_record(std::string_view line, std::optional<ListRecord>& out);
  Fault take_owner(std::string_view& line, bool& same);
  Fault check_ttl(std::string_view text) const;
  // `text` as an absolute name, by $ORIGIN; `out` is what a message may show after a fault.
  Fault absolute(std::string_view text, std::string& out) const;

  std::string_view rest_;
  std::chrono::seconds ttl_;
  int line_ = 0;
  std::string origin_;        // empty: none yet
  std::string owner_;         // of the last record
  std::string_view spelt_;    // that owner as it stands in the text, under the same origin
  bool owner_known_ = false;  // else there was none yet
  bool owner_lost_ = false;   // it was a mistake, told once
};

}  // namespace sluice::config
