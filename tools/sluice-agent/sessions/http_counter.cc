#include "tools/sluice-agent/sessions/http_counter.h"

#include <string>
#include <utility>

namespace sluice::agent {

HttpCounter::HttpCounter(uv_loop_t* loop, config::HttpMetric source, base::Duration limit)
    : source_(std::move(source)), limit_(limit), http_(loop) {}

void HttpCounter::read(base::MonoTime now) {
  if (http_.busy()) return;
  reader_.emplace(source_.metric, source_.labels);
  HttpRequest request;
  request.url = source_.url;
  request.name = source_.trust.name;
  request.trust = source_.trust;
  request.headers = {"Accept: text/plain;version=0.0.4"};
  request.limit = limit_;
  request.max_body = kMaxPage;
  request.take = [this](std::string_view octets) { reader_->feed(octets); };
  request.afterwards = HttpRequest::Afterwards::Close;
  http_.start(std::move(request), [this, now](const base::Checked<HttpAnswer>& answer) {
    tell(finish(answer), now);
    reader_.reset();
  });
}

base::Checked<std::uint64_t> HttpCounter::finish(const base::Checked<HttpAnswer>& answer) {
  constexpr long kOk = 200;  // RFC 9110 section 15.3.1; no other answer has the whole page
  if (!answer) return base::failure(source_.url + ": " + answer.error().message);
  if (answer->status != kOk) {
    return base::failure(source_.url + ": answered " + std::to_string(answer->status));
  }
  // HTTP says that nothing was cut off: the last line lacks its end, no more.
  if (answer->framed) reader_->feed("\n");
  auto count = reader_->finish();
  if (!count) return base::failure(source_.url + ": " + count.error().message);
  return count;
}

std::vector<base::SocketAddress> HttpCounter::own_connections() const {
  return http_.local_ends();
}

}  // namespace sluice::agent
