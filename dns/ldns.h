#pragma once

#include <cstdlib>
#include <memory>

// The one door to ldns: zone text at load, the judge in tests and fuzzers, the tools. Never on the
// path of a query.
//
// Its headers make bool, true and false into macros unless <stdbool.h> came first (and unless
// HAVE_STDBOOL_H is defined, see CMakeLists.txt), and that breaks <optional> in C++20.
// clang-format off
#include <stdbool.h>  // NOLINT(modernize-deprecated-headers)
#include <ldns/ldns.h>
// clang-format on

namespace sluice::dns {

struct LdnsFree {
  void operator()(ldns_rr* rr) const noexcept { ldns_rr_free(rr); }
  void operator()(ldns_rr_list* list) const noexcept { ldns_rr_list_deep_free(list); }
  void operator()(ldns_rdf* rdf) const noexcept { ldns_rdf_deep_free(rdf); }
  void operator()(ldns_pkt* packet) const noexcept { ldns_pkt_free(packet); }
  void operator()(ldns_buffer* buffer) const noexcept { ldns_buffer_free(buffer); }
  void operator()(char* text) const noexcept { std::free(text); }
  void operator()(unsigned char* octets) const noexcept { std::free(octets); }
};

using LdnsRR = std::unique_ptr<ldns_rr, LdnsFree>;
using LdnsRRList = std::unique_ptr<ldns_rr_list, LdnsFree>;
using LdnsRdf = std::unique_ptr<ldns_rdf, LdnsFree>;
using LdnsPacket = std::unique_ptr<ldns_pkt, LdnsFree>;
using LdnsBuffer = std::unique_ptr<ldns_buffer, LdnsFree>;
using LdnsText = std::unique_ptr<char, LdnsFree>;
using LdnsOctets = std::unique_ptr<unsigned char, LdnsFree>;

}  // namespace sluice::dns
