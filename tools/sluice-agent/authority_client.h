#pragma once

#include <string>

#include <uv.h>

#include "config/base/clock.h"
#include "tools/sluice-agent/credentials.h"
#include "tools/sluice-agent/http_client.h"

namespace sluice::agent {

// Pushes to authorities: one PUT at a time, over connections that are kept alive.
class AuthorityClient {
 public:
  // Far more than the reply for a thousand services.
  static constexpr std::size_t kMaxReply = 1U << 20U;

  using Done = HttpClient::Done;

  explicit AuthorityClient(uv_loop_t* loop) : http_(loop) {}

  // Not while another is under way. `done` is called as HttpClient says.
  void put(const std::string& url, const Credentials::Shown& shown, std::string body,
           base::Duration limit, Done done);
  bool busy() const noexcept { return http_.busy(); }

 private:
  HttpClient http_;
};

}  // namespace sluice::agent
