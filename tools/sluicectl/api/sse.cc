#include "tools/sluicectl/api/sse.h"

#include <utility>

namespace sluice::ctl {
namespace {

constexpr std::size_t kLargestEvent = std::size_t{1} << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

bool EventStream::feed(std::string_view octets) {
  for (const char octet : octets) {
    const bool second_half = std::exchange(after_return_, octet == '\r') && octet == '\n';
    if (second_half) continue;
    if (octet == '\r' || octet == '\n') {
      end_line();
      continue;
    }
    if (++size_ > kLargestEvent) return false;
    line_ += octet;
  }
  return true;
}

void EventStream::restart() {
  *this = [&] {
    EventStream fresh(std::move(visit_));
    fresh.id_ = last_id_;
    fresh.last_id_ = last_id_;
    return fresh;
  }();
}

void EventStream::end_line() {
  std::string_view line = line_;
  if (std::exchange(begins_, false) && line.starts_with(kByteOrderMark)) {
    line.remove_prefix(kByteOrderMark.size());
  }
  if (line.empty()) {
    dispatch();
  } else {
    const std::size_t colon = line.find(':');
    std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    field(line.substr(0, colon), value);
  }
  line_.clear();
}

void EventStream::field(std::string_view name, std::string_view value) {
  if (name == "event") event_.type = value;
  if (name == "data") event_.data.append(value).append("\n");
  // An id with NUL is none; with a line end it cannot come, so it is safe in a header.
  if (name == "id" && value.find('\0') == std::string_view::npos) id_ = value;
}

void EventStream::dispatch() {
  last_id_ = id_;
  size_ = 0;
  Event whole = std::exchange(event_, {});
  if (whole.data.empty()) return;
  whole.data.pop_back();
  if (whole.type.empty()) whole.type = "message";
  visit_(whole);
}

}  // namespace sluice::ctl
