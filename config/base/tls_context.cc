#include "config/base/tls_context.h"

#include <algorithm>
#include <ctime>
#include <span>
#include <string_view>

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <sys/stat.h>

#include "config/base/calendar.h"
#include "config/base/certificate.h"
#include "config/base/file.h"
#include "config/base/openssl.h"
#include "config/base/ticket_keys.h"

namespace sluice::base {
namespace {

using File = TlsFinding::File;

// A chain or a bundle of authorities: the 140 of all browsers have some 200 KiB.
constexpr std::size_t kMostMiB = 4;
// Time to renew a certificate by hand, holidays included; who renews by a program does so earlier.
constexpr auto kSoon = std::chrono::hours(24 * 14);
// Ephemeral keys, so that a key that leaks opens no recording, and authenticated encryption (RFC
// 9325 section 4.2). TLS 1.3 has no others.
constexpr const char* kCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kGroups = "X25519:P-256:P-384";
// OpenSSL's measure for 112 bits: RSA keys of 2048 bits and more, no SHA-1.
constexpr int kSecurityLevel = 2;
// Of a client's chain. A certificate has some 1 to 2 KiB, and whoever connects may send it.
constexpr long kMostChainOctets = 32 * 1024;
constexpr int kMostChainLinks = 8;
// How long a ticket is good: an authority that was away for less is found again by cheap
// handshakes.
constexpr long kTicketSeconds = 2 * 3600;

std::string date(WallTime time) {
  const std::time_t seconds = base::to_time_t(time);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &utc);
  return {text.data(), size};
}

OpenSslOwner<BIO> memory(const std::string& octets) {
  return OpenSslOwner<BIO>(BIO_new_mem_buf(octets.data(), static_cast<int>(octets.size())));
}

// A daemon has nobody to ask for a passphrase.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

// The certificates of a PEM file in their order; nothing when something in it can't be read.
std::optional<std::vector<OpenSslOwner<X509>>> certificates_of(const std::string& octets) {
  std::vector<OpenSslOwner<X509>> certificates;
  const OpenSslOwner<BIO> bio = memory(octets);
  ERR_clear_error();
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) {
    certificates.emplace_back(next);
  }
  // The end of the file is the one way to stop that is none of the file's fault.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) return {};
  return certificates;
}

// The answer to ALPN (RFC 7301): HTTP/1.1, and nothing with who speaks something else alone.
int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned size, void*) {
  constexpr std::string_view kHttp = "http/1.1";
  for (unsigned at = 0; at < size; at += 1U + offered[at]) {
    if (size - at - 1 < offered[at]) break;
    const std::string_view name(reinterpret_cast<const char*>(offered + at + 1), offered[at]);
    if (name != kHttp) continue;
    *out = offered + at + 1;
    *out_size = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// Where an SSL_CTX has its TicketKeys, which go with it.
int ticket_keys_index() {
  static const int kIndex = SSL_CTX_get_ex_new_index(
      0, nullptr, nullptr, nullptr, [](void*, void* keys, CRYPTO_EX_DATA*, int, long, void*) {
        delete static_cast<TicketKeys*>(keys);
      });
  return kIndex;
}

// Prepares OpenSSL to write (`sealing`) or read a ticket: 1 is done, 0 no such key (a full
// handshake follows), 2 done and a new one is due, -1 a failure.
int prepare_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                   EVP_MAC_CTX* mac, int sealing) {
  auto& keys =
      *static_cast<TicketKeys*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), ticket_keys_index()));
  const auto now =
      std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now());
  TicketKeys::Found found;
  if (sealing != 0) {
    const auto key = keys.current(now);
    if (!key || RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
    found = {*key, true};
    std::ranges::copy(key->name, name);
  } else {
    const auto known = keys.find(std::span<const std::uint8_t, 16>(name, 16), now);
    if (!known) return 0;
    found = *known;
  }
  std::array<char, 7> digest{"SHA256"};
  const std::array parameters{
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, found.key.mac.data(),
                                        found.key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  const bool prepared = EVP_MAC_CTX_set_params(mac, parameters.data()) == 1 &&
                        EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr,
                                          found.key.cipher.data(), iv, sealing) == 1;
  const bool is_current = found.is_current;
  OPENSSL_cleanse(&found, sizeof found);
  if (!prepared) return -1;
  return is_current ? 1 : 2;
}

}  // namespace

class TlsContextLoader {
 public:
  using Result = base::Result<std::shared_ptr<const TlsContext>, std::vector<TlsFinding>>;

  TlsContextLoader(const TlsFiles& files, ClientCertificates clients, WallTime now)
      : files_(files), now_(now), context_(new TlsContext) {
    context_->clients_ = clients;
  }

  Result load() {
    context_->native_ = SSL_CTX_new(TLS_server_method());
    if (context_->native_ == nullptr) {
      wrong(File::Certificate, "can't be used: OpenSSL does not work: " + openssl_reason());
      return Unexpected{std::move(wrong_)};
    }
    choose();
    read_certificate();
    read_key();
    if (!files_.client_ca.empty()) read_client_ca();
    if (!wrong_.empty()) return Unexpected{std::move(wrong_)};
    return std::shared_ptr<const TlsContext>(std::move(context_));
  }

 private:
  SSL_CTX* native() const { return context_->native_; }
  void wrong(File file, std::string message) { wrong_.push_back({file, std::move(message)}); }
  void warn(File file, std::string message) {
    context_->warnings_.push_back({file, std::move(message)});
  }

  // What is spoken.
  void choose() {
    SSL_CTX_set_security_level(native(), kSecurityLevel);
    SSL_CTX_set_min_proto_version(native(), TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(native(), 0);
    SSL_CTX_set_options(native(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                      SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_cipher_list(native(), kCiphers);
    SSL_CTX_set1_groups_list(native(), kGroups);
    // What a connection that waits does not need goes back: there are thousands of them.
    SSL_CTX_set_mode(native(), SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(native(), select_protocol, nullptr);
    SSL_CTX_set_session_cache_mode(native(), SSL_SESS_CACHE_OFF);  // tickets alone
    SSL_CTX_set_timeout(native(), kTicketSeconds);
    SSL_CTX_set_ex_data(native(), ticket_keys_index(), new TicketKeys);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(native(), prepare_ticket);
    SSL_CTX_set_max_early_data(native(), 0);
    SSL_CTX_set_num_tickets(native(), 1);  // an agent keeps one connection
    // A session is resumed only where it began (RFC 8446 says it by the ticket's keys, which do).
    static constexpr std::array<unsigned char, 10> kApi{'s', 'l', 'u', 'i', 'c',
                                                        'e', '-', 'a', 'p', 'i'};
    SSL_CTX_set_session_id_context(native(), kApi.data(), kApi.size());
  }

  std::optional<std::string> read(File file, const std::string& path) {
    auto octets = read_file(path, kMostMiB);
    if (octets) return *std::move(octets);
    wrong(file, "can't be read: " + octets.error() + ": " + path);
    return {};
  }

  // The certificates in a file that must have some.
  std::vector<OpenSslOwner<X509>> read_certificates(File file, const std::string& path,
                                                    const std::string& octets) {
    auto found = certificates_of(octets);
    if (!found) {
      wrong(file, "has a certificate that can't be read (PEM is expected): " + path);
      return {};
    }
    if (found->empty()) {
      wrong(file, octets.find("PRIVATE KEY-----") != std::string::npos
                      ? "is a key, and must be a certificate: " + path
                      : "has no certificate in PEM (-----BEGIN CERTIFICATE-----): " + path);
    }
    return *std::move(found);
  }

  void judge_time(File file, const X509* certificate, const std::string& what,
                  const std::string& consequence) {
    const auto begin = not_before(certificate);
    const auto end = not_after(certificate);
    if (!begin || !end) return wrong(file, what + " has no legible validity");
    if (now_ < *begin) {
      warn(file, what + " is not valid before " + date(*begin) + ": " + consequence);
    } else if (*end <= now_) {
      warn(file, what + " expired at " + date(*end) + ": " + consequence);
    } else if (*end - now_ < kSoon) {
      warn(file, what + " expires at " + date(*end) + ": renew it before, and reload");
    }
  }

  void read_certificate() {
    const auto octets = read(File::Certificate, files_.certificate);
    if (!octets) return;
    own_octets_ = *octets;
    auto chain = read_certificates(File::Certificate, files_.certificate, *octets);
    if (chain.empty()) return;
    if (SSL_CTX_use_certificate(native(), chain.front().get()) != 1) {
      return wrong(File::Certificate,
                   "can't be used: " + openssl_reason() + ": " + files_.certificate);
    }
    for (std::size_t i = 1; i < chain.size(); ++i) {
      if (SSL_CTX_add1_chain_cert(native(), chain[i].get()) != 1) {
        return wrong(File::Certificate,
                     "can't be used: " + openssl_reason() + ": " + files_.certificate);
      }
    }
    judge_time(File::Certificate, chain.front().get(), files_.certificate,
               "clients that check it don't connect");
    context_->certificate_end_ = not_after(chain.front().get()).value_or(WallTime());
    chain_ = std::move(chain);
  }

  void read_key() {
    const auto octets = read(File::Key, files_.key);
    if (!octets) return;
    own_octets_ += *octets;
    context_->own_ = digest(own_octets_);
    ERR_clear_error();
    const OpenSslOwner<EVP_PKEY> key(
        PEM_read_bio_PrivateKey(memory(*octets).get(), nullptr, no_passphrase, nullptr));
    if (!key) return wrong(File::Key, why_no_key(*octets));
    ERR_clear_error();
    judge_permissions();
    if (chain_.empty()) return;
    if (X509_check_private_key(chain_.front().get(), key.get()) == 1) {
      if (SSL_CTX_use_PrivateKey(native(), key.get()) == 1) return;
      return wrong(File::Key, "can't be used: " + openssl_reason() + ": " + files_.key);
    }
    ERR_clear_error();
    for (std::size_t i = 1; i < chain_.size(); ++i) {
      if (X509_check_private_key(chain_[i].get(), key.get()) == 1) {
        return wrong(File::Certificate, "has the server's own certificate in place " +
                                            std::to_string(i + 1) +
                                            ", and must have it first: " + files_.certificate);
      }
      ERR_clear_error();
    }
    wrong(File::Key,
          "is not the key of the certificate in " + files_.certificate + ": " + files_.key);
  }

  std::string why_no_key(const std::string& octets) const {
    ERR_clear_error();
    if (octets.find("ENCRYPTED") != std::string::npos) {
      return "is protected by a passphrase, for which a daemon can't ask (openssl pkey writes it "
             "without): " +
             files_.key;
    }
    if (octets.find("PRIVATE KEY-----") == std::string::npos) {
      return "has no key in PEM (-----BEGIN PRIVATE KEY-----): " + files_.key;
    }
    return "has a key that can't be read (PEM is expected): " + files_.key;
  }

  void judge_permissions() {
    struct stat found {};
    if (stat(files_.key.c_str(), &found) != 0 || (found.st_mode & S_IROTH) == 0) return;
    warn(File::Key,
         files_.key + " can be read by every user of this host: chmod o-r " + files_.key);
  }

  void read_client_ca() {
    const auto octets = read(File::ClientCa, files_.client_ca);
    if (!octets) return;
    context_->client_ca_ = digest(*octets);
    const auto authorities = read_certificates(File::ClientCa, files_.client_ca, *octets);
    X509_STORE* store = SSL_CTX_get_cert_store(native());
    // Who is listed is trusted, a root or not.
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    for (const auto& authority : authorities) {
      if (X509_STORE_add_cert(store, authority.get()) != 1 ||
          SSL_CTX_add_client_CA(native(), authority.get()) != 1) {
        return wrong(File::ClientCa,
                     "can't be used: " + openssl_reason() + ": " + files_.client_ca);
      }
      judge_time(File::ClientCa, authority.get(), "a certificate of " + files_.client_ca,
                 "the clients that it signed are refused");
    }
    const bool required = context_->clients_ == ClientCertificates::Required;
    SSL_CTX_set_verify(native(), SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                       nullptr);
    SSL_CTX_set_verify_depth(native(), kMostChainLinks);
    SSL_CTX_set_max_cert_list(native(), kMostChainOctets);
  }

  static TlsContext::Digest digest(const std::string& octets) {
    TlsContext::Digest digest{};
    EVP_Digest(octets.data(), octets.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
    return digest;
  }

  const TlsFiles& files_;
  const WallTime now_;
  std::unique_ptr<TlsContext> context_;
  std::vector<TlsFinding> wrong_;
  std::string own_octets_;
  std::vector<OpenSslOwner<X509>> chain_;
};

Result<std::shared_ptr<const TlsContext>, std::vector<TlsFinding>> TlsContext::load(
    const TlsFiles& files, ClientCertificates clients, WallTime now) {
  return TlsContextLoader(files, clients, now).load();
}

TlsContext::~TlsContext() {
  SSL_CTX_free(native_);
}

bool TlsContext::same_as(const TlsContext& other) const noexcept {
  return own_ == other.own_ && same_clients(other);
}

bool TlsContext::same_clients(const TlsContext& other) const noexcept {
  return client_ca_ == other.client_ca_ && clients_ == other.clients_;
}

}  // namespace sluice::base
