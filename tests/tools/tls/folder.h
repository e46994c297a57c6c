#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

#include "tools/sluicectl/pki/issue.h"

// Certificates and files of a test's own.
namespace sluice::tls {

inline base::WallTime now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

struct Certified {
  KeyPtr key;
  X509Ptr certificate;

  std::string key_pem() const { return ctl::pki::pem_of(key.get()); }
  std::string pem() const { return ctl::pki::pem_of(certificate.get()); }
};

inline Certified authority(const std::string& name = "A test") {
  Certified made;
  made.key = *ctl::pki::make_key();
  made.certificate = *ctl::pki::make_authority(name, made.key.get(),
                                               ctl::pki::valid_for(std::chrono::days(10), now()));
  return made;
}

inline Certified certified(const Certified& authority, const ctl::pki::Holder& holder,
                           base::WallTime from = now(),
                           std::chrono::days days = std::chrono::days(365)) {
  Certified made;
  made.key = *ctl::pki::make_key();
  made.certificate = *ctl::pki::make_certificate(holder, made.key.get(),
                                                 {authority.certificate.get(), authority.key.get()},
                                                 ctl::pki::valid_for(days, from));
  return made;
}

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sluice-tls-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& path() const noexcept { return path_; }
  // Of mode 0600, in the place of what was there; returns its path.
  std::string put(const std::string& name, const std::string& text) const {
    namespace fs = std::filesystem;
    const std::string file = path_ + "/" + name;
    std::ofstream(file + ".new", std::ios::binary) << text;
    fs::permissions(file + ".new", fs::perms::owner_read | fs::perms::owner_write);
    fs::rename(file + ".new", file);
    return file;
  }

 private:
  std::string path_;
};

}  // namespace sluice::tls
