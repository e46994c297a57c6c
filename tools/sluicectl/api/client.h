#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tools/sluicectl/api/api.h"
#include "tools/sluicectl/api/endpoint.h"

namespace sluice::ctl {

// An authority by HTTP/1.1 over TCP or a unix socket, one request after the other on one
// connection that is kept. Follows no redirect and no proxy: the token is for the authority alone.
class Client final : public Api {
 public:
  struct Settings {
    std::vector<Endpoint> endpoints;  // the first that takes a connection is kept
    std::string token_file;           // empty: none. Read when first needed; a socket needs none
    // Asked several times a second while a request is under way; true breaks it off.
    std::function<bool()> interrupted;
  };

  explicit Client(Settings settings);
  ~Client() override;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  base::Result<Answer, ApiError> send(const Request& request) override;
  base::Result<base::Done, ApiError> stream(const Stream& wanted) override;

 private:
  struct Curl;
  struct Transfer;

  // To the first endpoint that takes a connection.
  template <class T, class Ask>
  base::Result<T, ApiError> to_first(Ask ask);
  base::Result<Answer, ApiError> send_to(const Endpoint& endpoint, const Request& request);
  base::Result<base::Done, ApiError> stream_from(const Endpoint& endpoint, const Stream& wanted);
  // The token, when the endpoint wants one.
  base::Result<std::string, ApiError> token_for(const Endpoint& endpoint);
  void prepare(const Endpoint& endpoint, const std::string& path, Transfer& transfer);
  ApiError failure(int code, const Endpoint& endpoint, const Transfer& transfer) const;

  Settings settings_;
  std::string token_;
  std::unique_ptr<Curl> curl_;
};

}  // namespace sluice::ctl
