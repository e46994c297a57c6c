#include "tools/sluicectl/api/sse.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace sluice::ctl {
namespace {

// WHATWG HTML, section 9.2.6: fed in pieces of that size.
struct Seen {
  std::vector<std::string> events;  // "type|data"
  std::string last_id;
};
Seen seen(std::string_view octets, std::size_t piece) {
  Seen all;
  EventStream stream([&](const EventStream::Event& event) {
    all.events.push_back(event.type + "|" + event.data);
  });
  for (std::size_t at = 0; at < octets.size(); at += piece) {
    EXPECT_TRUE(stream.feed(octets.substr(at, piece)));
  }
  all.last_id = stream.last_id();
  return all;
}

TEST(EventStream, ReadsEventsHoweverTheyAreCut) {
  const std::string octets =
      "\xEF\xBB\xBF: hello\n\nid: run-1\nevent: drain\ndata: {\"a\":\ndata: 1}\n\n"
      ":\n\nid:run-2\r\nevent:status\r\ndata:x\r\n\r\ndata:  y\rid: run-3\r\r\ndata: half";
  for (std::size_t piece = 1; piece <= octets.size(); ++piece) {
    const Seen all = seen(octets, piece);
    EXPECT_EQ(all.events, (std::vector<std::string>{"drain|{\"a\":\n1}", "status|x", "message| y"}))
        << piece;
    EXPECT_EQ(all.last_id, "run-3");
  }
}

TEST(EventStream, AnEventWithoutDataIsNoneAndItsIdCounts) {
  const Seen all = seen("id: run-7\n\nevent: x\n\n", 3);
  EXPECT_TRUE(all.events.empty());
  EXPECT_EQ(all.last_id, "run-7");
}

TEST(EventStream, AnIdCountsOnceItsEventIsWhole) {
  EXPECT_EQ(seen("id: 1\ndata: x\n\nid: 2\ndata: y\n", 5).last_id, "1");
}

TEST(EventStream, UnknownFieldsAndAnIdWithNulAreIgnored) {
  const Seen all = seen(std::string_view("retry: 5\nodd\nid: a\0b\ndata\n\n", 27), 4);
  EXPECT_EQ(all.events, (std::vector<std::string>{"message|"}));
  EXPECT_EQ(all.last_id, "");
}

TEST(EventStream, ANewConnectionForgetsHalfAnEvent) {
  std::vector<std::string> events;
  EventStream stream([&](const EventStream::Event& event) { events.push_back(event.data); });
  EXPECT_TRUE(stream.feed("id: 1\ndata: x\n\nid: 2\ndata: ha"));
  stream.restart();
  EXPECT_EQ(stream.last_id(), "1");
  EXPECT_TRUE(stream.feed("data: y\n\n"));
  EXPECT_EQ(events, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(stream.last_id(), "1");
}

TEST(EventStream, AnEventWithoutEndIsNotKept) {
  EventStream stream([](const EventStream::Event&) {});
  const std::string piece(100'000, 'x');
  int taken = 0;
  while (taken < 100 && stream.feed(piece)) ++taken;
  EXPECT_EQ(taken, 10);
}

}  // namespace
}  // namespace sluice::ctl
