#include "config/base/certificate.h"

#include <algorithm>
#include <ctime>
#include <string_view>

#include "config/base/openssl.h"

namespace sluice::base {
namespace {

// Who has more names than these is no server's agent; a connection keeps them for its whole life.
constexpr std::size_t kMostNames = 64;
constexpr std::size_t kMostOctets = 255;  // a DNS name has no more (RFC 1035 section 2.3.4)

std::optional<WallTime> to_wall(const ASN1_TIME* time) {
  std::tm broken_down{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &broken_down) != 1) return {};
  return WallTime(std::chrono::seconds(timegm(&broken_down)));
}

std::string lower_dns(std::string_view text) {
  std::string name(text);
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  if (name.size() > 1 && name.back() == '.') name.pop_back();
  return name;
}

std::optional<SubjectName> read_name(const GENERAL_NAME* name) {
  SubjectName::Kind kind = SubjectName::Kind::Dns;
  switch (name->type) {
    case GEN_DNS:
      break;
    case GEN_EMAIL:
      kind = SubjectName::Kind::Email;
      break;
    case GEN_URI:
      kind = SubjectName::Kind::Uri;
      break;
    default:
      return {};
  }
  const ASN1_IA5STRING* octets = name->d.ia5;
  const std::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(octets)),
                              static_cast<std::size_t>(ASN1_STRING_length(octets)));
  // A NUL or the like within is the old way to be taken for somebody else.
  const bool visible = std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
  if (text.empty() || text.size() > kMostOctets || !visible) return {};
  return SubjectName{kind, kind == SubjectName::Kind::Dns ? lower_dns(text) : std::string(text)};
}

}  // namespace

SubjectName subject_name(std::string_view text) {
  if (text.find(':') != std::string_view::npos) {
    return {SubjectName::Kind::Uri, std::string(text)};
  }
  if (text.find('@') != std::string_view::npos) {
    return {SubjectName::Kind::Email, std::string(text)};
  }
  return {SubjectName::Kind::Dns, lower_dns(text)};
}

CertificateHolder holder_of(x509_st* certificate) {
  CertificateHolder holder;
  // Without a legible end it is over.
  holder.not_after = not_after(certificate).value_or(WallTime());
  const OpenSslOwner<GENERAL_NAMES> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names) return holder;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    if (holder.names.size() == kMostNames) break;
    if (auto name = read_name(sk_GENERAL_NAME_value(names.get(), i))) {
      holder.names.push_back(std::move(*name));
    }
  }
  return holder;
}

std::optional<WallTime> not_after(const x509_st* certificate) {
  return to_wall(X509_get0_notAfter(certificate));
}

std::optional<WallTime> not_before(const x509_st* certificate) {
  return to_wall(X509_get0_notBefore(certificate));
}

}  // namespace sluice::base
