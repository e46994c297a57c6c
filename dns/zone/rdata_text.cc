#include "dns/zone/rdata_text.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "dns/ldns.h"
#include "dns/zone/presentation.h"
#include "dns/zone/rrset.h"
#include "dns/zone/svcb.h"

namespace sluice::dns {

namespace {

constexpr std::size_t kMaxRdata = 65'535;  // RDLENGTH

// By its name, or as TYPEnnn (RFC 3597 section 5), of which ldns reads any number's beginning.
std::optional<RRType> parse_type(const std::string& word) {
  constexpr std::string_view kGeneric = "TYPE";
  const std::string_view digits =
      std::string_view(word).substr(std::min(word.size(), kGeneric.size()));
  if (!digits.empty() && same_word(word.substr(0, kGeneric.size()), kGeneric)) {
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return static_cast<RRType>(number);
  }
  const ldns_rr_type number = ldns_get_rr_type_by_name(word.c_str());
  if (number == 0) return std::nullopt;
  return static_cast<RRType>(number);
}

// ldns takes the generic form at its word; what follows relies on the form.
bool well_formed(RRType type, std::span<const std::uint8_t> rdata) {
  if (type == RRType::A) return rdata.size() == 4;
  if (type == RRType::AAAA) return rdata.size() == 16;
  const RdataLayout layout = rdata_layout(type);
  if (layout.names == 0) return true;
  WireReader reader(rdata);
  reader.skip(layout.first);
  for (int name = 0; name < layout.names; ++name) {
    if (!Name::read(reader)) return false;
  }
  if (is_svcb(type)) return reader.ok();
  return reader.ok() && reader.rest().size() == (type == RRType::SOA ? kSoaNumbers : 0);
}

// RFC 3597 section 5.
bool is_generic(std::span<const std::string_view> fields) {
  return !fields.empty() && fields.front() == "\\#";
}

// ldns wraps numbers that are too large around, `MX 65536` to 0. Its fields are the tokens, one by
// one, as far as numbers go.
bool numbers_fit(RRType type, std::span<const std::string_view> tokens) {
  const ldns_rr_descriptor* form = ldns_rr_descript(static_cast<std::uint16_t>(type));
  const std::size_t fields = std::min(ldns_rr_descriptor_minimum(form), tokens.size());
  for (std::size_t index = 0; index < fields; ++index) {
    std::uint64_t most = 0xFFFFFFFF;
    switch (ldns_rr_descriptor_field_type(form, index)) {
      case LDNS_RDF_TYPE_INT8:
        most = 0xFF;
        break;
      case LDNS_RDF_TYPE_INT16:
        most = 0xFFFF;
        break;
      case LDNS_RDF_TYPE_INT32:
        break;
      case LDNS_RDF_TYPE_PERIOD:
        if (!parse_ttl(tokens[index]) || *parse_ttl(tokens[index]) > kMaxTtl) return false;
        continue;
      default:
        continue;
    }
    std::uint64_t number = 0;
    const std::string_view token = tokens[index];
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), number);
    if (error != std::errc() || end != token.data() + token.size() || number > most) return false;
  }
  return true;
}

base::Result<base::Done, std::string> read_by_ldns(const std::string& word, RRType type,
                                                   std::span<const std::string_view> fields,
                                                   const Name& origin,
                                                   std::vector<std::uint8_t>& rdata) {
  if (!is_generic(fields) && !numbers_fit(type, fields)) {
    return base::Unexpected{std::string("a number is missing or too large")};
  }
  std::string text = ". 0 IN " + word;
  for (const std::string_view field : fields) (text += ' ') += field;
  ldns_rr* raw = nullptr;
  const LdnsRdf relative_to(
      ldns_dname_new_frm_data(static_cast<std::uint16_t>(origin.size()), origin.wire().data()));
  const ldns_status status = ldns_rr_new_frm_str(&raw, text.c_str(), 0, relative_to.get(), nullptr);
  const LdnsRR rr(raw);
  if (status != LDNS_STATUS_OK) {
    return base::Unexpected{std::string(ldns_get_errorstr_by_id(status))};
  }
  rdata.clear();
  for (std::size_t index = 0; index < ldns_rr_rd_count(rr.get()); ++index) {
    const ldns_rdf* part = ldns_rr_rdf(rr.get(), index);
    const std::uint8_t* octets = ldns_rdf_data(part);
    rdata.insert(rdata.end(), octets, octets + ldns_rdf_size(part));
  }
  // It drops octets behind what a type needs.
  const bool whole =
      !is_generic(fields) || (fields.size() > 1 && fields[1] == std::to_string(rdata.size()));
  if (rdata.size() > kMaxRdata || !whole || !well_formed(type, rdata)) {
    return base::Unexpected{std::string("RDATA is malformed")};
  }
  if (is_svcb(type)) {
    if (std::string mistake = svcb_mistake(rdata); !mistake.empty()) {
      return base::Unexpected{std::move(mistake)};
    }
  }
  return base::Done{};
}

}  // namespace

base::Result<RRType, std::string> read_rdata(std::span<const std::string_view> tokens,
                                             const Name& origin, std::vector<std::uint8_t>& rdata) {
  const std::string word(tokens.front());
  const auto type = parse_type(word);
  if (!type) return base::Unexpected{shown(word) + " is not a record type"};
  const auto fields = tokens.subspan(1);
  auto read = is_svcb(*type) && !is_generic(fields)
                  ? read_svcb(fields, origin, rdata)
                  : read_by_ldns(word, *type, fields, origin, rdata);
  if (!read) return base::Unexpected{std::move(read).error()};
  if (rdata.size() > kMaxRdata) return base::Unexpected{std::string("more than 65535 octets")};
  return *type;
}

}  // namespace sluice::dns
