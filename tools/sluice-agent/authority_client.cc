#include "tools/sluice-agent/authority_client.h"

#include <utility>

namespace sluice::agent {

void AuthorityClient::put(const std::string& url, const Credentials::Shown& shown, std::string body,
                          base::Duration limit, Done done) {
  HttpRequest request;
  request.method = HttpRequest::Method::Put;
  request.url = url;
  request.headers = {"Content-Type: application/json"};
  if (!shown.token.empty()) request.headers.push_back("Authorization: Bearer " + shown.token);
  request.material = shown.material;
  request.body = std::move(body);
  request.limit = limit;
  request.max_body = kMaxReply;
  http_.start(std::move(request), std::move(done));
}

}  // namespace sluice::agent
