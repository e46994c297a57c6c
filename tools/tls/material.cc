#include "tools/tls/material.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <sys/stat.h>

#include "config/base/file.h"
#include "tools/tls/certificate.h"

namespace sluice::tls {
namespace {

// The largest bundle of authorities has some 250 KiB.
constexpr std::size_t kMaxMiB = 4;
// Time enough for who renews by hand: two weeks' holidays.
constexpr std::chrono::days kSoon(14);

base::Checked<std::string> read(const std::string& what, const std::string& file) {
  if (file.empty()) return std::string();
  auto text = base::read_file(file, kMaxMiB);
  if (!text) return base::failure(what + " " + file + " cannot be read: " + text.error());
  return *std::move(text);
}

base::Unexpected<base::Error> wrong(const std::string& what, const std::string& file,
                                    const base::Error& error) {
  return base::failure(what + " " + file + " " + error.message);
}

void warn_of_readers(Material& material) {
  struct stat found {};
  if (stat(material.files.key.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) return;
  if ((found.st_mode & (S_IROTH | S_IWOTH)) == 0) return;
  material.warnings.push_back("the key " + material.files.key +
                              " may be read by everybody on this host: chmod o= " +
                              material.files.key + ", and have it replaced if anybody did");
}

base::Checked<base::Done> check_identity(Material& material) {
  const Files& files = material.files;
  const auto chain = parse_certificates(material.certificate);
  if (!chain) return wrong("the certificate", files.certificate, chain.error());
  const auto key = parse_key(material.key);
  if (!key) return wrong("the key", files.key, key.error());
  const X509* const own = chain->front().get();
  if (!belong_together(own, key->get())) {
    return base::failure("the key " + files.key + " does not belong to the certificate " +
                         files.certificate);
  }
  const Facts facts = facts_of(own);
  material.validity = {facts.not_before, facts.not_after};
  if (!facts.for_clients) {
    material.warnings.push_back("the certificate " + files.certificate +
                                " is not for clients (extended key usage clientAuth): an authority "
                                "will not take it");
  }
  warn_of_readers(material);
  return base::Done{};
}

bool same_time(const timespec& one, const timespec& other) {
  return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

}  // namespace

std::optional<std::string> Material::trouble_at(base::WallTime now) const {
  if (!validity) return {};
  const std::string name = "the certificate " + files.certificate;
  if (now >= validity->not_after) return name + " expired on " + day_of(validity->not_after);
  if (now < validity->not_before) {
    return name + " is valid from " + day_of(validity->not_before) +
           " on: is this host's clock right?";
  }
  if (now + kSoon < validity->not_after) return {};
  return name + " expires on " + day_of(validity->not_after);
}

bool Material::expired(base::WallTime now) const {
  return validity && now >= validity->not_after;
}

base::Checked<Material> read_material(const Files& files) {
  Material material;
  material.files = files;
  auto certificate = read("the certificate", files.certificate);
  if (!certificate) return base::Unexpected{certificate.error()};
  auto key = read("the key", files.key);
  if (!key) return base::Unexpected{key.error()};
  auto ca = read("the authorities' file", files.ca);
  if (!ca) return base::Unexpected{ca.error()};
  material.certificate = *std::move(certificate);
  material.key = *std::move(key);
  material.ca = *std::move(ca);
  if (!files.certificate.empty()) {
    const auto checked = check_identity(material);
    if (!checked) return base::Unexpected{checked.error()};
  }
  if (!files.ca.empty()) {
    const auto authorities = parse_certificates(material.ca);
    if (!authorities) return wrong("the authorities' file", files.ca, authorities.error());
  }
  return material;
}

std::optional<MaterialFiles::Stamps> MaterialFiles::look() const {
  Stamps stamps;
  const std::array paths{&files_.certificate, &files_.key, &files_.ca};
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (paths[i]->empty()) continue;
    struct stat found {};
    if (stat(paths[i]->c_str(), &found) != 0) return {};
    // A pipe (bash's <(...)) is read once.
    if (!S_ISREG(found.st_mode)) found = {};
    stamps[i] = {found.st_dev, found.st_ino, found.st_size, found.st_ctim};
  }
  return stamps;
}

bool MaterialFiles::same(const Stamps& one, const Stamps& other) {
  return std::ranges::equal(one, other, [](const Stamp& a, const Stamp& b) {
    return a.device == b.device && a.inode == b.inode && a.size == b.size &&
           same_time(a.changed, b.changed);
  });
}

std::shared_ptr<const Material> MaterialFiles::current() {
  // Taken before the reading: a file that changes meanwhile is read again the next time.
  const auto stamps = look();
  if (stamps && stamps_ && same(*stamps, *stamps_)) return good_;
  auto material = read_material(files_);
  stamps_ = stamps;
  if (material) {
    good_ = std::make_shared<const Material>(*std::move(material));
    failure_.clear();
  } else {
    failure_ = material.error().message;
  }
  return good_;
}

}  // namespace sluice::tls
