// store.etcd: the engine that several responders share.

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <string>

#include <sys/stat.h>

#include "config/base/calendar.h"
#include "config/base/tls_context.h"
#include "config/blocks.h"
#include "config/files.h"
#include "config/mapping.h"
#include "config/url.h"
#include "config/url_list.h"
#include "config/utf8.h"

namespace sluice::config {
namespace {

using namespace std::chrono_literals;
using base::TlsFinding;

constexpr const char* kRecordsInTheClear =
    "is not loopback and not https: who reads along on the network sees all that is written there";

void warn(const Value& at, Known& known, std::string message) {
  known.warnings.push_back({{at.findings().file(), at.line()}, at.path(), std::move(message)});
}

void read_endpoints(const Value& value, Known& known, Etcd& out) {
  out.endpoints =
      read_urls(value, "must have at least one member of etcd, such as http://127.0.0.1:2379",
                [&](const Value& item, const std::string& url) {
                  if (travels_in_the_clear(url)) warn(item, known, url + " " + kRecordsInTheClear);
                });
}

void read_prefix(const Value& value, std::string& out) {
  const auto text = value.text();
  if (!text) return;
  const bool visible = std::ranges::all_of(*text, [](char c) { return c > ' ' && c < '\x7f'; });
  // So that no other prefix is this one with some letters more.
  if (!visible || !text->starts_with('/') || text->ends_with('/') || text->size() > 200) {
    return value.reject("must begin with / and end otherwise, such as /sluice, is " +
                        value.shown());
  }
  out = *text;
}

std::string day(base::WallTime time) {
  const std::time_t seconds = base::to_time_t(time);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &utc)};
}

struct NamedFiles {
  std::optional<Value> ca;
  std::optional<Value> certificate;
  std::optional<Value> key;
};

// What would show at the first connection, perhaps in the night, is told here. What a server's
// context says against its files is against ours, too.
void check_identity(const NamedFiles& named, Known& known, const Etcd& etcd) {
  const auto now = std::chrono::time_point_cast<base::Duration>(std::chrono::system_clock::now());
  const auto context = base::TlsContext::load({etcd.certificate, etcd.key, {}},
                                              base::ClientCertificates::Optional, now);
  if (!context) {
    for (const TlsFinding& finding : context.error()) {
      const bool key = finding.file == TlsFinding::File::Key;
      (key ? named.key : named.certificate)->reject(finding.message);
    }
    return;
  }
  for (const TlsFinding& finding : (*context)->warnings()) {
    if (finding.file == TlsFinding::File::Key) warn(*named.key, known, finding.message);
  }
  const base::WallTime end = (*context)->certificate_end();
  if (end - now < std::chrono::days(14)) {  // as of the API's certificate
    warn(*named.certificate, known,
         etcd.certificate + (end <= now ? " expired at " : " expires at ") + day(end) +
             ": etcd refuses it " + (end <= now ? "now" : "then"));
  }
}

void check_authorities(const Value& at, const std::string& file) {
  const auto text = read_file(file, 4);  // the 140 authorities of all browsers have some 200 KiB
  if (!text) return at.reject("can't be read: " + text.error() + ": " + file);
  if (text->find("-----BEGIN CERTIFICATE-----") != std::string::npos) return;
  at.reject("has no certificate in PEM (-----BEGIN CERTIFICATE-----): " + file);
}

void read_etcd_tls(const Value& value, Known& known, Etcd& out) {
  Mapping block(value);
  const auto read = [&](const char* key, std::string& path) {
    const auto found = block.find(key);
    if (found) path = read_path(*found, known.folder).value_or("");
    return found;
  };
  const NamedFiles named{read("ca", out.ca), read("certificate", out.certificate),
                         read("key", out.key)};
  if (!block.all_known()) return;
  if (named.certificate && !named.key) {
    named.certificate->reject("needs key, the file of its private key");
  }
  if (named.key && !named.certificate) {
    named.key->reject("needs certificate, the file of the certificate it is for");
  }
  if (!named.ca && !named.certificate && !named.key) {
    value.reject("must have ca, or certificate and key, or all");
  }
  const bool https = std::ranges::any_of(
      out.endpoints, [](const std::string& url) { return url.starts_with("https:"); });
  if (!https) return value.reject("needs an endpoint that begins with https://");
  if (named.ca && !out.ca.empty()) check_authorities(*named.ca, out.ca);
  if (!out.certificate.empty() && !out.key.empty()) check_identity(named, known, out);
}

// What stands there is shown to nobody.
void read_password(const Value& value, Known& known, std::string& out) {
  const auto path = read_path(value, known.folder);
  if (!path) return;
  auto text = read_file(*path, 1);
  if (!text) return value.reject("can't be read: " + text.error() + ": " + *path);
  if (text->ends_with('\n')) text->pop_back();
  if (text->empty()) return value.reject("holds no password: " + *path);
  // etcd's own is JSON's text; bcrypt looks at 72 octets of it.
  if (text->size() > 1'024 || find_bad_octet(*text) || text->find('\n') != std::string::npos) {
    return value.reject("must hold one line of UTF-8, the password: " + *path);
  }
  struct stat found {};
  if (stat(path->c_str(), &found) == 0 && S_ISREG(found.st_mode) &&
      (found.st_mode & S_IROTH) != 0) {
    warn(value, known, *path + " can be read by every user of this host: chmod o-r " + *path);
  }
  out = *std::move(text);
}

void read_user(Mapping& block, Known& known, Etcd& out) {
  const auto user = block.find("user");
  const auto password = block.find("password_file");
  if (user) {
    const auto text = user->text();
    if (text && text->size() > 255) {
      user->reject("must be a user of etcd's, at most 255 octets, is " + user->shown());
    } else if (text) {
      out.user = *text;
    }
  }
  if (password) read_password(*password, known, out.password);
  if (!block.all_known()) return;
  if (user && !password) user->reject("needs password_file, a file with this user's password");
  if (password && !user) password->reject("needs user, etcd's user whose password it is");
}

}  // namespace

void read_etcd(const Value& value, Known& known, std::optional<Etcd>& out) {
  Mapping block(value);
  Etcd etcd;
  if (const auto endpoints = block.require("endpoints",
                                           "etcd's members, such as "
                                           "[\"http://127.0.0.1:2379\"]")) {
    read_endpoints(*endpoints, known, etcd);
  }
  if (const auto prefix = block.find("prefix")) read_prefix(*prefix, etcd.prefix);
  block.read("confirm_timeout", etcd.confirm_timeout, 100ms, 1min);
  const auto tls = block.find("tls");
  read_user(block, known, etcd);
  if (tls) read_etcd_tls(*tls, known, etcd);
  out = std::move(etcd);
}

}  // namespace sluice::config
