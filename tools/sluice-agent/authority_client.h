#pragma once

#include <functional>
#include <memory>
#include <string>

#include <uv.h>

#include "config/base/clock.h"
#include "config/base/error.h"

namespace sluice::agent {

struct HttpAnswer {
  long status = 0;
  std::string body;
};

// The one door to libcurl: one PUT at a time on the agent's loop, over connections that are kept
// alive. It never blocks the loop; names are resolved by libcurl's own thread. Redirects are not
// followed and proxies of the environment not used: the token goes to the authority alone.
class AuthorityClient {
 public:
  // Far more than the reply for a thousand services.
  static constexpr std::size_t kMaxReply = 1U << 20U;

  // Any answer of an HTTP server, whatever its status; or why there was none. Called once, from the
  // loop, never from within put(); it may call put().
  using Done = std::function<void(base::Checked<HttpAnswer>)>;

  explicit AuthorityClient(uv_loop_t* loop);
  ~AuthorityClient();  // a request under way is dropped, `done` is not called
  AuthorityClient(const AuthorityClient&) = delete;
  AuthorityClient& operator=(const AuthorityClient&) = delete;

  // Not while another is under way.
  void put(const std::string& url, const std::string& token, std::string body, base::Duration limit,
           Done done);
  bool busy() const noexcept;

 private:
  class Transfer;
  std::unique_ptr<Transfer> transfer_;
};

}  // namespace sluice::agent
