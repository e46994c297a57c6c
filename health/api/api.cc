#include "health/api/api.h"

#include <csignal>
#include <thread>

#include <pthread.h>
#include <uv.h>

#include "config/base/mailbox.h"
#include "config/base/uv_handle.h"
#include "health/api/attempts.h"
#include "health/api/auth_failures.h"
#include "health/api/context.h"
#include "health/api/dispatch.h"
#include "health/api/event_feed.h"
#include "health/api/forbidden_log.h"
#include "health/api/gatherer.h"
#include "health/api/http_server.h"
#include "health/api/metrics_page.h"
#include "health/api/permission.h"
#include "health/api/request_counters.h"

namespace sluice::health {
namespace {

// A write to a client that is gone must be an error, not the end of the process,
// whatever the process does with signals: the kernel sends SIGPIPE to the thread that writes.
void block_sigpipe() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

// How often failed authentications are looked at: each is told at most so late after its minute.
constexpr std::uint64_t kLookMilliseconds = 1'000;

std::shared_ptr<const base::TlsContext> tls_of(const config::Api& api) {
  return api.tls ? api.tls->context : nullptr;
}

std::shared_ptr<const Credentials> credentials_of(const config::Api& api,
                                                  std::shared_ptr<const base::TlsContext> tls) {
  return std::make_shared<const Credentials>(Credentials{Tokens(api.tokens), std::move(tls)});
}

HttpLimits with_configured(HttpLimits limits, const config::Api& api) {
  if (api.connections_per_address) limits.connections_per_address = *api.connections_per_address;
  return limits;
}

bool same_socket(const config::UnixSocket& a, const config::UnixSocket& b) {
  return a.path == b.path && a.group == b.group && a.mode == b.mode;
}

}  // namespace

class Api::Impl {
 public:
  Impl(const config::Api& api, Ports ports, const HttpLimits& limits)
      : configured_(api), limits_(with_configured(limits, api)), tls_(tls_of(api)) {
    static_cast<ApiPorts&>(context_) = std::move(ports);
    context_.auth_failures = &auth_failures_;
    context_.attempts = &attempts_;
    context_.forbidden = &forbidden_;
    context_.requests = &requests_;
    context_.most_requests = limits_.requests;
    context_.credentials = std::make_shared<CredentialsInForce>(credentials_of(api, tls_));
    uv_loop_init(&loop_);
    inbox_ = std::make_shared<Inbox>(&loop_);
    gatherer_ = std::make_unique<Gatherer>(&loop_, context_.control);
    context_.gatherer = gatherer_.get();
    if (context_.events != nullptr) {
      feed_ = std::make_unique<EventFeed>(&loop_, *context_.events, inbox_, limits_);
      context_.feed = feed_.get();
    }
    watch_auth_failures();
    server_ = std::make_unique<HttpServer>(
        &loop_, *context_.clock, limits_,
        [this](const HttpRequest& head, Peer& peer) {
          return dispatch(head, peer, context_.credentials->of_api().tokens, context_, inbox_);
        },
        [this] { return context_.credentials->of_api().tls; });
    if (tls_) context_.tls_metrics = [this](std::string& page) { append_tls(page); };
    context_.accepts = &server_->accept_counts();
    context_.shedding = [this] { return server_->shedding(); };
  }

  ~Impl() {
    stop();
    server_.reset();
    uv_loop_close(&loop_);
  }

  base::Checked<base::Done> listen(const ListenSockets& sockets) {
    for (const auto& [address, fd] : sockets.tcp) {
      auto listening = server_->listen_tcp(fd.duplicate(), address.to_string());
      if (!listening) return listening;
      listening_.push_back(address);
    }
    if (!sockets.unix_socket) return base::Done{};
    return server_->listen_unix(sockets.unix_socket->descriptor().duplicate(),
                                sockets.unix_socket->path());
  }

  void run() {
    thread_ = std::thread([this] {
      block_sigpipe();
      uv_run(&loop_, UV_RUN_DEFAULT);
    });
    pthread_setname_np(thread_.native_handle(), "api");
  }

  void stop() {
    if (stopped_) return;
    stopped_ = true;
    if (thread_.joinable()) {
      inbox_->post([this] { end(); });
      thread_.join();
    } else {
      end();
      uv_run(&loop_, UV_RUN_DEFAULT);
    }
  }

  base::Checked<base::Done> use(const config::Api& api) {
    if (api.listen != configured_.listen) {
      return base::Unexpected{base::Error{{}, "api.listen", "a change needs a restart"}};
    }
    if (api.connections_per_address != configured_.connections_per_address) {
      return base::Unexpected{
          base::Error{{}, "api.connections_per_address", "a change needs a restart"}};
    }
    if (!same_socket(api.socket, configured_.socket)) {
      return base::Unexpected{base::Error{{}, "api.socket", "a change needs a restart"}};
    }
    if (api.tls.has_value() != configured_.tls.has_value()) {
      return base::Unexpected{base::Error{{}, "api.tls", "adding or removing it needs a restart"}};
    }
    // The same files stay the same context: its clients go on with their sessions.
    auto tls = tls_of(api);
    if (tls && !tls->same_as(*tls_)) tls_ = std::move(tls);
    context_.credentials->publish(credentials_of(api, tls_));
    inbox_->post([this] { review(); });
    return base::Done{};
  }

  void shed(bool on) {
    inbox_->post([this, on] { server_->shed(on); });
  }

  void ask(std::function<void()> answer) { inbox_->post(std::move(answer)); }

  void quiesce(std::function<void()> quiet) {
    inbox_->post([this, quiet = std::move(quiet)] {
      tell(auth_failures_.take_all(context_.clock->now()));
      tell(forbidden_.take_all(context_.clock->now()));
      server_->quiesce(quiet);
    });
  }

  const std::vector<base::SocketAddress>& listening() const { return listening_; }
  const AcceptCounts& accept_counts() const { return server_->accept_counts(); }

 private:
  // On the loop's thread: when the handles are closed, uv_run() returns.
  void end() {
    server_->close();
    if (feed_) feed_->close();
    look_.reset();
    gatherer_.reset();
    inbox_->close();
  }

  // Who reads events asks nothing more: a stream that was let in by a token or certificate that is
  // gone ends here, and so does a connection that waits for its next request.
  void review() {
    server_->review([this](const Peer& peer) {
      if (!peer.who || peer.who->is_local()) return true;
      return context_.credentials->of_api().tokens.current(*peer.who) != nullptr;
    });
    if (context_.credentials->of_api().tls) server_->reconsider();
  }

  void append_tls(std::string& page) {
    server_->handshakes().append_to(page);
    const auto end = context_.credentials->of_api().tls->certificate_end().time_since_epoch();
    MetricsPage(page).gauge("sluice_api_certificate_expiry_timestamp_seconds",
                            "End of the API's certificate, in Unix time.",
                            std::chrono::floor<std::chrono::seconds>(end).count());
  }

  void watch_auth_failures() {
    auto* timer = new uv_timer_t;
    uv_timer_init(&loop_, timer);
    timer->data = this;
    look_.reset(timer);
    uv_timer_start(
        timer,
        [](uv_timer_t* looking) {
          auto& self = *static_cast<Impl*>(looking->data);
          if (!self.auth_failures_.empty()) {
            self.tell(self.auth_failures_.take_due(self.context_.clock->now()));
          }
          if (!self.forbidden_.empty()) {
            self.tell(self.forbidden_.take_due(self.context_.clock->now()));
          }
        },
        kLookMilliseconds, kLookMilliseconds);
  }

  void tell(std::vector<Event> failures) {
    if (!context_.audit) return;
    for (Event& event : failures) context_.audit(std::move(event));
  }

  const config::Api configured_;
  AuthFailures auth_failures_;
  Attempts attempts_;
  ForbiddenLog forbidden_;
  RequestCounters requests_;
  ApiContext context_;
  const HttpLimits limits_;
  std::shared_ptr<const base::TlsContext> tls_;  // in force; whose thread calls use()
  uv_loop_t loop_{};
  std::shared_ptr<Inbox> inbox_;
  std::unique_ptr<Gatherer> gatherer_;
  std::unique_ptr<EventFeed> feed_;  // outlives the server, whose connections read it
  base::UvHandle<uv_timer_t> look_;
  std::unique_ptr<HttpServer> server_;
  std::vector<base::SocketAddress> listening_;
  std::thread thread_;
  bool stopped_ = false;
};

base::Checked<std::unique_ptr<Api>> Api::start(const config::Api& api, const ListenSockets& sockets,
                                               Ports ports, const HttpLimits& limits) {
  auto impl = std::make_unique<Impl>(api, std::move(ports), limits);
  auto listening = impl->listen(sockets);
  if (!listening) return base::Unexpected{std::move(listening).error()};
  impl->run();
  return std::unique_ptr<Api>(new Api(std::move(impl)));
}

Api::Api(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Api::~Api() = default;
std::vector<base::SocketAddress> Api::listening() const {
  return impl_->listening();
}
base::Checked<base::Done> Api::use(const config::Api& api) {
  return impl_->use(api);
}
const AcceptCounts& Api::accept_counts() const noexcept {
  return impl_->accept_counts();
}
void Api::shed(bool on) {
  impl_->shed(on);
}
void Api::ask(std::function<void()> answer) {
  impl_->ask(std::move(answer));
}
void Api::quiesce(std::function<void()> quiet) {
  impl_->quiesce(std::move(quiet));
}
void Api::stop() {
  impl_->stop();
}

}  // namespace sluice::health
