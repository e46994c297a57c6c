#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

// An event stream (WHATWG HTML, section 9.2 "Server-sent events"), octet by octet. Pure.
namespace sluice::ctl {

class EventStream {
 public:
  struct Event {
    std::string type;  // "message" unless it says otherwise
    std::string data;  // its lines with a newline between
  };

  // `visit` gets each event that is whole.
  explicit EventStream(std::function<void(const Event&)> visit) : visit_(std::move(visit)) {}

  // The next octets, cut anywhere. False: one event is longer than any authority's (1 MiB), and the
  // rest cannot be believed.
  bool feed(std::string_view octets);

  // What to say in Last-Event-ID after a lost connection; empty: no event had an id.
  const std::string& last_id() const { return last_id_; }

  // A new connection begins; half an event of the one before is forgotten, its id too.
  void restart();

 private:
  void end_line();
  void field(std::string_view name, std::string_view value);
  void dispatch();

  std::function<void(const Event&)> visit_;
  std::string line_;
  Event event_;
  std::size_t size_ = 0;       // octets of this event so far
  bool after_return_ = false;  // a newline now belongs to the line before
  bool begins_ = true;         // a byte order mark may stand here
  std::string id_;             // of the event under way, else the last
  std::string last_id_;
};

}  // namespace sluice::ctl
