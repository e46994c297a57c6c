#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "config/base/snapshot.h"
#include "dns/answer/respond.h"
#include "dns/ldns.h"
#include "tests/dns/answer/serving_fixture.h"

// Asks respond() and lets ldns judge the octets of the answer.
namespace sluice::dns::fixture {

using Octets = std::vector<std::uint8_t>;

inline Octets to_wire(const ldns_pkt* packet) {
  std::uint8_t* raw = nullptr;
  std::size_t size = 0;
  if (ldns_pkt2wire(&raw, packet, &size) != LDNS_STATUS_OK) throw std::runtime_error("no packet");
  const LdnsOctets owner(raw);
  return {raw, raw + size};
}

struct Question {
  std::string name;
  std::string type = "A";
  std::uint16_t payload = 0;  // 0: no OPT
  bool dnssec_ok = false;
};

inline Octets to_wire(const Question& question) {
  const LdnsPacket packet(ldns_pkt_query_new(ldns_dname_new_frm_str(question.name.c_str()),
                                             ldns_get_rr_type_by_name(question.type.c_str()),
                                             LDNS_RR_CLASS_IN, LDNS_RD));
  ldns_pkt_set_id(packet.get(), 0x4711);
  if (question.payload > 0) ldns_pkt_set_edns_udp_size(packet.get(), question.payload);
  if (question.dnssec_ok) ldns_pkt_set_edns_do(packet.get(), true);
  return to_wire(packet.get());
}

// Questions of every kind that the fixture's zone knows.
inline const std::vector<Question>& questions() {
  static const std::vector<Question> all = [] {
    std::vector<Question> made;
    for (const char* name : {"", "attendant.", "_sip._tcp.", "fe01.", "web.", "twice.", "pool.",
                             "sips.", "gone.", "loop1.", "tocut.", "x.wild.", "x.wc.", "child.",
                             "a.b.child.", "hosts.", "nothing.here.", "deep."}) {
      for (const char* type : {"A", "AAAA", "SRV", "SOA", "NS", "MX", "TXT", "ANY", "DS"}) {
        made.push_back({.name = std::string(name) + "pool01.contoso.example.", .type = type});
        made.push_back({.name = made.back().name, .type = type, .payload = 1232});
      }
    }
    made.push_back({.name = "example.net."});
    return made;
  }();
  return all;
}

// An answer as ldns reads it; each record as its text with single blanks.
struct Judged {
  std::size_t size = 0;
  Rcode rcode = Rcode::NoError;
  bool parsed = false;  // by ldns
  Octets octets;
  LdnsPacket packet;
  std::vector<std::string> answer;
  std::vector<std::string> authority;
  std::vector<std::string> additional;  // without OPT

  bool aa() const { return ldns_pkt_aa(packet.get()); }
  bool tc() const { return ldns_pkt_tc(packet.get()); }
  bool edns() const { return ldns_pkt_edns(packet.get()); }
};

inline std::vector<std::string> texts(const ldns_rr_list* list) {
  std::vector<std::string> lines;
  for (std::size_t index = 0; index < ldns_rr_list_rr_count(list); ++index) {
    const LdnsText text(ldns_rr2str(ldns_rr_list_rr(list, index)));
    std::string line(text.get());
    std::ranges::replace(line, '\t', ' ');
    while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

inline Judged judge(Octets octets, Answered answered) {
  Judged judged;
  judged.size = answered.size;
  judged.rcode = answered.rcode;
  judged.octets = std::move(octets);
  judged.octets.resize(answered.size);
  ldns_pkt* raw = nullptr;
  judged.parsed = ldns_wire2pkt(&raw, judged.octets.data(), judged.octets.size()) == LDNS_STATUS_OK;
  judged.packet.reset(raw);
  if (!judged.parsed) return judged;
  judged.answer = texts(ldns_pkt_answer(raw));
  judged.authority = texts(ldns_pkt_authority(raw));
  judged.additional = texts(ldns_pkt_additional(raw));
  return judged;
}

inline Judged ask(const ServingSnapshot& snapshot, std::span<const std::uint8_t> query,
                  const QueryContext& context = {}) {
  // Exactly the room that the contract asks for, so that a sanitizer sees each octet beyond.
  Octets room(context.transport == Transport::Tcp ? kMaxMessageOctets : context.max_udp_payload);
  const Answered answered = respond(snapshot, context, query, room);
  return judge(std::move(room), answered);
}

inline Judged ask(const ServingSnapshot& snapshot, const Question& question,
                  const QueryContext& context = {}) {
  return ask(snapshot, to_wire(question), context);
}

inline const ServingSnapshot& now(Serving& serving) {
  base::SnapshotReader<ServingSnapshot> reader(serving.publisher().cell());
  return reader.refresh();  // the publisher holds it too
}

}  // namespace sluice::dns::fixture
