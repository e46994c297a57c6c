#include "dns/zone/source_map.h"

#include <algorithm>
#include <cassert>

namespace sluice::dns {

void SourceMap::enter(const std::string& file, int line) {
  const auto known = std::ranges::find(files_, file);
  const auto number = static_cast<std::size_t>(known - files_.begin());
  if (known == files_.end()) files_.push_back(file);
  segments_.push_back({.first = next_, .line = line, .file = number});
}

int SourceMap::place(int line) noexcept {
  assert(!segments_.empty());
  const Segment& segment = segments_.back();
  assert(line >= segment.line);
  const int place = segment.first + line - segment.line;
  next_ = std::max(next_, place + 1);
  return place;
}

base::Location SourceMap::where(int place) const {
  const auto behind = std::ranges::upper_bound(segments_, place, {}, &Segment::first);
  if (behind == segments_.begin()) return {};
  const Segment& segment = *(behind - 1);
  return {files_[segment.file], segment.line + place - segment.first};
}

}  // namespace sluice::dns
