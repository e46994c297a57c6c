#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/address.h"
#include "config/base/result.h"

// DNS messages as this program sends and reads them: ldns does the octets, nobody else here sees
// it. Names are in lower case without a final dot (the root is "."); every text is printable().
namespace sluice::ctl {

using RRType = std::uint16_t;
constexpr RRType kTypeA = 1;  // RFC 1035 section 3.2.2
constexpr RRType kTypeNs = 2;
constexpr RRType kTypeSoa = 6;
constexpr RRType kTypeAaaa = 28;  // RFC 3596
constexpr RRType kTypeSrv = 33;   // RFC 2782

constexpr std::uint8_t kNoError = 0;   // RFC 1035 section 4.1.1
constexpr std::uint8_t kNXDomain = 3;  // RFC 8020: nothing below it either
constexpr std::uint8_t kRefused = 5;

struct Question {
  std::string name;
  RRType type = kTypeA;
  bool recursion = false;  // RD: for a resolver

  friend bool operator==(const Question&, const Question&) = default;
};

struct Record {
  std::string owner;
  RRType type = 0;
  std::uint32_t ttl = 0;
  std::string data;                        // as master files have it
  std::optional<base::IpAddress> address;  // of A and AAAA
  std::string target;                      // of SRV and NS
};

struct Message {
  std::uint16_t id = 0;
  std::uint16_t rcode = kNoError;  // with EDNS' upper bits
  bool authoritative = false;
  bool truncated = false;
  bool recursion_desired = false;
  bool recursion_available = false;
  std::vector<Record> answer;
  std::vector<Record> authority;
  std::vector<Record> additional;
  std::vector<std::string> explanations;  // EDE (RFC 8914): "Stale Answer (3): text"

  // How long resolvers may keep "there is none" in the zone whose SOA this is an answer about (RFC
  // 2308 section 5).
  std::optional<std::uint32_t> negative_ttl() const;
};

// "A", "srv", "TYPE64": nothing for what is no type, or none that can be asked for in a question.
std::optional<RRType> parse_type(std::string_view text);
std::string type_name(RRType type);
std::string rcode_name(std::uint16_t rcode);

// The octets of a query with EDNS; the error says why `name` is no name.
base::Result<std::vector<std::uint8_t>, std::string> encode_query(const Question& question,
                                                                  std::uint16_t id);

// Whether these octets are an answer to that query at all: what is not, on UDP, may be anybody's.
bool answers(std::span<const std::uint8_t> octets, const Question& question, std::uint16_t id);

// A whole message; the error is a sentence.
base::Result<Message, std::string> decode_message(std::span<const std::uint8_t> octets);

}  // namespace sluice::ctl
