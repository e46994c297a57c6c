#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "config/base/result.h"
#include "config/value.h"

namespace sluice::config {

// Names as the model has them: lower case, no final dot, labels of letters, digits, hyphens and
// underscores, 1..63 octets each (RFC 1035 section 2.3.4), hyphens inside only (RFC 952). The error
// says what would be right.
using CheckedName = base::Result<std::string, std::string>;

// The name of a zone or a pool: labels with dots between, 253 octets at most, which are 255 on the
// wire. Not an address.
CheckedName check_dns_name(std::string_view text);
// The name of a server: two labels at least, since one alone is the short form of something else.
CheckedName check_server_name(std::string_view text);
// A name below the pool: a DNS name without a final dot.
CheckedName check_relative_name(std::string_view text);
// "_service._proto" (RFC 2782).
CheckedName check_srv_name(std::string_view text);
// The name of a service, a component or a session counter: one label.
CheckedName check_label(std::string_view text);
// The name of a token: what an audit line can show; 1..64 letters, digits and "._-@+".
CheckedName check_token_name(std::string_view text);

// The value as a name, or what is wrong with it in the value's Findings.
std::optional<std::string> read_name(const Value& value, CheckedName (*check)(std::string_view));

// Who took which name, so that two never mean the same. Names may be taken by the hundred thousand.
class NameTable {
 public:
  struct Taken {
    int line = 0;
    const char* what = "";  // "server"; a literal
  };

  // The name stands for `what` from here on, if it is free; else an error at the value that names
  // the line where it was taken.
  bool take(const Value& at, const std::string& name, const char* what);
  const Taken* find(const std::string& name) const;
  // "; did you mean NAME?" with a name of that kind, or nothing. Looks at every name, hence only
  // some times, and not among very many.
  std::string hint(std::string_view typo, std::string_view what);

 private:
  std::unordered_map<std::string, Taken> names_;
  int hints_left_ = 20;  // who has more to mend has another problem
};

}  // namespace sluice::config
