// Octets of a query. Whatever we accept, ldns accepts too, and reads the same question and OPT.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "dns/ldns.h"
#include "dns/wire/query.h"
#include "dns/wire/writer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  const auto query = dns::parse_query({data, size});
  if (!query) return 0;
  // RDATA of additional records other than OPT is walked over: ldns may know better what is wrong
  // with it.
  if (dns::load_u16(data + 10) != (query->edns ? 1 : 0)) return 0;
  ldns_pkt* raw = nullptr;
  if (ldns_wire2pkt(&raw, data, size) != LDNS_STATUS_OK) std::abort();
  const dns::LdnsPacket packet(raw);
  if (ldns_pkt_id(raw) != query->id) std::abort();
  if (ldns_pkt_edns(raw) != query->edns.has_value()) std::abort();
  if (query->question_octets == 0) return 0;
  const ldns_rr* question = ldns_rr_list_rr(ldns_pkt_question(raw), 0);
  if (ldns_rr_get_type(question) != static_cast<ldns_rr_type>(query->qtype)) std::abort();
  if (ldns_rr_get_class(question) != static_cast<ldns_rr_class>(query->qclass)) std::abort();
  if (ldns_rdf_size(ldns_rr_owner(question)) != query->qname.size()) std::abort();
  if (query->edns && ldns_pkt_edns_version(raw) != query->edns->version) std::abort();
  return 0;
}
