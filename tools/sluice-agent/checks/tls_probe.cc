#include "tools/sluice-agent/checks/tls_probe.h"

#include <utility>

namespace sluice::agent {
namespace {

std::string url_of(const base::SocketAddress& target) {
  const std::string address = target.address.to_string();
  const std::string host = target.address.is_v4() ? address : "[" + address + "]";
  return "https://" + host + ":" + std::to_string(target.port) + "/";
}

}  // namespace

TlsProbe::TlsProbe(uv_loop_t* loop, const config::TlsCheck& check, base::Duration limit, Done done)
    : Probe(std::move(done)), client_(std::make_unique<HttpClient>(loop)) {
  HttpRequest request;
  request.method = HttpRequest::Method::Connect;
  request.url = url_of(check.target);
  request.name = check.trust.name;
  request.trust = check.trust;
  request.limit = limit;
  request.afterwards = HttpRequest::Afterwards::Close;
  client_->start(std::move(request), [this](const base::Checked<HttpAnswer>& answer) {
    std::string failure = answer ? "" : answer.error().message;
    client_.reset();
    tell(std::move(failure));
  });
}

std::optional<base::SocketAddress> TlsProbe::local() const {
  if (!client_) return {};
  const auto ends = client_->local_ends();
  return ends.empty() ? std::nullopt : std::optional(ends.front());
}

}  // namespace sluice::agent
