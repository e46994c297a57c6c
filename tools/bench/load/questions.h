#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/error.h"

namespace sluice::bench {

// A query as it is sent, its ID to be set, and what its answer must be like.
struct Question {
  std::vector<std::uint8_t> octets;
  std::size_t question_end = 0;  // the header and the question, without OPT
  std::uint8_t rcode = 0;
  int answers = -1;  // records in the answer section; -1: any number
};

// "NAME TYPE [RCODE [ANSWERS]]": NAME without a final dot; TYPE A, AAAA or SRV; RCODE NOERROR
// (default), NXDOMAIN or REFUSED; ANSWERS a number or "any" (default). `edns`: with an OPT record
// that takes 1232 octets.
base::Checked<Question> parse_question(std::string_view line, bool edns);

// One question a line; blank lines and those that begin with # say nothing. At least one.
base::Checked<std::vector<Question>> read_questions(const std::string& file, bool edns);

}  // namespace sluice::bench
