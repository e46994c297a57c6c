#include "tools/sluice-agent/verdict_client.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "tools/sluice-agent/heartbeat_document.h"
#include "tools/sluice-agent/log.h"
#include "tools/sluice-agent/token.h"

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

VerdictClient::VerdictClient(uv_loop_t* loop, std::string server, std::string token_file)
    : server_(std::move(server)), token_file_(std::move(token_file)), http_(loop) {}

void VerdictClient::ask(const std::string& authority, const std::optional<std::string>& service,
                        Done done) {
  waiting_.push_back(
      {authority + "/v1/servers/" + server_ + "/verdict" + (service ? "?service=" + *service : ""),
       std::move(done)});
  if (!http_.busy()) start_next();
}

void VerdictClient::start_next() {
  if (waiting_.empty()) return;
  HttpRequest request;
  request.url = waiting_.front().url;
  request.limit = kLimit;
  request.max_body = kMaxAnswer;
  // Read each time: it may have been replaced. Without one the authority says what is missing.
  if (const auto token = read_token(token_file_)) {
    request.headers = {"Authorization: Bearer " + *token};
  }
  http_.start(std::move(request), [this](const base::Checked<HttpAnswer>& answer) {
    const Done done = std::move(waiting_.front().done);
    waiting_.pop_front();
    start_next();
    done(judge(answer));
  });
}

}  // namespace sluice::agent
