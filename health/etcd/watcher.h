#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <uv.h>

#include "config/base/timer.h"
#include "health/cluster/kv.h"
#include "health/etcd/forms.h"
#include "health/etcd/line_splitter.h"
#include "health/etcd/sender.h"

namespace sluice::etcd {

// The one watch: a stream from some member, made anew from the last revision that was delivered
// whenever it ends or falls silent.
class Watcher {
 public:
  // `sender` must outlive it.
  Watcher(uv_loop_t* loop, Sender& sender, const Keys& keys);
  ~Watcher();  // no call after it
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // Instead of the watch before. The calls may start(), renew() and destroy the watcher.
  void start(std::int64_t after, cluster::Kv::WatchCalls calls);
  // At once, from another member if there is one.
  void renew();

 private:
  void stop();
  void connect();
  void open(const cluster::Reply<Sender::Token>& token);
  void take(std::string_view pieces);
  bool take_line(std::string_view line);
  void lost(const std::string& reason);
  void fell_silent();
  void pause_then_connect();

  Sender& sender_;
  const Keys& keys_;
  std::shared_ptr<const cluster::Kv::WatchCalls> calls_;  // null: no watch
  std::int64_t after_ = 0;                                // the newest that was delivered
  // Of the connection under way, also while a token is asked for: what others bring is too late.
  std::uint64_t turn_ = 0;
  Gateway::Number stream_ = 0;  // 0: none
  std::size_t endpoint_ = 0;    // of the stream
  std::optional<std::size_t> avoided_;
  Sender::Token token_;
  LineSplitter lines_;
  bool made_ = false;      // the member has confirmed the stream
  unsigned failures_ = 0;  // of streams, since one brought anything or lived long
  base::MonoTime since_;   // when the stream was begun
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
  base::Timer silence_;
  base::Timer pause_;
};

}  // namespace sluice::etcd
