#include "health/etcd/watcher.h"

#include <utility>
#include <vector>

namespace sluice::etcd {
namespace {

using cluster::Change;
using cluster::Kv;
using cluster::Reply;

// For the first word of a stream, like any answer.
constexpr base::Duration kFirstWord = Kv::kLimit;
// Without a word; a member of version 3.4 tells of its progress every 10 minutes alone, so this may
// be no failure, and is told to nobody.
constexpr base::Duration kSilence{30'000};
// A stream that lived so long was no failure to begin with: the longest pause.
constexpr base::Duration kLived{2'000};
// A transaction has 1.5 MiB at most (--max-request-bytes), a line of a thousand of them is unheard
// of.
constexpr std::size_t kLongestLine = std::size_t{64} << 20;

}  // namespace

Watcher::Watcher(uv_loop_t* loop, Sender& sender, const Keys& keys)
    : sender_(sender),
      keys_(keys),
      silence_(loop, [this] { fell_silent(); }),
      pause_(loop, [this] { connect(); }) {}

Watcher::~Watcher() {
  stop();
}

void Watcher::start(std::int64_t after, Kv::WatchCalls calls) {
  stop();
  calls_ = std::make_shared<const Kv::WatchCalls>(std::move(calls));
  after_ = after;
  failures_ = 0;
  avoided_.reset();
  connect();
}

void Watcher::renew() {
  if (!calls_) return;
  if (stream_ != 0) avoided_ = endpoint_;
  stop();
  connect();
}

void Watcher::stop() {
  ++turn_;
  silence_.stop();
  pause_.stop();
  if (stream_ != 0) sender_.gateway().drop(std::exchange(stream_, 0));
}

void Watcher::connect() {
  // The sender calls nobody back who is gone: it is destroyed right after the watcher.
  sender_.identify([this, turn = ++turn_](Reply<Sender::Token> token) {
    if (turn == turn_) open(token);
  });
}

void Watcher::open(const Reply<Sender::Token>& token) {
  if (!token) {
    pause_then_connect();
    return;
  }
  token_ = *token;
  std::vector<bool> tried(sender_.endpoints().count());
  if (avoided_ && tried.size() > 1) tried[*avoided_] = true;
  avoided_.reset();
  endpoint_ = sender_.endpoints().choose(now(), tried).value_or(0);
  made_ = false;
  lines_.clear();
  since_ = now();
  Gateway::Post post = sender_.post_to(endpoint_, path::kWatch, token_);
  post.body = watch_request(keys_, after_);
  const std::uint64_t turn = turn_;
  post.take = [this, turn](std::string_view pieces) {
    if (turn == turn_) take(pieces);
  };
  stream_ = sender_.gateway().post(std::move(post), [this, turn](auto answer) {
    if (turn != turn_) return;
    stream_ = 0;
    lost(answer ? "the stream ended" : answer.error().text);
  });
  silence_.start(kFirstWord);
}

void Watcher::take(std::string_view pieces) {
  silence_.start(kSilence);
  lines_.add(pieces);
  while (const auto line = lines_.next()) {
    if (!take_line(*line)) return;
  }
  if (lines_.pending() > kLongestLine) lost("a line without an end");
}

// False: this stream is over, perhaps the watcher is.
bool Watcher::take_line(std::string_view line) {
  auto read = read_watch_line(keys_, line);
  if (!read) {
    lost(read.error());
    return false;
  }
  made_ = true;
  switch (read->kind) {
    case WatchLine::Kind::Quiet:
      return true;
    case WatchLine::Kind::Ended:
      if (meaning_of(read->complaint) == Meaning::BadToken) sender_.forget(token_);
      lost(read->complaint.message);
      return false;
    case WatchLine::Kind::Compacted: {
      stop();
      const auto calls = std::exchange(calls_, nullptr);
      if (calls->compacted) calls->compacted();
      return false;
    }
    case WatchLine::Kind::Changes:
      break;
  }
  failures_ = 0;
  // What a member that was asked for later revisions has no reason to tell.
  std::erase_if(read->changes, [&](const Change& change) { return change.revision <= after_; });
  if (read->changes.empty()) return true;
  after_ = read->changes.back().revision;
  const std::weak_ptr<const bool> alive = alive_;
  const auto calls = calls_;
  const std::uint64_t turn = turn_;
  calls->changed(std::move(read->changes));
  return !alive.expired() && turn == turn_;
}

void Watcher::lost(const std::string& reason) {
  stop();
  if (now() - since_ >= kLived) failures_ = 0;
  sender_.lost(endpoint_, Notices::Kind::WatchLost, reason);
  pause_then_connect();
}

void Watcher::fell_silent() {
  if (!made_) {
    lost("no answer");
    return;
  }
  renew();
}

void Watcher::pause_then_connect() {
  pause_.start(backoff(++failures_, sender_.random()));
}

}  // namespace sluice::etcd
