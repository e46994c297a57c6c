#include "health/etcd/sender.h"

#include <algorithm>
#include <random>
#include <utility>

#include "health/etcd/forms.h"

namespace sluice::etcd {
namespace {

using base::Unexpected;
using cluster::Failure;
using cluster::Kv;
using cluster::Reply;

// The loop may come to a timer late: what counts is that the caller hears of it within kLimit.
constexpr base::Duration kWhole = Kv::kLimit - base::Duration(50);
// For a token: etcd spends a tenth of a second of its CPU on a password, and a loaded one has more
// to do. Who waits for it waits no longer than kWhole; the next one finds it there.
constexpr base::Duration kLogin{5'000};
// For a connection: three round trips (TCP, TLS) of 130 ms. Twice that leaves room in kWhole, so a
// member whose host is gone costs a transaction nothing but time.
constexpr base::Duration kConnecting{400};

Endpoints::Random random_halves() {
  return [engine = std::mt19937(std::random_device{}())]() mutable {
    return std::uniform_real_distribution<double>(0, 1)(engine);
  };
}

Unexpected<Failure> failure(Failure::Kind kind, std::string text) {
  return Unexpected{Failure{kind, std::move(text)}};
}

}  // namespace

base::MonoTime now() {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now());
}

struct Sender::Request {
  Id id = 0;
  std::string_view path;
  std::string body;
  Again again = Again::Never;
  Done done;
  base::MonoTime until;
  std::unique_ptr<base::Timer> deadline;
  std::vector<bool> tried;   // members
  std::string last_failure;  // of the newest of those
  Token token;               // that it was sent with
  bool waits = false;        // for a token
  bool believed = true;      // no token of it was refused so far
  Gateway::Number post = 0;
};

Sender::Sender(uv_loop_t* loop, const config::Etcd& settings, Notices& notices)
    : loop_(loop),
      settings_(settings),
      notices_(notices),
      random_(random_halves()),
      endpoints_(settings.endpoints.size(), [this] { return random_(); }),
      gateway_(loop, {settings.ca, settings.certificate, settings.key}) {
  if (settings_.user.empty()) token_ = "";
}

Sender::~Sender() = default;

Sender::Request& Sender::make(base::Duration limit, std::string_view path, std::string body,
                              Again again, Done done) {
  auto owned = std::make_unique<Request>();
  Request& request = *owned;
  request.id = ++last_;
  request.path = path;
  request.body = std::move(body);
  request.again = again;
  request.done = std::move(done);
  request.until = now() + limit;
  request.tried.resize(endpoints_.count());
  request.deadline = std::make_unique<base::Timer>(loop_, [this, id = request.id] {
    const Request& late = *requests_.at(id);
    const std::string why = late.last_failure.empty() ? "" : ": " + late.last_failure;
    const std::string what = late.waits ? "let us in" : "answer";
    finish(id, failure(Failure::Kind::Unreachable, "etcd does not " + what + " in time" + why));
  });
  request.deadline->start(limit);
  requests_.emplace(request.id, std::move(owned));
  return request;
}

void Sender::send(std::string_view path, std::string body, Again again, Done done) {
  start(make(kWhole, path, std::move(body), again, std::move(done)));
}

void Sender::identify(std::function<void(Reply<Token>)> done) {
  // No path: it is done when it has its token.
  start(make(kWhole, {}, {}, Again::Harmless, std::move(done)));
}

void Sender::forget(const Token& token) {
  if (!settings_.user.empty() && token_ == token) token_.reset();
}

void Sender::start(Request& request) {
  if (token_) {
    request.token = *token_;
    if (!request.path.empty()) {
      attempt(request);
      return;
    }
    // From a timer: never from within the call.
    request.deadline = std::make_unique<base::Timer>(
        loop_, [this, id = request.id, token = *token_] { finish(id, token); });
    request.deadline->start(base::Duration(0));
    return;
  }
  request.waits = true;
  authenticate();
}

void Sender::authenticate() {
  if (authenticating_) return;
  authenticating_ = true;
  attempt(make(kLogin, path::kAuthenticate,
               authenticate_request(settings_.user, settings_.password), Again::Harmless,
               [this](Reply<std::string> answer) { authenticated(std::move(answer)); }));
}

void Sender::authenticated(Reply<std::string> answer) {
  authenticating_ = false;
  std::vector<Id> waiting;
  for (const auto& [id, request] : requests_) {
    if (request->waits) waiting.push_back(id);
  }
  std::optional<Failure> refused;
  if (!answer) {
    refused = answer.error();
  } else if (answer->empty()) {  // nobody need say who he is
    token_ = "";
  } else if (auto token = read_token(*answer)) {
    token_ = *std::move(token);
  } else {
    refused = Failure{Failure::Kind::Unreachable, token.error()};
  }
  if (refused && refused->kind == Failure::Kind::Refused) {
    notices_.say(Notices::Kind::NoLogin, now(),
                 "etcd does not let user " + settings_.user + " in: " + refused->text);
  }
  const std::weak_ptr<const bool> alive = alive_;
  for (const Id id : waiting) {
    const auto found = requests_.find(id);
    if (found == requests_.end()) continue;
    found->second->waits = false;
    if (refused) {
      finish(id, Unexpected{*refused});
    } else {
      start(*found->second);
    }
    if (alive.expired()) return;
  }
}

Gateway::Post Sender::post_to(std::size_t endpoint, std::string_view path,
                              const Token& token) const {
  Gateway::Post post;
  post.url = settings_.endpoints[endpoint] + std::string(path);
  // A member that has lost its leader says so at once, and ends its watches.
  post.headers.emplace_back("Grpc-Metadata-hasleader: true");
  if (!token.empty()) post.headers.push_back("Authorization: " + token);
  post.connecting = kConnecting;
  return post;
}

void Sender::attempt(Request& request) {
  const auto endpoint = endpoints_.choose(now(), request.tried);
  const auto left = std::chrono::floor<base::Duration>(request.until - now());
  if (!endpoint || left <= base::Duration(0)) {
    finish(request.id, failure(Failure::Kind::Unreachable, request.last_failure));
    return;
  }
  request.tried[*endpoint] = true;
  Gateway::Post post = post_to(*endpoint, request.path, request.token);
  post.body = request.body;
  // Half of the time, so that another one can still answer; the last has all that is left.
  const bool last = std::ranges::count(request.tried, false) == 0;
  post.limit = request.again == Again::Harmless && !last ? std::min(left, kWhole) / 2 : left;
  post.connecting = std::min(post.connecting, post.limit);
  request.post =
      gateway_.post(std::move(post), [this, id = request.id, member = *endpoint](auto answer) {
        answered(id, member, std::move(answer));
      });
}

void Sender::answered(Id id, std::size_t endpoint,
                      base::Result<Gateway::Answer, Gateway::Failed> answer) {
  Request& request = *requests_.at(id);
  request.post = 0;
  if (!answer) {
    unanswered(request, endpoint, answer.error().sent, answer.error().text);
  } else if (answer->status == 200) {
    endpoints_.answered(endpoint);
    finish(id, std::move(answer->body));
  } else {
    judge(request, endpoint, *answer);
  }
}

void Sender::judge(Request& request, std::size_t endpoint, const Gateway::Answer& answer) {
  const auto complaint = read_complaint(answer.body);
  if (!complaint) {
    unanswered(request, endpoint, true,
               "HTTP status " + std::to_string(answer.status) + ", which is not etcd's");
    return;
  }
  const Meaning meaning = meaning_of(*complaint);
  if (meaning == Meaning::NoAnswer) {
    unanswered(request, endpoint, true, complaint->message);
    return;
  }
  endpoints_.answered(endpoint);
  if (meaning == Meaning::BadToken && request.path != path::kAuthenticate) {
    not_believed(request, complaint->message);
  } else if (meaning == Meaning::NoAuth && request.path == path::kAuthenticate) {
    notices_.say(Notices::Kind::NoAuth, now(),
                 "etcd's authentication is not enabled: everybody who reaches it may write; user " +
                     settings_.user + " of the configuration counts for nothing");
    finish(request.id, std::string());
  } else {
    finish(request.id, failure(Failure::Kind::Refused, complaint->message));
  }
}

void Sender::unanswered(Request& request, std::size_t endpoint, bool sent,
                        const std::string& reason) {
  request.last_failure = name_of(endpoint) + ": " + reason;
  lost(endpoint, Notices::Kind::NoAnswer, reason);
  if (sent && request.again == Again::Never) {
    finish(request.id, failure(Failure::Kind::Unreachable, request.last_failure));
    return;
  }
  attempt(request);
}

void Sender::lost(std::size_t endpoint, Notices::Kind kind, const std::string& reason) {
  endpoints_.failed(endpoint, now());
  const auto next = endpoints_.choose(now(), std::vector<bool>(endpoints_.count()));
  notices_.say(
      kind, now(),
      "etcd endpoint " + name_of(endpoint) +
          (kind == Notices::Kind::WatchLost ? " ended the watch (" : " does not answer (") +
          reason + "); trying " + (*next == endpoint ? std::string("again") : name_of(*next)));
}

void Sender::not_believed(Request& request, const std::string& reason) {
  if (settings_.user.empty() || !request.believed) {
    finish(request.id, failure(Failure::Kind::Refused, reason));
    return;
  }
  request.believed = false;
  request.tried.assign(request.tried.size(), false);
  forget(request.token);
  start(request);
}

void Sender::finish(Id id, Reply<std::string> reply) {
  const auto found = requests_.find(id);
  const std::unique_ptr<Request> request = std::move(found->second);
  requests_.erase(found);
  if (request->post != 0) gateway_.drop(request->post);
  request->done(std::move(reply));
}

}  // namespace sluice::etcd
