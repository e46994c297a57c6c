#include "dns/answer/chaos.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <string>
#include <string_view>

#include "dns/answer/extended_error.h"
#include "dns/wire/writer.h"

namespace sluice::dns {

namespace {

constexpr std::size_t kMaxText = 255;  // of one character string (RFC 1035 section 3.3)

bool is(const Name& name, std::string_view wire) noexcept {
  return std::ranges::equal(name.wire(), wire, [](std::uint8_t octet, char c) {
    return octet == static_cast<std::uint8_t>(c);
  });
}

// Null: no name that we know.
const std::string* text_of(const ResponseSettings& settings, const Name& name) noexcept {
  using namespace std::string_view_literals;  // with the root's NUL
  if (is(name, "\2id\6server\0"sv) || is(name, "\10hostname\4bind\0"sv)) return &settings.identity;
  if (is(name, "\7version\6server\0"sv) || is(name, "\7version\4bind\0"sv)) {
    return &settings.version;
  }
  return nullptr;
}

}  // namespace

Rcode answer_chaos(const ResponseSettings& settings, const Query& query,
                   AnswerWriter& writer) noexcept {
  const std::string* text = text_of(settings, query.qname);
  if (text == nullptr || (query.qtype != RRType::TXT && query.qtype != RRType::ANY)) {
    writer.explain(kNotAuthoritative);
    return Rcode::Refused;
  }
  if (text->empty()) {
    writer.explain(kHidden);
    return Rcode::Refused;
  }
  assert(text->size() <= kMaxText);
  std::array<std::uint8_t, kRecordHead + 1 + kMaxText> record{};
  store_u16(record.data(), kPointerMark | kHeaderOctets);
  store_u16(record.data() + 2, static_cast<std::uint16_t>(RRType::TXT));
  store_u16(record.data() + 4, static_cast<std::uint16_t>(RRClass::CH));
  store_u16(record.data() + kRecordHead - 2, static_cast<std::uint16_t>(text->size() + 1));
  record[kRecordHead] = static_cast<std::uint8_t>(text->size());
  std::ranges::copy(*text, record.begin() + kRecordHead + 1);
  RRset rrset;
  rrset.type = RRType::TXT;
  rrset.count = 1;
  rrset.octets = std::span(record).first(kRecordHead + 1 + text->size());
  writer.set_authoritative();
  if (!writer.add(Section::Answer, rrset, kHeaderOctets)) writer.set_truncated();
  return Rcode::NoError;
}

}  // namespace sluice::dns
