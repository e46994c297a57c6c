#pragma once

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/dns/answer/asking.h"

// What an answer becomes while TTLs count down, told by ldns from the same answer without.
namespace sluice::dns::fixture {

// The most that a record's TTL may be, by its owner in lower case; who is not here has no cap.
struct Caps {
  std::map<std::string, std::uint32_t> addresses;  // of A and AAAA: answer sets and hosts
  std::map<std::string, std::uint32_t> srv;        // of SRV, and of its targets' addresses
};

inline std::string owner_of(const ldns_rr* record) {
  const LdnsText text(ldns_rdf2str(ldns_rr_owner(record)));
  std::string owner(text.get());
  for (char& c : owner) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return owner;
}

inline bool is_address(const ldns_rr* record) {
  return ldns_rr_get_type(record) == LDNS_RR_TYPE_A ||
         ldns_rr_get_type(record) == LDNS_RR_TYPE_AAAA;
}

inline std::uint32_t cap_of(const std::map<std::string, std::uint32_t>& caps,
                            const std::string& owner) {
  const auto at = caps.find(owner);
  return at == caps.end() ? UINT32_MAX : at->second;
}

// Whether `lowered` has the records of `plain` with each TTL above its cap lowered to it, and
// differs in nothing else. Empty, or what is wrong.
inline std::string compare_countdown(const ldns_pkt* plain, const ldns_pkt* lowered,
                                     const Caps& caps) {
  // Of an SRV RRset in the answer the additional addresses go with it.
  std::uint32_t with_srv = UINT32_MAX;
  for (const bool additional : {false, true}) {
    const auto section = additional ? ldns_pkt_additional : ldns_pkt_answer;
    const ldns_rr_list* before = section(plain);
    const ldns_rr_list* after = section(lowered);
    if (ldns_rr_list_rr_count(before) != ldns_rr_list_rr_count(after)) return "other records";
    for (std::size_t index = 0; index < ldns_rr_list_rr_count(before); ++index) {
      const ldns_rr* was = ldns_rr_list_rr(before, index);
      ldns_rr* is = ldns_rr_list_rr(after, index);
      const std::string owner = owner_of(was);
      std::uint32_t most = UINT32_MAX;
      if (ldns_rr_get_type(was) == LDNS_RR_TYPE_SRV) most = cap_of(caps.srv, owner);
      if (!additional && ldns_rr_get_type(was) == LDNS_RR_TYPE_SRV) with_srv = most;
      if (is_address(was)) most = cap_of(caps.addresses, owner);
      if (is_address(was) && additional) most = std::min(most, with_srv);
      const std::uint32_t ttl = ldns_rr_ttl(is);
      if (ttl != std::min(ldns_rr_ttl(was), most)) {
        return owner + " has TTL " + std::to_string(ttl) + ", had " +
               std::to_string(ldns_rr_ttl(was)) + " before its cap of " + std::to_string(most);
      }
      ldns_rr_set_ttl(is, ldns_rr_ttl(was));
      if (LdnsText(ldns_rr2str(is)).get() != std::string(LdnsText(ldns_rr2str(was)).get())) {
        return owner + " has other data";
      }
      ldns_rr_set_ttl(is, ttl);
    }
  }
  if (texts(ldns_pkt_authority(plain)) != texts(ldns_pkt_authority(lowered))) {
    return "another authority section";
  }
  if (ldns_pkt_tc(plain) != ldns_pkt_tc(lowered)) return "another TC";
  return {};
}

}  // namespace sluice::dns::fixture
