#include "tools/tls/failure.h"

#include <algorithm>
#include <utility>

#include <openssl/x509.h>

namespace sluice::tls {
namespace {

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool is_https(const Failed& failed) {
  return failed.url.starts_with("https:");
}

// "ns1.example, 192.0.2.53": what libcurl has of the peer's certificate.
std::vector<std::string> names_of(const std::string& text) {
  std::vector<std::string> names;
  // "DNS:ns1.example, IP Address:192.0.2.53"
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(", ", at), text.size());
    const std::string item = text.substr(at, end - at);
    for (const std::string_view kind : {"DNS:", "IP Address:"}) {
      if (item.starts_with(kind)) names.push_back(item.substr(kind.size()));
    }
    at = end + 2;
  }
  return names;
}

std::string host_of(const std::string& url) {
  const std::size_t begin = url.find("//") + 2;
  const std::size_t end = std::min(url.find_first_of("/?", begin), url.size());
  std::string host = url.substr(begin, end - begin);
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

Explanation wrong_name(const Failed& failed) {
  std::string names;
  for (const std::string& name : failed.names) names += (names.empty() ? "" : ", ") + name;
  return {Reason::WrongName, "its certificate is for " +
                                 (names.empty() ? "nobody by name" : names) + ", not for " +
                                 (failed.name.empty() ? host_of(failed.url) + ": is the URL right?"
                                                      : failed.name + ": is that name right?") +
                                 " Otherwise it needs a certificate with that name"};
}

Explanation not_trusted(const Failed& failed, const OptionNames& options) {
  const std::string ca(options.ca);
  if (failed.ca_given) {
    return {Reason::NotTrusted, "its certificate is not signed by an authority in the file that " +
                                    ca + " names: it is another one's, or has been replaced"};
  }
  return {Reason::NotTrusted,
          "its certificate is signed by nobody whom this host trusts: " + ca +
              " names the file of the authority that signed it (ca.pem of sluicectl pki)"};
}

// The peer's certificate did not pass.
Explanation of_verification(const Failed& failed, const OptionNames& options) {
  switch (failed.verify_result) {
    // libcurl looks for the name before it has the result.
    case X509_V_OK:
    case X509_V_ERR_UNSPECIFIED:
      return wrong_name(failed);
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return {Reason::NotValidNow,
              "its certificate has expired, or that of its authority: it needs a new one "
              "(sluicectl pki renew), unless this host's clock is wrong"};
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {Reason::NotValidNow, "its certificate is not valid yet: is this host's clock right?"};
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_CERT_UNTRUSTED:
      return not_trusted(failed, options);
    default:
      return {Reason::NotTrusted, std::string("its certificate is not accepted: ") +
                                      X509_verify_cert_error_string(failed.verify_result)};
  }
}

// An alert is the peer's word on our certificate (RFC 8446 section 6.2).
Explanation of_alert(const Failed& failed, const OptionNames& options) {
  const std::string certificate(options.certificate);
  const std::string& words = failed.words;
  if (has(words, "certificate required") ||
      (has(words, "handshake failure") && !failed.certificate_shown)) {
    return {Reason::NotTaken,
            "it wants to see a client certificate: " + certificate + " names one"};
  }
  if (has(words, "certificate expired")) {
    return {Reason::NotTaken, "it says that our certificate has expired"};
  }
  if (has(words, "unknown ca") || has(words, "bad certificate") ||
      has(words, "certificate unknown") || has(words, "unsupported certificate") ||
      has(words, "certificate revoked") || has(words, "access denied")) {
    return {Reason::NotTaken,
            "it does not take the certificate that " + certificate +
                " names: it must be signed by the authority in its api.tls.client_ca"};
  }
  return {Reason::Handshake, "TLS was broken off: " + words};
}

}  // namespace

Failed failed(CURL* easy, CURLcode code, std::string words, std::string url) {
  Failed failed;
  failed.code = code;
  failed.words = std::move(words);
  failed.url = std::move(url);
  curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &failed.verify_result);
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  failed.answered = status != 0;
  curl_certinfo* chain = nullptr;
  if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == nullptr ||
      chain->num_of_certs < 1) {
    return failed;
  }
  constexpr std::string_view kNames = "X509v3 Subject Alternative Name:";
  for (const curl_slist* line = chain->certinfo[0]; line != nullptr; line = line->next) {
    const std::string text(line->data);
    if (text.starts_with(kNames)) failed.names = names_of(text.substr(kNames.size()));
  }
  return failed;
}

Explanation explain(const Failed& failed, const OptionNames& options) {
  const std::string& words = failed.words;
  if (!is_https(failed)) {
    // A TLS server's alert is no HTTP, and some close without a word.
    if (has(words, "HTTP/0.9")) {
      return {Reason::MaybeTls,
              "what answers there is not plain HTTP; if it speaks TLS, write https://"};
    }
    if (failed.answered) return {};
    if (failed.code == CURLE_GOT_NOTHING || failed.code == CURLE_RECV_ERROR) {
      return {Reason::Silent, "if it speaks TLS, write https://"};
    }
    return {};
  }
  if (failed.code == CURLE_PEER_FAILED_VERIFICATION) return of_verification(failed, options);
  if (has(words, "wrong version number") || has(words, "packet length too long")) {
    return {Reason::NotTls, "what answers there speaks no TLS: if it is plain HTTP, write http://"};
  }
  if (has(words, "unsupported protocol") || has(words, "protocol version")) {
    return {Reason::Handshake, "it speaks no TLS 1.2 or newer"};
  }
  if (has(words, " alert ")) return of_alert(failed, options);
  const bool broken = failed.code == CURLE_RECV_ERROR || failed.code == CURLE_SEND_ERROR ||
                      failed.code == CURLE_GOT_NOTHING || failed.code == CURLE_SSL_CONNECT_ERROR;
  // The alert may be lost with the connection (RFC 9112 section 9.6).
  if (broken && !failed.answered) {
    const std::string certificate(options.certificate);
    return {Reason::Handshake,
            "the connection broke (" + words + "); " +
                (failed.certificate_shown
                     ? "perhaps it does not take the certificate that " + certificate +
                           " names: it must be signed by the authority in its api.tls.client_ca"
                     : "if it wants a client certificate, " + certificate + " names one")};
  }
  if (failed.code == CURLE_SSL_CONNECT_ERROR) return {Reason::Handshake, "TLS failed: " + words};
  return {};
}

}  // namespace sluice::tls
