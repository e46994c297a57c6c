#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tools/sluicectl/api/api.h"
#include "tools/sluicectl/api/endpoint.h"
#include "tools/tls/material.h"

namespace sluice::ctl {

// An authority by HTTP/1.1 over TCP or a unix socket, one request after the other on one
// connection that is kept. Follows no redirect and no proxy: the token is for the authority alone.
//
// Of several URLs, which are responders of one cluster, the first that answers /healthz within
// kFirstWord is asked. When it no longer answers, another is found in the same way: what was asked
// is asked there again, an order that was sent is not.
class Client final : public Api {
 public:
  // For an answer that costs an authority nothing: one that is stopped takes connections, and says
  // nothing for ever.
  static constexpr base::Duration kFirstWord = std::chrono::seconds(2);

  struct Settings {
    // With a socket among them: the first that takes a connection is kept.
    std::vector<Endpoint> endpoints;
    std::string token_file;  // empty: none. Read when first needed; a socket needs none
    tls::Files tls;          // of https; read again when they have changed
    std::function<void(const std::string&)> warn;  // of what is not safe; may be empty
    // Asked several times a second while a request is under way; true breaks it off.
    std::function<bool()> interrupted;
  };

  explicit Client(Settings settings);
  ~Client() override;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  base::Result<Answer, ApiError> send(const Request& request) override;
  base::Result<base::Done, ApiError> stream(const Stream& wanted) override;
  std::optional<Endpoint> peer() const override { return peer_; }

 private:
  struct Curl;
  struct Transfer;

  // To the first endpoint that takes a connection, or that answers; `repeat`: it may be asked
  // twice.
  template <class T, class Ask>
  base::Result<T, ApiError> to_first(bool repeat, Ask ask);
  template <class T, class Ask>
  base::Result<T, ApiError> to_responder(bool repeat, Ask ask);
  // Finds `peer_` among the endpoints; the error names all of them.
  base::Result<base::Done, ApiError> find_peer();
  base::Result<Answer, ApiError> send_to(const Endpoint& endpoint, const Request& request);
  base::Result<base::Done, ApiError> stream_from(const Endpoint& endpoint, const Stream& wanted);
  // The token, when the endpoint wants one.
  base::Result<std::string, ApiError> token_for(const Endpoint& endpoint);
  // Reads what TLS needs, where the endpoint speaks it.
  base::Result<base::Done, ApiError> make_ready(const Endpoint& endpoint);
  void warn_once(const std::string& text);
  void set_trust(const Endpoint& endpoint);
  void prepare(const Endpoint& endpoint, const std::string& path, Transfer& transfer);
  std::optional<ApiError> tls_failure(int code, const Endpoint& endpoint,
                                      const std::string& words) const;
  ApiError failure(int code, const Endpoint& endpoint, const Transfer& transfer) const;

  Settings settings_;
  std::optional<Endpoint> peer_;
  std::string token_;
  tls::MaterialFiles files_;
  std::shared_ptr<const tls::Material> material_;
  std::set<std::string> warned_;
  std::unique_ptr<Curl> curl_;
};

}  // namespace sluice::ctl
