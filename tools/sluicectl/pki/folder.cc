#include "tools/sluicectl/pki/folder.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <sys/stat.h>

#include "config/base/file.h"
#include "tools/sluicectl/new_file.h"
#include "tools/sluicectl/pki/issue.h"

namespace sluice::ctl::pki {

base::Unexpected<std::string> wrong(std::string sentence) {
  return base::Unexpected{std::move(sentence)};
}

namespace {

namespace fs = std::filesystem;

constexpr std::array kBelow{Kind::Server, Kind::Agent, Kind::Operator, Kind::Reader};

bool exists(const std::string& file) {
  struct stat found {};
  return stat(file.c_str(), &found) == 0 || errno != ENOENT;
}

Folder::Result<std::string> text_of(const std::string& file) {
  auto text = base::read_file(file, 1);
  if (!text) return wrong(file + " cannot be read: " + text.error());
  return *std::move(text);
}

Folder::Result<base::Done> make_folder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return base::Done{};
  return wrong("the folder " + path + " cannot be made: " + std::strerror(errno));
}

Folder::Result<base::Done> write(const std::string& path, const std::string& text, mode_t mode,
                                 Folder::Earlier earlier) {
  NewFile file(path);
  auto done = file.open(mode);
  if (done) done = file.write(text);
  if (done) {
    done = file.take_place(earlier == Folder::Earlier::Keep ? NewFile::Earlier::Keep
                                                            : NewFile::Earlier::Replace);
  }
  return done;
}

}  // namespace

Folder::Folder(const std::string& path)
    : path_(fs::absolute(path.empty() ? "." : path).lexically_normal().string()) {
  while (path_.size() > 1 && path_.ends_with('/')) path_.pop_back();
}

std::string Folder::certificate_file(Kind kind, std::string_view name) const {
  if (kind == Kind::Authority) return path_ + "/ca.pem";
  return path_ + "/" + std::string(word_of(kind)) + "/" + std::string(name) + ".pem";
}

std::string Folder::key_file(Kind kind, std::string_view name) const {
  if (kind == Kind::Authority) return path_ + "/ca.key";
  return path_ + "/" + std::string(word_of(kind)) + "/" + std::string(name) + ".key";
}

Folder::Result<base::Done> Folder::make(Kind kind) const {
  auto done = make_folder(path_);
  if (done && kind != Kind::Authority) {
    done = make_folder(path_ + "/" + std::string(word_of(kind)));
  }
  return done;
}

Folder::Result<tls::X509Ptr> Folder::certificate(Kind kind, std::string_view name) const {
  const std::string file = certificate_file(kind, name);
  if (!exists(file)) return tls::X509Ptr();
  const auto text = text_of(file);
  if (!text) return base::Unexpected{text.error()};
  auto found = tls::parse_certificates(*text);
  if (!found) return wrong(file + " " + found.error().message);
  return std::move(found->front());
}

Folder::Result<tls::KeyPtr> Folder::key(Kind kind, std::string_view name) const {
  const std::string file = key_file(kind, name);
  if (!exists(file)) return tls::KeyPtr();
  const auto text = text_of(file);
  if (!text) return base::Unexpected{text.error()};
  auto found = tls::parse_key(*text);
  if (!found) return wrong(file + " " + found.error().message);
  return *std::move(found);
}

Folder::Result<base::Done> Folder::write_key(Kind kind, std::string_view name, const EVP_PKEY* key,
                                             Earlier earlier) const {
  return write(key_file(kind, name), pem_of(key), 0600, earlier);
}

Folder::Result<base::Done> Folder::write_certificate(Kind kind, std::string_view name,
                                                     const X509* certificate,
                                                     Earlier earlier) const {
  return write(certificate_file(kind, name), pem_of(certificate), 0644, earlier);
}

Folder::Result<std::vector<Folder::Entry>> Folder::entries() const {
  std::vector<Entry> all;
  if (exists(certificate_file(Kind::Authority, ""))) all.push_back({Kind::Authority, ""});
  for (const Kind kind : kBelow) {
    const std::string folder = path_ + "/" + std::string(word_of(kind));
    if (!exists(folder)) continue;
    std::error_code error;
    std::vector<std::string> names;
    fs::directory_iterator at(folder, error);
    for (; !error && at != fs::directory_iterator(); at.increment(error)) {
      const std::string file = at->path().filename().string();
      if (file.ends_with(".pem")) names.push_back(file.substr(0, file.size() - 4));
    }
    if (error) return wrong("the folder " + folder + " cannot be read: " + error.message());
    std::ranges::sort(names);
    for (std::string& name : names) all.push_back({kind, std::move(name)});
  }
  return all;
}

}  // namespace sluice::ctl::pki
