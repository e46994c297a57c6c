#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <uv.h>

#include "config/agent_model.h"
#include "config/base/address.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "tools/tls/material.h"

namespace sluice::agent {

struct HttpRequest {
  enum class Method {
    Get,
    Put,
    Connect,  // connects, over https with the TLS handshake, and asks nothing
  };
  // Whether the connection stays open for the next request.
  enum class Afterwards { Keep, Close };

  Method method = Method::Get;
  std::string url;
  // What stands in the place of the URL's host in all but where to connect: in the request, in what
  // is asked of TLS and looked for in the certificate. Empty: the host.
  std::string name;
  // How a peer of https is judged; without it, by the name in the URL and the system's authorities.
  std::optional<config::TlsTrust> trust;
  // In its place for a peer to whom we also show who we are.
  std::shared_ptr<const tls::Material> material;
  std::vector<std::string> headers;  // "Accept: text/plain"
  std::string body;                  // of a PUT
  base::Duration limit{0};           // from the first octet sent to the last received
  std::size_t max_body = 0;          // octets of the answer; more ends the request as failed
  // Takes the answer's body piece by piece; otherwise HttpAnswer has it.
  std::function<void(std::string_view)> take;
  Afterwards afterwards = Afterwards::Keep;
};

struct HttpAnswer {
  long status = 0;
  std::string body;
  // Its length was told, or it came in chunks: it is whole. Otherwise the end of the connection
  // ended it, which may be the end of the server too.
  bool framed = false;
};

// The agent's door to libcurl: one request at a time on the agent's loop. It never blocks the loop;
// names are resolved by libcurl's own thread. Redirects are not followed and proxies of the
// environment not used: what is asked for, a token perhaps with it, goes to that server alone.
class HttpClient {
 public:
  // Any answer of an HTTP server, whatever its status; or why there was none. Called once, from the
  // loop, never from within start(); it may call start().
  using Done = std::function<void(base::Checked<HttpAnswer>)>;

  explicit HttpClient(uv_loop_t* loop);
  ~HttpClient();  // a request under way is dropped, `done` is not called
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Not while another is under way.
  void start(HttpRequest request, Done done);
  bool busy() const noexcept;
  // Our ends of the connections that are open.
  std::vector<base::SocketAddress> local_ends() const;

 private:
  class Transfer;
  std::unique_ptr<Transfer> transfer_;
};

}  // namespace sluice::agent
