#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "config/base/openssl.h"

// Certificates of a test's own, made as they are needed.
namespace sluice::base::testing {

struct Wanted {
  std::string subject = "somebody";
  std::string names = {};  // "DNS:a.example,email:x@y.example"; empty: none
  std::chrono::seconds begin = -std::chrono::hours(1);
  std::chrono::seconds end = std::chrono::hours(24 * 365);
  const char* key = "P-256";  // or "RSA-1024" and so on
  const char* digest = "SHA256";
};

// A certificate with its key, which may sign others.
class Certified {
 public:
  // Its own issuer, an authority.
  explicit Certified(const Wanted& wanted) : Certified(wanted, nullptr, true) {}
  Certified(const Wanted& wanted, const Certified& issuer, bool authority = false)
      : Certified(wanted, &issuer, authority) {}

  X509* certificate() const { return certificate_.get(); }
  EVP_PKEY* key() const { return key_.get(); }

  std::string certificate_pem() const {
    const OpenSslOwner<BIO> bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), certificate_.get());
    return text(bio.get());
  }
  std::string key_pem(const char* passphrase = nullptr) const {
    const OpenSslOwner<BIO> bio(BIO_new(BIO_s_mem()));
    std::string secret(passphrase == nullptr ? "" : passphrase);
    PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(),
                                  secret.empty() ? nullptr : EVP_aes_128_cbc(), secret.data(),
                                  static_cast<int>(secret.size()), nullptr, nullptr);
    return text(bio.get());
  }

 private:
  Certified(const Wanted& wanted, const Certified* issuer, bool authority) {
    const std::string kind(wanted.key);
    key_.reset(kind.starts_with("RSA-")
                   ? EVP_RSA_gen(static_cast<unsigned>(std::stoul(kind.substr(4))))
                   : EVP_EC_gen(kind.c_str()));
    certificate_.reset(X509_new());
    X509* made = certificate_.get();
    static long serial = 0;
    X509_set_version(made, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made), wanted.begin.count());
    X509_gmtime_adj(X509_getm_notAfter(made), wanted.end.count());
    X509_NAME* name = X509_get_subject_name(made);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(wanted.subject.c_str()), -1,
                               -1, 0);
    X509_set_issuer_name(
        made, issuer == nullptr ? name : X509_get_subject_name(issuer->certificate_.get()));
    X509_set_pubkey(made, key_.get());
    extend(NID_basic_constraints, authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!wanted.names.empty()) extend(NID_subject_alt_name, wanted.names);
    EXPECT_GT(X509_sign(made, (issuer == nullptr ? *this : *issuer).key_.get(),
                        EVP_get_digestbyname(wanted.digest)),
              0);
  }

  void extend(int kind, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    EXPECT_NE(extension, nullptr) << value;
    X509_add_ext(certificate_.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }
  static std::string text(BIO* bio) {
    char* octets = nullptr;
    const long size = BIO_get_mem_data(bio, &octets);
    return {octets, static_cast<std::size_t>(size)};
  }

  OpenSslOwner<EVP_PKEY> key_;
  OpenSslOwner<X509> certificate_;
};

// A folder that goes with the test.
class Folder {
 public:
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "sluice-tls-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& path() const { return path_; }
  // Writes a file, readable by its owner alone; returns its path.
  std::string put(const std::string& name, const std::string& octets) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path, std::ios::binary) << octets;
    std::filesystem::permissions(
        path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return path;
  }

 private:
  std::string path_;
};

}  // namespace sluice::base::testing
