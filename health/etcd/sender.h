#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <uv.h>

#include "config/base/clock.h"
#include "config/base/timer.h"
#include "config/model.h"
#include "health/cluster/kv.h"
#include "health/etcd/endpoints.h"
#include "health/etcd/gateway.h"
#include "health/etcd/notices.h"

namespace sluice::etcd {

// Now, by the clock that limits and pauses count on.
base::MonoTime now();

// Sends requests to whichever member answers, as whoever we are, each within Kv::kLimit.
class Sender {
 public:
  // Whether a request that may have been carried out may be sent to another member.
  enum class Again : std::uint8_t { Never, Harmless };
  // The body of a success.
  using Done = std::function<void(cluster::Reply<std::string>)>;
  // What a request carries of who we are; empty: nothing.
  using Token = std::string;

  // `settings` and `notices` must outlive it.
  Sender(uv_loop_t* loop, const config::Etcd& settings, Notices& notices);
  ~Sender();  // drops everything
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // `done` is called once, never from within; it may destroy the sender.
  void send(std::string_view path, std::string body, Again again, Done done);

  // For who keeps a stream: a token, asked for if there is none, then in the way of send().
  void identify(std::function<void(cluster::Reply<Token>)> done);
  // It was not believed.
  void forget(const Token& token);
  Gateway::Post post_to(std::size_t endpoint, std::string_view path, const Token& token) const;
  Gateway& gateway() noexcept { return gateway_; }
  Endpoints& endpoints() noexcept { return endpoints_; }
  const std::string& name_of(std::size_t endpoint) const { return settings_.endpoints[endpoint]; }
  double random() { return random_(); }  // 0 to below 1
  // Notes that it gave no answer, and says so.
  void lost(std::size_t endpoint, Notices::Kind kind, const std::string& reason);

 private:
  struct Request;
  using Id = std::uint64_t;

  Request& make(base::Duration limit, std::string_view path, std::string body, Again again,
                Done done);
  void authenticate();
  void authenticated(cluster::Reply<std::string> answer);
  void start(Request& request);
  void attempt(Request& request);
  void answered(Id id, std::size_t endpoint, base::Result<Gateway::Answer, Gateway::Failed> answer);
  void judge(Request& request, std::size_t endpoint, const Gateway::Answer& answer);
  void unanswered(Request& request, std::size_t endpoint, bool sent, const std::string& reason);
  void not_believed(Request& request, const std::string& reason);
  void finish(Id id, cluster::Reply<std::string> reply);

  uv_loop_t* loop_;
  const config::Etcd& settings_;
  Notices& notices_;
  Endpoints::Random random_;
  Endpoints endpoints_;
  std::optional<Token> token_;   // nothing: to be asked for
  bool authenticating_ = false;  // it is
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
  Id last_ = 0;
  std::map<Id, std::unique_ptr<Request>> requests_;
  Gateway gateway_;
};

}  // namespace sluice::etcd
