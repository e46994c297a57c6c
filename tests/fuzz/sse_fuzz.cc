// An event stream of an API -> the same events however it is cut; none with a line end in its type,
// and what is sent back as Last-Event-ID is fit for a header. The first octet chooses the cuts.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/fuzz/cuts.h"
#include "tests/fuzz/require.h"
#include "tools/sluicectl/api/sse.h"

namespace {

using namespace sluice;

struct Reading {
  std::vector<std::pair<std::string, std::string>> events;
  bool believed = true;
  std::string last_id;
};

Reading read(std::string_view octets, std::uint8_t manner) {
  Reading reading;
  ctl::EventStream stream([&](const ctl::EventStream::Event& event) {
    reading.events.emplace_back(event.type, event.data);
  });
  fuzz::Cuts cuts(manner);
  while (!octets.empty() && reading.believed) reading.believed = stream.feed(cuts.take(octets));
  reading.last_id = stream.last_id();
  // A connection is lost: what was half said is forgotten, and the id stays.
  stream.restart();
  fuzz::require(stream.last_id() == reading.last_id);
  const std::size_t before = reading.events.size();
  stream.feed("\n\ndata: x\n\n");
  fuzz::require(reading.events.size() == before + 1);
  fuzz::require(reading.events.back() == std::pair<std::string, std::string>("message", "x"));
  fuzz::require(stream.last_id() == reading.last_id);
  return reading;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view octets(reinterpret_cast<const char*>(data + 1), size - 1);
  const Reading whole = read(octets, 0);
  for (const std::uint8_t manner : {std::uint8_t{1}, data[0]}) {
    const Reading pieces = read(octets, manner);
    fuzz::require(pieces.events == whole.events && pieces.believed == whole.believed);
    fuzz::require(pieces.last_id == whole.last_id);
  }
  fuzz::require(whole.last_id.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
  for (const auto& [type, text] : whole.events) {
    fuzz::require(!type.empty() && type.find_first_of("\r\n") == std::string::npos);
    fuzz::require(text.find('\r') == std::string::npos);
  }
  return 0;
}
