#include "tools/sluice-agent/checks/http_probe.h"

#include <algorithm>
#include <utility>

namespace sluice::agent {
namespace {

// The status is what counts: a page that is larger than any page of health is not read to its end.
constexpr std::size_t kMaxPage = 1U << 20U;

}  // namespace

HttpProbe::HttpProbe(uv_loop_t* loop, const config::HttpCheck& check, base::Duration limit,
                     Done done)
    : Probe(std::move(done)), wanted_(check.status), client_(loop) {
  HttpRequest request;
  request.url = check.url;
  request.name = check.trust.name;
  request.trust = check.trust;
  request.limit = limit;
  request.max_body = kMaxPage;
  request.take = [](std::string_view) {};
  request.afterwards = HttpRequest::Afterwards::Close;
  client_.start(std::move(request),
                [this](const base::Checked<HttpAnswer>& answer) { judge(answer); });
}

std::optional<base::SocketAddress> HttpProbe::local() const {
  const auto ends = client_.local_ends();
  return ends.empty() ? std::nullopt : std::optional(ends.front());
}

void HttpProbe::judge(const base::Checked<HttpAnswer>& answer) {
  if (!answer) return tell(answer.error().message);
  const long status = answer->status;
  const bool passes = wanted_.empty() ? status >= 200 && status < 300
                                      : std::ranges::find(wanted_, status) != wanted_.end();
  tell(passes ? "" : "answered " + std::to_string(status));
}

}  // namespace sluice::agent
