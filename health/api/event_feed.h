#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <uv.h>

#include "config/base/uv_handle.h"
#include "health/api/event_hub.h"
#include "health/api/http_message.h"
#include "health/api/inbox.h"

namespace sluice::health {

// Server-Sent Events (the WHATWG's HTML standard, section 9.2) for all who watch. On the api
// thread; the hub brings what happens elsewhere.
//
// Readers pull: each has a place in the hub's ring and at most one portion on its way, so a slow
// one costs no memory. It is cut when it does not take its portion in `write_time`, or when what it
// wants next has left the ring; it may then resume, and gets a `reset` first.
class EventFeed {
 public:
  // `loop` and `hub` must outlive it; `limits` says how many readers and how often a comment.
  EventFeed(uv_loop_t* loop, EventHub& hub, std::shared_ptr<Inbox> inbox, const HttpLimits& limits);
  ~EventFeed();  // after its readers
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  // The response to one more reader, which has seen `last_event_id` (empty: nothing yet, and wants
  // what comes from now on); 503 when there are enough.
  HttpResponse response(std::string_view last_event_id);

  std::size_t readers() const noexcept { return readers_.size(); }

  // Before the loop's end; readers may still be there.
  void close();

 private:
  class Reader;
  struct Rendered {
    std::uint64_t number = 0;
    std::string octets;
  };

  const std::string& rendered(std::uint64_t number, const Event& event);
  void serve_soon();
  void serve_all();
  void comment_all();
  void leave(std::uint64_t id);

  EventHub& hub_;
  std::shared_ptr<Inbox> inbox_;
  const HttpLimits limits_;
  base::UvHandle<uv_timer_t> comments_;  // runs while there are readers
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, Reader*> readers_;
  std::vector<Rendered> rendered_;  // number N at N modulo its size
  bool soon_ = false;               // a serve_all() is on its way
};

}  // namespace sluice::health
