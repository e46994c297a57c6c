#include "tools/sluice-agent/verdict_client.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "tools/sluice-agent/heartbeat_document.h"
#include "tools/sluice-agent/log.h"

namespace sluice::agent {
namespace {

using nlohmann::json;

base::Checked<HostVerdict> judge(const base::Checked<HttpAnswer>& answer) {
  if (!answer) return base::Unexpected{answer.error()};
  if (answer->status == 200) return parse_verdict(answer->body);
  const Problem problem = parse_problem(answer->body);
  return base::failure("status " + std::to_string(answer->status) + ": " + problem.text);
}

}  // namespace

base::Checked<HostVerdict> parse_verdict(std::string_view octets) {
  const json document = json::parse(octets, nullptr, false);
  const auto wrong = base::failure("an answer that is no verdict");
  if (!document.is_object()) return wrong;
  const json safe = document.value("safe_to_stop", json());
  const json reasons = document.value("reasons", json());
  if (!safe.is_boolean() || !reasons.is_array()) return wrong;
  HostVerdict verdict;
  verdict.safe_to_stop = safe.get<bool>();
  for (const json& reason : reasons) {
    const json text = reason.is_object() ? reason.value("text", json()) : json();
    if (!text.is_string()) return wrong;
    verdict.reasons.push_back(printable(text.get<std::string>()));
  }
  for (const json& warning : document.value("warnings", json::array())) {
    if (warning.is_string()) verdict.warnings.push_back(printable(warning.get<std::string>()));
  }
  return verdict;
}

VerdictClient::VerdictClient(uv_loop_t* loop, std::string server, Credentials& credentials)
    : server_(std::move(server)),
      credentials_(credentials),
      http_(loop),
      refuse_(loop, [this] { finish(base::failure(refusal_)); }) {}

void VerdictClient::ask(const std::string& authority, const std::optional<std::string>& service,
                        Done done) {
  waiting_.push_back(
      {authority + "/v1/servers/" + server_ + "/verdict" + (service ? "?service=" + *service : ""),
       std::move(done)});
  if (waiting_.size() == 1) start_next();
}

void VerdictClient::start_next() {
  if (waiting_.empty()) return;
  const auto shown = credentials_.current();
  if (!shown) {
    refusal_ = shown.error().message;
    refuse_.start(base::Duration::zero());  // nobody is answered while asking
    return;
  }
  HttpRequest request;
  request.url = waiting_.front().url;
  request.limit = kLimit;
  request.max_body = kMaxAnswer;
  request.material = shown->material;
  if (!shown->token.empty()) request.headers = {"Authorization: Bearer " + shown->token};
  http_.start(std::move(request),
              [this](const base::Checked<HttpAnswer>& answer) { finish(answer); });
}

void VerdictClient::finish(const base::Checked<HttpAnswer>& answer) {
  if (answer && (answer->status == 401 || answer->status == 403)) credentials_.forget_token();
  const Done done = std::move(waiting_.front().done);
  waiting_.pop_front();
  const auto verdict = judge(answer);
  start_next();
  done(verdict);
}

}  // namespace sluice::agent
