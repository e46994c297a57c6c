#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "config/base/clock.h"
#include "config/base/error.h"

// What a client of the API shows of itself over TLS and how it knows an authority. Not safe for
// several threads at once.
namespace sluice::tls {

// Paths; empty: none. Certificate and key come together.
struct Files {
  std::string certificate;
  std::string key;
  std::string ca;  // empty: the system's authorities

  bool empty() const { return certificate.empty() && ca.empty(); }
  friend bool operator==(const Files&, const Files&) = default;
};

// The files' content, checked: the key belongs to the certificate. Texts are PEM; empty: none.
struct Material {
  Files files;
  std::string certificate;
  std::string key;
  std::string ca;
  struct Validity {
    base::WallTime not_before;
    base::WallTime not_after;
  };
  std::optional<Validity> validity;   // of the certificate
  std::vector<std::string> warnings;  // a key that others may read; not for clients

  // What is wrong with the time, or will be within kSoon: "the certificate FILE expired on DAY".
  // A clock may be wrong: it is shown all the same, and who checks it has the last word.
  std::optional<std::string> trouble_at(base::WallTime now) const;
  bool expired(base::WallTime now) const;
};

// The error is a sentence that names the file.
base::Checked<Material> read_material(const Files& files);

// The material of files that are replaced now and then, while this runs.
class MaterialFiles {
 public:
  explicit MaterialFiles(Files files) : files_(std::move(files)) {}

  // Looks whether a file is another one by now (a few stat(2)), and reads them if so. As long as
  // what stands there is no good (a renewal that has come to the certificate but not yet to its
  // key), it is what was good before, and `failure` says what is wrong. Null: it never was good.
  std::shared_ptr<const Material> current();
  const std::string& failure() const noexcept { return failure_; }

 private:
  struct Stamp {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    timespec changed{};  // of the inode: a time of modification may be set back
  };
  using Stamps = std::array<Stamp, 3>;

  std::optional<Stamps> look() const;
  static bool same(const Stamps& one, const Stamps& other);

  Files files_;
  std::optional<Stamps> stamps_;  // of the last reading
  std::shared_ptr<const Material> good_;
  std::string failure_;
};

}  // namespace sluice::tls
