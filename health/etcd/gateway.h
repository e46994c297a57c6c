#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <uv.h>

#include "config/base/clock.h"
#include "config/base/result.h"

namespace sluice::etcd {

// The members' door to libcurl: POST requests, many at a time, on the loop of the control
// thread. It never blocks the loop; names are resolved by libcurl's own threads. Redirects are not
// followed and proxies of the environment not used. Connections are kept; over TLS it is 1.2 at
// least, and the peer's certificate must be for the name in the URL.
class Gateway {
 public:
  // Paths of PEM files, read with each connection; empty: none, or for `ca` the system's.
  struct Trust {
    std::string ca;
    std::string certificate;
    std::string key;
  };
  struct Post {
    std::string url;
    std::vector<std::string> headers;  // "Authorization: ..."
    std::string body;
    base::Duration connecting{0};  // until the connection stands, with the TLS handshake
    base::Duration limit{0};       // until the end of the answer; zero: none, a stream
    // Takes a stream's pieces as they come; otherwise Answer has the body.
    std::function<void(std::string_view)> take;
  };
  struct Answer {
    long status = 0;
    std::string body;
  };
  struct Failed {
    // Some of the request went out: it may have been carried out. It never goes out twice.
    bool sent = false;
    std::string text;
  };
  using Done = std::function<void(base::Result<Answer, Failed>)>;
  using Number = std::uint64_t;

  Gateway(uv_loop_t* loop, Trust trust);
  ~Gateway();  // drops everything
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // `done` is called once, from the loop, never from within post(). It, and `take`, may post(),
  // drop() and destroy the gateway.
  Number post(Post post, Done done);
  // Ends a request without a call; one that has ended is not known any more, which is all right.
  void drop(Number number);

 private:
  class Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace sluice::etcd
