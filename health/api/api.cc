#include "health/api/api.h"

#include <csignal>
#include <thread>

#include <pthread.h>
#include <uv.h>

#include "config/base/mailbox.h"
#include "config/base/snapshot.h"
#include "config/base/uv_handle.h"
#include "health/api/auth_failures.h"
#include "health/api/context.h"
#include "health/api/dispatch.h"
#include "health/api/event_feed.h"
#include "health/api/gatherer.h"
#include "health/api/http_server.h"
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

bool same_socket(const config::UnixSocket& a, const config::UnixSocket& b) {
  return a.path == b.path && a.group == b.group && a.mode == b.mode;
}

}  // namespace

class Api::Impl {
 public:
  Impl(const config::Api& api, Ports ports, const HttpLimits& limits)
      : configured_(api),
        context_{std::move(ports), nullptr, &auth_failures_, &requests_, nullptr},
        limits_(limits),
        tokens_(std::make_shared<const Tokens>(api.tokens)) {
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
        &loop_, *context_.clock, limits_, [this](const HttpRequest& head, const Peer& peer) {
          return dispatch(head, peer, reader_.refresh(), context_, inbox_);
        });
  }

  ~Impl() {
    stop();
    server_.reset();
    uv_loop_close(&loop_);
  }

  base::Checked<base::Done> listen() {
    for (const base::SocketAddress& address : configured_.listen) {
      auto bound = server_->listen(address);
      if (!bound) return base::Unexpected{std::move(bound).error()};
      listening_.push_back(*bound);
    }
    if (configured_.socket.path.empty()) return base::Done{};
    return server_->listen(configured_.socket);
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
    if (!same_socket(api.socket, configured_.socket)) {
      return base::Unexpected{base::Error{{}, "api.socket", "a change needs a restart"}};
    }
    // The old tokens go when the api thread has let go of them.
    [[maybe_unused]] const auto old = tokens_.publish(std::make_shared<const Tokens>(api.tokens));
    return base::Done{};
  }

  void ask(std::function<void()> answer) { inbox_->post(std::move(answer)); }

  void quiesce(std::function<void()> quiet) {
    inbox_->post([this, quiet = std::move(quiet)] {
      tell(auth_failures_.take_all(context_.clock->now()));
      server_->quiesce(quiet);
    });
  }

  const std::vector<base::SocketAddress>& listening() const { return listening_; }

 private:
  // On the loop's thread: when the handles are closed, uv_run() returns.
  void end() {
    server_->close();
    if (feed_) feed_->close();
    look_.reset();
    gatherer_.reset();
    inbox_->close();
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
        },
        kLookMilliseconds, kLookMilliseconds);
  }

  void tell(std::vector<Event> failures) {
    if (!context_.failed_authentications) return;
    for (Event& event : failures) context_.failed_authentications(std::move(event));
  }

  const config::Api configured_;
  AuthFailures auth_failures_;
  RequestCounters requests_;
  ApiContext context_;
  const HttpLimits limits_;
  base::SnapshotCell<Tokens> tokens_;
  base::SnapshotReader<Tokens> reader_{tokens_};  // the api thread's
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

base::Checked<std::unique_ptr<Api>> Api::start(const config::Api& api, Ports ports,
                                               const HttpLimits& limits) {
  auto impl = std::make_unique<Impl>(api, std::move(ports), limits);
  auto listening = impl->listen();
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
