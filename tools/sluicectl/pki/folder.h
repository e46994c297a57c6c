#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/result.h"
#include "tools/sluicectl/pki/names.h"
#include "tools/tls/certificate.h"

namespace sluice::ctl::pki {

// A sentence as an error.
base::Unexpected<std::string> wrong(std::string sentence);

// The folder of one authority and all that it has signed:
//
//   ca.pem, ca.key                the authority
//   server/NAME.pem, NAME.key     likewise agent/, operator/, reader/
//
// Keys are readable by their owner alone, and are never overwritten but for a renewal that asks for
// it. Each file is there whole or not at all. Errors are sentences that name the file.
class Folder {
 public:
  template <class T>
  using Result = base::Result<T, std::string>;

  // The path may be relative; nothing is read or made yet.
  explicit Folder(const std::string& path);

  const std::string& path() const noexcept { return path_; }
  // `name` of the authority: any.
  std::string certificate_file(Kind kind, std::string_view name) const;
  std::string key_file(Kind kind, std::string_view name) const;

  // Makes the folder, for its owner alone, and below it that of the kind.
  Result<base::Done> make(Kind kind) const;

  // Nothing: there is none. Otherwise it, or why it cannot be read.
  Result<tls::X509Ptr> certificate(Kind kind, std::string_view name) const;  // null: there is none
  Result<tls::KeyPtr> key(Kind kind, std::string_view name) const;           // null: there is none

  enum class Earlier { Keep, Replace };
  Result<base::Done> write_key(Kind kind, std::string_view name, const EVP_PKEY* key,
                               Earlier earlier) const;
  Result<base::Done> write_certificate(Kind kind, std::string_view name, const X509* certificate,
                                       Earlier earlier) const;

  // Whose certificates are there, by name; of the authority one without a name.
  struct Entry {
    Kind kind = Kind::Authority;
    std::string name;
  };
  Result<std::vector<Entry>> entries() const;

 private:
  std::string path_;
};

}  // namespace sluice::ctl::pki
