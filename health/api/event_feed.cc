#include "health/api/event_feed.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "health/api/event_json.h"
#include "health/api/problem.h"

namespace sluice::health {
namespace {

using nlohmann::ordered_json;

// On its way to one reader at a time; some 150 events.
constexpr std::size_t kPortionOctets = 64 * 1024;
// Asked of the hub at once.
constexpr std::size_t kPortionEvents = 256;
// Rendered once for all readers that are about equally far; some 400 KB.
constexpr std::size_t kRendered = 1'024;

std::string block(const std::string& id, const std::string& type, const ordered_json& data) {
  // One line: dump() escapes line feeds.
  return "id: " + id + "\nevent: " + type +
         "\ndata: " + data.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n\n";
}

}  // namespace

class EventFeed::Reader final : public ContentStream {
 public:
  Reader(EventFeed& feed, std::uint64_t id, std::string_view last_event_id)
      : feed_(feed), id_(id), first_(begin(last_event_id)) {}
  ~Reader() override { feed_.leave(id_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void open(std::function<void()> more) override { more_ = std::move(more); }
  const std::function<void()>& more() const noexcept { return more_; }
  void want_comment() noexcept { comment_ = true; }

  std::optional<std::string> next() override {
    std::string octets = std::exchange(first_, {});
    const EventHub::Portion portion = feed_.hub_.take(next_, kPortionEvents);
    if (portion.first != next_) return {};  // what it wants is gone
    for (const auto& event : portion.events) {
      if (octets.size() >= kPortionOctets) break;
      octets += feed_.rendered(next_++, *event);
    }
    if (octets.empty() && comment_) octets = ": still here\n\n";
    comment_ = false;
    if (!feed_.hub_.wait(next_ - 1)) feed_.serve_soon();
    return octets;
  }

 private:
  // What a reader gets at once, so that it knows that it is connected.
  std::string begin(std::string_view last_event_id) {
    if (last_event_id.empty()) {
      // An id without data is no event, but where to go on after a lost connection.
      const std::uint64_t newest = feed_.hub_.newest();
      next_ = newest + 1;
      return ": from now on\nid: " + feed_.hub_.id_of(newest) + "\n\n";
    }
    const auto [next, lost] = feed_.hub_.resume_after(last_event_id);
    next_ = next;
    if (!lost) return ": resumed\n\n";
    return block(feed_.hub_.id_of(next - 1), "reset",
                 {{"type", "reset"},
                  {"text",
                   "what came after the event that you saw last is no longer known: look "
                   "at the state anew; what follows is all that is left"}});
  }

  EventFeed& feed_;
  const std::uint64_t id_;
  std::uint64_t next_ = 1;  // the event that it wants
  std::string first_;
  std::function<void()> more_;
  bool comment_ = false;
};

EventFeed::EventFeed(uv_loop_t* loop, EventHub& hub, std::shared_ptr<Inbox> inbox,
                     const HttpLimits& limits)
    : hub_(hub), inbox_(std::move(inbox)), limits_(limits) {
  auto* timer = new uv_timer_t;
  uv_timer_init(loop, timer);
  timer->data = this;
  comments_.reset(timer);
  hub_.set_wake([this, posted = inbox_] { posted->post([this] { serve_all(); }); });
}

EventFeed::~EventFeed() {
  hub_.set_wake(nullptr);
}

HttpResponse EventFeed::response(std::string_view last_event_id) {
  if (readers_.size() >= limits_.streams) {
    return problem(503, "enough readers watch already: " + std::to_string(limits_.streams));
  }
  if (readers_.empty() && comments_) {
    const auto interval = static_cast<std::uint64_t>(limits_.stream_comment.count());
    uv_timer_start(
        comments_.get(),
        [](uv_timer_t* timer) { static_cast<EventFeed*>(timer->data)->comment_all(); }, interval,
        interval);
  }
  const std::uint64_t id = next_id_++;
  auto reader = std::make_shared<Reader>(*this, id, last_event_id);
  readers_.emplace(id, reader.get());
  HttpResponse response;
  response.content_type = "text/event-stream";
  response.stream = std::move(reader);
  return response;
}

void EventFeed::leave(std::uint64_t id) {
  readers_.erase(id);
  if (readers_.empty() && comments_) uv_timer_stop(comments_.get());
}

const std::string& EventFeed::rendered(std::uint64_t number, const Event& event) {
  if (rendered_.empty()) rendered_.resize(kRendered);
  Rendered& place = rendered_[number % kRendered];
  if (place.number != number) {
    place = {number, block(event.id, to_string(event.type), to_json(event))};
  }
  return place.octets;
}

// At the loop's next turn: other connections have theirs in between.
void EventFeed::serve_soon() {
  if (std::exchange(soon_, true)) return;
  inbox_->post([this] {
    soon_ = false;
    serve_all();
  });
}

void EventFeed::serve_all() {
  // Who is served may turn out to be gone, and take itself out of the table.
  std::vector<std::function<void()>> all;
  all.reserve(readers_.size());
  for (const auto& [id, reader] : readers_) {
    if (reader->more()) all.push_back(reader->more());
  }
  for (const auto& more : all) more();
}

void EventFeed::comment_all() {
  for (const auto& [id, reader] : readers_) reader->want_comment();
  serve_all();
}

void EventFeed::close() {
  comments_.reset();
}

}  // namespace sluice::health
