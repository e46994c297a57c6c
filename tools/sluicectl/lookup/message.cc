#include "tools/sluicectl/lookup/message.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "dns/ldns.h"
#include "tools/sluicectl/render/text.h"

namespace sluice::ctl {
namespace {

// What avoids fragments on every path (RFC 9715 section 3), and what our responders send at most.
constexpr std::uint16_t kUdpPayload = 1232;
constexpr std::size_t kHeaderOctets = 12;
constexpr std::uint16_t kExtendedError = 15;  // RFC 8914 section 2

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char octet) {
    return octet >= 'A' && octet <= 'Z' ? static_cast<char>(octet | 0x20) : octet;
  });
  return text;
}

std::string name_text(const ldns_rdf* name) {
  const dns::LdnsText text(ldns_rdf2str(name));
  if (text == nullptr) return {};
  std::string shown = lower(printable(text.get()));
  if (shown.size() > 1 && shown.ends_with('.')) shown.pop_back();
  return shown;
}

std::string data_text(const ldns_rr& rr) {
  std::string words;
  for (std::size_t at = 0; at < ldns_rr_rd_count(&rr); ++at) {
    const dns::LdnsText text(ldns_rdf2str(ldns_rr_rdf(&rr, at)));
    if (at > 0) words += ' ';
    if (text != nullptr) words += printable(text.get());
  }
  return words;
}

std::optional<base::IpAddress> address_of(const ldns_rr& rr) {
  if (ldns_rr_rd_count(&rr) != 1) return {};
  const ldns_rdf* rdf = ldns_rr_rdf(&rr, 0);
  const std::uint8_t* octets = ldns_rdf_data(rdf);
  if (ldns_rr_get_type(&rr) == LDNS_RR_TYPE_A && ldns_rdf_size(rdf) == 4) {
    std::array<std::uint8_t, 4> v4{};
    std::copy_n(octets, v4.size(), v4.begin());
    return base::IpAddress::v4(v4);
  }
  if (ldns_rr_get_type(&rr) == LDNS_RR_TYPE_AAAA && ldns_rdf_size(rdf) == 16) {
    std::array<std::uint8_t, 16> v6{};
    std::copy_n(octets, v6.size(), v6.begin());
    return base::IpAddress::v6(v6);
  }
  return {};
}

std::string target_of(const ldns_rr& rr) {
  constexpr std::size_t kSrvTarget = 3;  // priority, weight, port, target
  const std::size_t count = ldns_rr_rd_count(&rr);
  if (ldns_rr_get_type(&rr) == LDNS_RR_TYPE_NS && count == 1) return name_text(ldns_rr_rdf(&rr, 0));
  if (ldns_rr_get_type(&rr) == LDNS_RR_TYPE_SRV && count == kSrvTarget + 1) {
    return name_text(ldns_rr_rdf(&rr, kSrvTarget));
  }
  return {};
}

std::vector<Record> records_of(const ldns_rr_list* list) {
  std::vector<Record> records;
  for (std::size_t at = 0; at < ldns_rr_list_rr_count(list); ++at) {
    const ldns_rr& rr = *ldns_rr_list_rr(list, at);
    records.push_back({.owner = name_text(ldns_rr_owner(&rr)),
                       .type = static_cast<RRType>(ldns_rr_get_type(&rr)),
                       .ttl = ldns_rr_ttl(&rr),
                       .data = data_text(rr),
                       .address = address_of(rr),
                       .target = target_of(rr)});
  }
  return records;
}

// RFC 8914 section 4: those that a resolver or authority in front of us may send.
std::string explanation_name(unsigned code) {
  static constexpr std::array<std::pair<unsigned, const char*>, 9> kNames{
      {{0, "Other"},
       {3, "Stale Answer"},
       {4, "Forged Answer"},
       {15, "Blocked"},
       {18, "Prohibited"},
       {19, "Stale NXDOMAIN"},
       {20, "Not Authoritative"},
       {22, "No Reachable Authority"},
       {23, "Network Error"}}};
  const auto* found = std::ranges::find(kNames, code, &std::pair<unsigned, const char*>::first);
  return (found == kNames.end() ? std::string("EDE") : found->second) + " (" +
         std::to_string(code) + ")";
}

std::vector<std::string> explanations_of(ldns_pkt& packet) {
  std::vector<std::string> all;
  const ldns_edns_option_list* options = ldns_pkt_edns_get_option_list(&packet);
  if (options == nullptr) return all;
  for (std::size_t at = 0; at < ldns_edns_option_list_get_count(options); ++at) {
    const ldns_edns_option* option = ldns_edns_option_list_get_option(options, at);
    const std::size_t size = ldns_edns_get_size(option);
    if (ldns_edns_get_code(option) != kExtendedError || size < 2) continue;
    const std::uint8_t* octets = ldns_edns_get_data(option);
    std::string words = explanation_name(static_cast<unsigned>(octets[0] << 8 | octets[1]));
    const std::string text(octets + 2, octets + size);
    if (!text.empty()) words += ": " + printable(text);
    all.push_back(std::move(words));
  }
  return all;
}

// An error is what ldns says of the octets.
base::Result<dns::LdnsPacket, std::string> parse(std::span<const std::uint8_t> octets) {
  ldns_pkt* packet = nullptr;
  const ldns_status status = ldns_wire2pkt(&packet, octets.data(), octets.size());
  dns::LdnsPacket owned(packet);
  if (status != LDNS_STATUS_OK || owned == nullptr) {
    return base::Unexpected{std::string(ldns_get_errorstr_by_id(status))};
  }
  return owned;
}

}  // namespace

std::optional<std::uint32_t> Message::negative_ttl() const {
  const auto soa = std::ranges::find(answer, kTypeSoa, &Record::type);
  if (soa == answer.end()) return {};
  const std::string minimum = soa->data.substr(soa->data.rfind(' ') + 1);
  std::uint32_t seconds = soa->ttl;
  std::from_chars(minimum.data(), minimum.data() + minimum.size(), seconds);
  return std::min(seconds, soa->ttl);
}

std::optional<RRType> parse_type(std::string_view text) {
  const std::string name(text);
  const ldns_rr_type type = ldns_get_rr_type_by_name(name.c_str());
  // OPT and TSIG are no questions; 0 is what ldns has for no type at all.
  if (type == 0 || type == LDNS_RR_TYPE_OPT || type == LDNS_RR_TYPE_TSIG) return {};
  return static_cast<RRType>(type);
}

std::string type_name(RRType type) {
  const dns::LdnsText text(ldns_rr_type2str(static_cast<ldns_rr_type>(type)));
  return text == nullptr ? "TYPE" + std::to_string(type) : std::string(text.get());
}

std::string rcode_name(std::uint16_t rcode) {
  constexpr std::uint16_t kBadVersion = 16;  // RFC 6891 section 9
  constexpr std::uint16_t kBadCookie = 23;   // RFC 7873 section 8
  if (rcode == kBadVersion) return "BADVERS";
  if (rcode == kBadCookie) return "BADCOOKIE";
  const dns::LdnsText text(ldns_pkt_rcode2str(static_cast<ldns_pkt_rcode>(rcode)));
  return text == nullptr ? "RCODE" + std::to_string(rcode) : std::string(text.get());
}

base::Result<std::vector<std::uint8_t>, std::string> encode_query(const Question& question,
                                                                  std::uint16_t id) {
  ldns_rdf* name = nullptr;
  const ldns_status named = ldns_str2rdf_dname(&name, question.name.c_str());
  if (named != LDNS_STATUS_OK) {
    return base::Unexpected{"'" + printable(question.name) +
                            "' is no DNS name: " + ldns_get_errorstr_by_id(named)};
  }
  // The packet takes the name.
  const dns::LdnsPacket packet(ldns_pkt_query_new(name, static_cast<ldns_rr_type>(question.type),
                                                  LDNS_RR_CLASS_IN,
                                                  question.recursion ? LDNS_RD : 0));
  if (packet == nullptr) return base::Unexpected{std::string("no query can be made of it")};
  ldns_pkt_set_id(packet.get(), id);
  ldns_pkt_set_edns_udp_size(packet.get(), kUdpPayload);
  std::uint8_t* octets = nullptr;
  std::size_t size = 0;
  const ldns_status written = ldns_pkt2wire(&octets, packet.get(), &size);
  const dns::LdnsOctets owned(octets);
  if (written != LDNS_STATUS_OK) {
    return base::Unexpected{std::string(ldns_get_errorstr_by_id(written))};
  }
  return std::vector<std::uint8_t>(octets, octets + size);
}

bool answers(std::span<const std::uint8_t> octets, const Question& question, std::uint16_t id) {
  constexpr std::uint8_t kResponse = 0x80;
  if (octets.size() < kHeaderOctets) return false;
  if ((octets[0] << 8 | octets[1]) != id || (octets[2] & kResponse) == 0) return false;
  const auto packet = parse(octets);
  if (!packet) return true;  // it has the ID: it is told as what it is, garbage
  const ldns_rr_list* asked = ldns_pkt_question(packet->get());
  // FORMERR and the like may come without the question (RFC 1035 section 4.1.1 does not say).
  if (ldns_rr_list_rr_count(asked) == 0) {
    return ldns_pkt_get_rcode(packet->get()) != LDNS_RCODE_NOERROR;
  }
  const ldns_rr* first = ldns_rr_list_rr(asked, 0);
  return static_cast<RRType>(ldns_rr_get_type(first)) == question.type &&
         name_text(ldns_rr_owner(first)) == lower(question.name);
}

base::Result<Message, std::string> decode_message(std::span<const std::uint8_t> octets) {
  auto parsed = parse(octets);
  if (!parsed) return base::Unexpected{parsed.error()};
  ldns_pkt& packet = **parsed;
  Message message;
  message.id = ldns_pkt_id(&packet);
  message.rcode = static_cast<std::uint16_t>(
      ldns_pkt_get_rcode(&packet) |
      (ldns_pkt_edns(&packet) ? ldns_pkt_edns_extended_rcode(&packet) << 4 : 0));
  message.authoritative = ldns_pkt_aa(&packet);
  message.truncated = ldns_pkt_tc(&packet);
  message.recursion_desired = ldns_pkt_rd(&packet);
  message.recursion_available = ldns_pkt_ra(&packet);
  message.answer = records_of(ldns_pkt_answer(&packet));
  message.authority = records_of(ldns_pkt_authority(&packet));
  message.additional = records_of(ldns_pkt_additional(&packet));
  message.explanations = explanations_of(packet);
  return message;
}

}  // namespace sluice::ctl
