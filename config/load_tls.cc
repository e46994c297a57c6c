#include <chrono>
#include <string>

#include "config/blocks.h"
#include "config/files.h"
#include "config/mapping.h"

namespace sluice::config {
namespace {

using base::TlsFinding;

// Where each of the files is named; nothing: it is not.
struct Named {
  std::optional<Value> certificate;
  std::optional<Value> key;
  std::optional<Value> client_ca;

  const Value& at(TlsFinding::File file) const {
    switch (file) {
      case TlsFinding::File::Certificate:
        return *certificate;
      case TlsFinding::File::Key:
        return *key;
      case TlsFinding::File::ClientCa:
        break;
    }
    return *client_ca;
  }
};

// Whether it is a path.
bool read_file_name(const std::optional<Value>& value, const Known& known, std::string& out) {
  const auto path = value ? read_path(*value, known.folder) : std::nullopt;
  if (path) out = *path;
  return path.has_value();
}

void read_clients(const Mapping& block, const std::optional<Value>& value, const Named& named,
                  ApiTls& out) {
  if (!value) return;
  if (const auto word = value->word({"required", "optional"})) {
    out.clients = static_cast<base::ClientCertificates>(*word);
  }
  if (named.client_ca) return;
  value->reject("needs " + block.value().path() +
                ".client_ca, a file with the certificates of who signs those of clients");
}

}  // namespace

void read_tls(const Value& value, Known& known, std::optional<ApiTls>& out) {
  Mapping block(value);
  ApiTls tls;
  Named named;
  named.certificate = block.require(
      "certificate", "a PEM file with the server's certificate, and those between it and a root");
  named.key = block.require("key", "a PEM file with the key of the certificate");
  named.client_ca = block.find("client_ca");
  read_clients(block, block.find("client_certificates"), named, tls);
  const bool has_certificate = read_file_name(named.certificate, known, tls.files.certificate);
  const bool has_key = read_file_name(named.key, known, tls.files.key);
  const bool has_ca =
      !named.client_ca || read_file_name(named.client_ca, known, tls.files.client_ca);
  if (!has_certificate || !has_key || !has_ca) return;
  const auto now = std::chrono::time_point_cast<base::Duration>(std::chrono::system_clock::now());
  auto context = base::TlsContext::load(tls.files, tls.clients, now);
  if (!context) {
    for (const TlsFinding& finding : context.error()) {
      named.at(finding.file).reject(finding.message);
    }
    return;
  }
  for (const TlsFinding& finding : (*context)->warnings()) {
    const Value& at = named.at(finding.file);
    known.warnings.push_back({{at.findings().file(), at.line()}, at.path(), finding.message});
  }
  tls.context = *std::move(context);
  out = std::move(tls);
}

}  // namespace sluice::config
