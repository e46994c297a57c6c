#include "tools/sluice-agent/credentials.h"

#include <utility>

#include <spdlog/spdlog.h>

#include "tools/sluice-agent/log.h"
#include "tools/sluice-agent/token.h"
#include "tools/tls/certificate.h"

namespace sluice::agent {

Credentials::Credentials(std::string token_file, const config::AgentTls& tls,
                         const base::Clock& clock)
    : token_file_(std::move(token_file)),
      files_({tls.certificate, tls.key, tls.ca}),
      clock_(clock) {}

base::Checked<Credentials::Shown> Credentials::current() {
  const auto before = std::exchange(material_, files_.current());
  tell(before);
  if (!material_) return base::failure(files_.failure());
  if (!token_ && !token_file_.empty()) {
    auto token = read_token(token_file_);
    if (!token) return base::failure("the token cannot be read: " + token.error().message);
    token_ = *std::move(token);
  }
  return Shown{token_.value_or(""), material_};
}

std::optional<std::string> Credentials::trouble() const {
  if (!files_.failure().empty()) return files_.failure();
  if (!material_) return {};
  if (auto trouble = material_->trouble_at(clock_.now().wall)) return trouble;
  if (material_->warnings.empty()) return {};
  return material_->warnings.front();
}

std::optional<base::WallTime> Credentials::expires() const {
  if (!material_ || !material_->validity) return {};
  return material_->validity->not_after;
}

void Credentials::tell(const std::shared_ptr<const tls::Material>& before) {
  if (before && material_ != before && material_->validity) {
    spdlog::info("the certificate {} was replaced: the one that is valid until {} is shown",
                 material_->files.certificate, tls::day_of(material_->validity->not_after));
  }
  const auto now = trouble();
  if (now == told_) return;
  told_ = now;
  if (!now) {
    spdlog::info("certificate, key and authorities are as they should be");
  } else if (!material_) {
    spdlog::error("{}: no heartbeat can be pushed", printable(*now));
  } else if (!files_.failure().empty()) {
    spdlog::error("{}: what was read before stays in use", printable(*now));
  } else if (material_->expired(clock_.now().wall)) {
    spdlog::error("{}: an authority will not take it", printable(*now));
  } else {
    spdlog::warn("{}", printable(*now));
  }
}

}  // namespace sluice::agent
