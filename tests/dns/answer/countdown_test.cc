// TTLs before a planned drain (semantics.md section 7), asked.
#include "tests/dns/answer/countdown.h"

#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns/answer/rendered.h"

namespace sluice::dns {
namespace {

using namespace std::chrono_literals;
using config::Order;
using fixture::ask;
using fixture::Caps;
using fixture::Judged;
using fixture::kFeatureSet;
using fixture::kPool;
using fixture::kPoolSet;
using fixture::kSip;
using fixture::kSrvSet;
using fixture::now;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::string kAttendant = "attendant." + kPool;

constexpr base::MonoTime kNow{std::chrono::hours(300)};

QueryContext at(base::MonoTime time, Transport transport = Transport::Udp,
                std::uint64_t rotation = 0) {
  return {.transport = transport, .rotation = rotation, .seed = 20261120, .mono = time};
}

std::vector<std::uint32_t> ttls(const ldns_rr_list* list) {
  std::vector<std::uint32_t> all;
  for (std::size_t index = 0; index < ldns_rr_list_rr_count(list); ++index) {
    all.push_back(ldns_rr_ttl(ldns_rr_list_rr(list, index)));
  }
  return all;
}
std::vector<std::uint32_t> answer_ttls(const Judged& judged) {
  return ttls(ldns_pkt_answer(judged.packet.get()));
}

// Names of the pool in every place where an answer can have them.
const char* const kPlaces =
    "deleg 300 IN NS @\n"
    "deleg 300 IN NS fe01\n"
    "_x._tcp 300 IN SRV 0 0 1 @\n"
    "_x._tcp 300 IN SRV 0 0 1 fe02\n"
    "svc   300 IN HTTPS 1 @\n"
    "short 7 IN MX 1 attendant\n";

config::Config placed(unsigned servers = 3) {
  return fixture::pool_config(servers, std::string(fixture::kRecords) + kPlaces);
}

std::vector<fixture::Question> all_questions() {
  std::vector<fixture::Question> all = fixture::questions();
  for (const char* type : {"NS", "A", "SRV", "HTTPS", "MX"}) {
    for (const char* name : {"x.deleg.", "deleg.", "_x._tcp.", "svc.", "short."}) {
      all.push_back({.name = name + kPool, .type = type});
      all.push_back({.name = name + kPool, .type = type, .payload = 1232});
    }
  }
  return all;
}

// Asks everything before and after caps came, over both transports, with other chances each time.
void compare(fixture::Serving& serving, const std::vector<fixture::Question>& questions,
             const Caps& caps, const std::function<void()>& cap) {
  std::vector<Judged> plain;
  std::uint64_t turn = 0;
  const auto each = [&](auto&& take) {
    turn = 0;
    for (const fixture::Question& question : questions) {
      for (const Transport transport : {Transport::Udp, Transport::Tcp}) {
        take(question, ask(now(serving), question, at(kNow, transport, ++turn)));
      }
    }
  };
  each([&](const fixture::Question&, Judged judged) { plain.push_back(std::move(judged)); });
  cap();
  each([&](const fixture::Question& question, const Judged& lowered) {
    ASSERT_TRUE(lowered.parsed);
    const Judged& before = plain[turn - 1];
    EXPECT_EQ(lowered.size, before.size);
    EXPECT_EQ(fixture::compare_countdown(before.packet.get(), lowered.packet.get(), caps), "")
        << question.name << " " << question.type << " of " << question.payload;
  });
}

TEST(Countdown, IsTheWholeSecondsThatAreLeftAndNeverMoreThanTheTtl) {
  struct Case {
    std::chrono::nanoseconds left;
    std::uint32_t ttl;
  };
  for (const auto& [left, ttl] : std::vector<Case>{{12s, 12},
                                                   {12s - 1ns, 11},
                                                   {12s + 1ns, 12},
                                                   {30s, 30},
                                                   {30s - 1ns, 29},
                                                   {31s, 30},
                                                   {1s, 1},
                                                   {1s - 1ns, 0},
                                                   {0s, 0},
                                                   {-1ns, 0},
                                                   {-1s, 0},
                                                   {-1h, 0},
                                                   {24h * 365 * 200, 30}}) {
    fixture::Serving serving(fixture::pool_config());
    for (const health::AnswerSetId id : {kPoolSet, kSrvSet}) serving.cap(id, kNow + left);
    serving.adjust({kPoolSet, kSrvSet});
    for (const Transport transport : {Transport::Udp, Transport::Tcp}) {
      for (const char* type : {"A", "AAAA", "SRV"}) {
        const bool srv = type == std::string("SRV");
        const Judged judged =
            ask(now(serving), {.name = srv ? kSip : kPool, .type = type, .payload = 1232},
                at(kNow, transport));
        ASSERT_TRUE(judged.parsed);
        EXPECT_THAT(answer_ttls(judged), ElementsAre(ttl, ttl, ttl)) << left.count() << " " << type;
        if (!srv) continue;
        EXPECT_THAT(judged.additional, SizeIs(6));
        EXPECT_THAT(judged.additional,
                    testing::Each(HasSubstr(" " + std::to_string(ttl) + " IN ")));
      }
    }
  }
}

TEST(Countdown, LowersEachRecordThatNamesAMemberAndNoOther) {
  fixture::Serving serving(placed());
  const Caps caps{.addresses = {{kPool, 12}}, .srv = {{kSip, 9}}};
  compare(serving, all_questions(), caps, [&] {
    serving.cap(kPoolSet, kNow + 12'500ms);
    serving.cap(kSrvSet, kNow + 9s);
    serving.adjust({kPoolSet, kSrvSet});
  });
  // What that comparison rests on: the pool is in all these places.
  for (const auto& [name, type] : std::vector<std::pair<std::string, std::string>>{
           {"hosts.", "MX"}, {"x.deleg.", "A"}, {"_x._tcp.", "SRV"}, {"svc.", "HTTPS"}}) {
    const Judged judged =
        ask(now(serving), {.name = name + kPool, .type = type, .payload = 1232}, at(kNow));
    EXPECT_THAT(judged.additional, testing::Contains(kPool + " 12 IN AAAA fd99::1")) << name;
  }
  const Judged chain = ask(now(serving), {.name = "pool." + kPool}, at(kNow));
  EXPECT_THAT(answer_ttls(chain), ElementsAre(300, 12, 12, 12)) << "the alias names no member";
  EXPECT_THAT(answer_ttls(ask(now(serving), {.name = "sips." + kPool, .type = "SRV"}, at(kNow))),
              ElementsAre(300, 9, 9, 9));
}

TEST(Countdown, ReachesHostRecordsThatGoToo) {
  fixture::Serving serving(placed());
  const std::string fe01 = "fe01." + kPool;
  const std::string fe02 = "fe02." + kPool;
  const Caps caps{.addresses = {{fe01, 5}, {fe02, 20}}, .srv = {{kSip, 9}}};
  compare(serving, all_questions(), caps, [&] {
    serving.cap(kSrvSet, kNow + 9s);
    serving.leave({{0, kNow + 5s}, {1, kNow + 20s}});
    serving.adjust({kSrvSet});
  });
  const Judged srv = ask(now(serving), {.name = kSip, .type = "SRV", .payload = 1232}, at(kNow));
  EXPECT_THAT(ttls(ldns_pkt_additional(srv.packet.get())),
              testing::IsSupersetOf({5, 5, 9, 9, 9, 9}))
      << "whichever ends first";
}

// Of a host alone the others keep their TTLs, rendered together as they are.
TEST(Countdown, OfOneHostLeavesTheOthersAlone) {
  fixture::Serving serving(placed());
  compare(serving, all_questions(), {.addresses = {{"fe02." + kPool, 0}}, .srv = {}}, [&] {
    serving.leave({{1, kNow - 1h}});
    serving.adjust({});
  });
}

TEST(Countdown, ComesWithAGenerationToo) {
  fixture::Serving serving(fixture::pool_config());
  serving.set(kPoolSet, {0, 1});
  serving.cap(kPoolSet, kNow + 3s);
  serving.leave({{0, kNow + 4s}});
  serving.publish({kPoolSet});
  EXPECT_THAT(answer_ttls(ask(now(serving), {.name = kPool}, at(kNow))), ElementsAre(3, 3));
  EXPECT_THAT(answer_ttls(ask(now(serving), {.name = "fe01." + kPool}, at(kNow))), ElementsAre(4));
  serving.publisher().prepare(fixture::zones_of(fixture::pool_config()));
  serving.publish({});
  EXPECT_THAT(answer_ttls(ask(now(serving), {.name = kPool}, at(kNow))), ElementsAre(3, 3))
      << "and with a reload";
  EXPECT_THAT(answer_ttls(ask(now(serving), {.name = "fe01." + kPool}, at(kNow))), ElementsAre(4));
}

TEST(Countdown, OfAFeatureIsItsOwn) {
  fixture::Serving serving(fixture::pool_config());
  const auto octets = [&](health::AnswerSetId id) { return now(serving).answer_sets.find(id); };
  serving.cap(kFeatureSet, kNow + 5s);
  serving.adjust({kFeatureSet});
  EXPECT_NE(octets(kPoolSet), octets(kFeatureSet)) << "not the same end";
  EXPECT_THAT(answer_ttls(ask(now(serving), {.name = kPool}, at(kNow))), ElementsAre(30, 30, 30));
  EXPECT_THAT(answer_ttls(ask(now(serving), {.name = kAttendant}, at(kNow))), ElementsAre(5, 5, 5));
  for (const health::AnswerSetId id : {kPoolSet, kFeatureSet}) serving.cap(id, kNow + 4s);
  serving.adjust({kFeatureSet, kPoolSet});  // in any order
  EXPECT_EQ(octets(kPoolSet), octets(kFeatureSet));
  EXPECT_THAT(answer_ttls(ask(now(serving), {.name = kPool}, at(kNow))), ElementsAre(4, 4, 4));
  EXPECT_THAT(answer_ttls(ask(now(serving), {.name = kAttendant}, at(kNow))), ElementsAre(4, 4, 4));
}

TEST(Countdown, ChangesNoChoiceAndNoOrder) {
  for (const Order order : {Order::Rotate, Order::Random, Order::Weighted, Order::Fixed}) {
    for (const unsigned size : {0U, 2U, 7U}) {
      config::Config config = placed(9);
      config.pools[0].order = order;
      config.pools[0].answer_size = static_cast<std::uint16_t>(size);
      fixture::Serving serving(config);
      const Caps caps{.addresses = {{kPool, 12}, {kAttendant, 12}, {"fe03." + kPool, 3}},
                      .srv = {{kSip, 9}}};
      compare(serving, all_questions(), caps, [&] {
        for (const health::AnswerSetId id : {kPoolSet, kFeatureSet}) serving.cap(id, kNow + 12s);
        serving.cap(kSrvSet, kNow + 9s);
        serving.leave({{2, kNow + 3s}});
        serving.adjust({kPoolSet, kSrvSet, kFeatureSet});
      });
    }
  }
}

// Behind the reach of pointers owners are written out.
TEST(Countdown, FindsTtlsBehindOwnersThatAreWrittenOut) {
  for (const bool leaving : {false, true}) {
    fixture::Serving serving(placed(400));
    const std::vector<fixture::Question> questions = {{.name = kSip, .type = "SRV"},
                                                      {.name = "sips." + kPool, .type = "SRV"},
                                                      {.name = kPool, .type = "A"},
                                                      {.name = kPool, .type = "AAAA"}};
    Caps caps{.addresses = {{kPool, 12}}, .srv = {{kSip, 9}}};
    if (leaving) caps.addresses["fe400." + kPool] = 2;
    compare(serving, questions, caps, [&] {
      serving.cap(kPoolSet, kNow + 12s);
      serving.cap(kSrvSet, kNow + 9s);
      if (leaving) serving.leave({{399, kNow + 2s}});
      serving.adjust({kPoolSet, kSrvSet});
    });
    const Judged srv = ask(now(serving), {.name = kSip, .type = "SRV"}, at(kNow, Transport::Tcp));
    EXPECT_GT(srv.size, kPointerReach + 1U);
    EXPECT_THAT(srv.additional, SizeIs(800));
  }
}

// A cache may believe for as long as ever that something is not there.
TEST(Countdown, IsNotForNegativeAnswers) {
  fixture::Serving serving(fixture::pool_config());
  for (const health::AnswerSetId id : {kPoolSet, kSrvSet}) {
    serving.set(id, {}, health::Fallback::NoData);
    serving.cap(id, kNow + 3s);
  }
  serving.hide({0});
  serving.leave({{0, kNow + 3s}});
  serving.publish({kPoolSet, kSrvSet}, {0});
  for (const fixture::Question& question :
       {fixture::Question{.name = kPool}, fixture::Question{.name = kSip, .type = "SRV"},
        fixture::Question{.name = "fe01." + kPool}}) {
    const Judged judged = ask(now(serving), question, at(kNow));
    EXPECT_THAT(judged.answer, IsEmpty());
    EXPECT_THAT(judged.authority, ElementsAre(HasSubstr(kPool + " 10 IN SOA")));
  }
}

TEST(Countdown, TheConfiguredTtlReturns) {
  fixture::Serving serving(fixture::pool_config());
  EXPECT_FALSE(now(serving).counts_down());
  serving.cap(kPoolSet, kNow + 3s);
  serving.cap(kFeatureSet, kNow + 3s);
  serving.leave({{2, kNow + 3s}});
  serving.adjust({kPoolSet, kFeatureSet});
  EXPECT_TRUE(now(serving).counts_down());
  serving.cap(kPoolSet, health::Members::kNoEnd);
  serving.adjust({kPoolSet});
  EXPECT_TRUE(now(serving).counts_down()) << "the feature's does";
  EXPECT_THAT(answer_ttls(ask(now(serving), {.name = kPool}, at(kNow))), ElementsAre(30, 30, 30));
  serving.cap(kFeatureSet, health::Members::kNoEnd);
  serving.adjust({kFeatureSet});
  EXPECT_TRUE(now(serving).counts_down()) << "the host's does";
  serving.leave({});
  serving.adjust({});
  EXPECT_FALSE(now(serving).counts_down());
  EXPECT_THAT(answer_ttls(ask(now(serving), {.name = "fe03." + kPool}, at(kNow))), ElementsAre(30));
}

TEST(Countdown, EndsWithTheSetsThatAReloadReplaces) {
  fixture::Serving serving(fixture::pool_config());
  serving.cap(kPoolSet, kNow + 3s);
  serving.adjust({kPoolSet});
  serving.publisher().prepare(fixture::zones_of(fixture::pool_config()));
  serving.cap(kPoolSet, health::Members::kNoEnd);
  serving.publish({});
  EXPECT_FALSE(now(serving).counts_down());
}

}  // namespace
}  // namespace sluice::dns
