#include "health/cluster/records.h"

#include <array>
#include <type_traits>
#include <utility>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "health/cluster/record_json.h"
#include "health/view.h"
#include "tests/health/cluster/record_samples.h"

namespace sluice::cluster {
namespace {

using namespace std::string_literals;
using namespace testing;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Record read(const Write& write) {
  auto record = read_record({write.key, write.value, 0, 0});
  EXPECT_TRUE(record) << record.error();
  return record ? std::move(*record) : Record();
}

std::string mistake(std::string key, std::optional<std::string> value) {
  const auto record = read_record({std::move(key), std::move(value), 0, 0});
  return record ? "none" : record.error();
}

template <class T>
T read_as(const Write& write) {
  Record record = read(write);
  T* as = nullptr;
  if constexpr (std::is_constructible_v<health::Change, T>) {
    auto* change = std::get_if<health::Change>(&record);
    as = change == nullptr ? nullptr : std::get_if<T>(change);
  } else {
    as = std::get_if<T>(&record);
  }
  EXPECT_NE(as, nullptr) << write.key;
  return as == nullptr ? T{} : std::move(*as);
}

Write write(const health::Change& change) {
  return write_of(change, "ab12-7").value_or(Write{});
}

// --- the format: others read it

TEST(RecordText, OfACluster) {
  const ClusterRecord record{"00112233445566778899aabbccddeeff", wall(kNoon)};
  const Write written = write_of(record);
  EXPECT_EQ(written.key, "cluster");
  EXPECT_EQ(written.value,
            R"({"created":"2026-11-20T10:00:30.250Z","id":"00112233445566778899aabbccddeeff"})");
  EXPECT_EQ(read_as<ClusterRecord>(written), record);
}

TEST(RecordText, OfATurn) {
  const TurnRecord record{"ns1", "00112233445566aa"};
  const Write written = write_of(record);
  EXPECT_EQ(written.key, "turn");
  EXPECT_EQ(written.value, R"({"responder":"ns1","run":"00112233445566aa"})");
  EXPECT_EQ(read_as<TurnRecord>(written), record);
}

TEST(RecordText, OfAnEdition) {
  const EditionRecord record{40, 17, 5, "ns1", "00112233445566aa", 3};
  const Write written = write_of(record);
  EXPECT_EQ(written.key, "edition");
  EXPECT_EQ(written.value, R"({"by":"ns1","generation":17,"number":3,"publication":40,"renewed":5,)"
                           R"("run":"00112233445566aa"})");
  EXPECT_EQ(read_as<EditionRecord>(written), record);
}

TEST(RecordText, OfAResponder) {
  const Write written = write_of(full_responder());
  EXPECT_EQ(written.key, "responders/ns1");
  EXPECT_EQ(written.value, R"({"api":["127.0.0.1@8053"],"configuration":"0123456789abcdef",)"
                           R"("dns":["192.0.2.1@53","2001:db8::1@53"],"run":"00112233445566aa",)"
                           R"("since":"2026-11-20T10:00:30.250Z","version":"0.1.0"})");
  EXPECT_EQ(read_as<ResponderRecord>(written), full_responder());
}

TEST(RecordText, OfWhoIsAlive) {
  const AliveRecord record{"ns1", "00112233445566aa"};
  const Write written = write_of(record);
  EXPECT_EQ(written.key, "alive/ns1");
  EXPECT_EQ(written.value, R"({"run":"00112233445566aa"})");
  EXPECT_EQ(read_as<AliveRecord>(written), record);
}

TEST(RecordText, OfWhatIsServed) {
  const ServedRecord record{"ns1", "00112233445566aa", 40, 17, wall(kNoon)};
  const Write written = write_of(record);
  EXPECT_EQ(written.key, "served/ns1");
  EXPECT_EQ(written.value, R"({"at":"2026-11-20T10:00:30.250Z","generation":17,"publication":40,)"
                           R"("run":"00112233445566aa"})");
  EXPECT_EQ(read_as<ServedRecord>(written), record);
}

TEST(RecordText, OfAHold) {
  const Write written = write(health::PutHold{full_hold()});
  EXPECT_EQ(written.key, "holds/fe02.pool01.contoso.example/front-end/host");
  EXPECT_EQ(written.value,
            R"({"by":"operations","expiry":{"alarmed":true,"at":"2026-11-20T10:02:10.250Z",)"
            R"("id":17,"then":"alarm"},"forced":true,"hide_host":true,)"
            R"("instances":{"call-park":"unit-2","front-end":"unit-1"},)"
            R"("reason":"péch \"';--\n","released":["attendant","call-park"],)"
            R"("since":"2026-11-20T10:00:30.250Z","startup":"manual"})");
  EXPECT_EQ(read_as<health::PutHold>(written).hold, full_hold());
}

TEST(RecordText, OfAPlainHoldOfAWholeServer) {
  const health::Hold hold = plain_hold("fe01.pool01.contoso.example");
  const Write written = write(health::PutHold{hold});
  EXPECT_EQ(written.key, "holds/fe01.pool01.contoso.example/-/operator");
  EXPECT_EQ(written.value, R"({"since":"2026-11-20T10:00:30.250Z"})");
  EXPECT_EQ(read_as<health::PutHold>(written).hold, hold);
}

TEST(RecordText, LeavesOutHorizonsWhichAreEachRespondersOwn) {
  health::Hold hold = full_hold();
  hold.horizons = {{"front-end", {wall(kNoon), {}, 7}}};
  EXPECT_EQ(read_as<health::PutHold>(write(health::PutHold{hold})).hold, full_hold());
}

TEST(RecordText, OfAHoldThatIsGone) {
  const Write written = write(health::EraseHold{full_hold().key});
  EXPECT_EQ(written.key, "holds/fe02.pool01.contoso.example/front-end/host");
  EXPECT_FALSE(written.value);
  EXPECT_EQ(read_as<health::EraseHold>(written).key, full_hold().key);
}

TEST(RecordText, OfAForce) {
  const health::PutForce force{"fe01.pool01.contoso.example", "front-end", health::Health::Down,
                               "operations", wall(kNoon)};
  const Write written = write(force);
  EXPECT_EQ(written.key, "forces/fe01.pool01.contoso.example/front-end");
  EXPECT_EQ(written.value,
            R"({"by":"operations","health":"down","since":"2026-11-20T10:00:30.250Z"})");
  const auto again = read_as<health::PutForce>(written);
  EXPECT_EQ(again.server, force.server);
  EXPECT_EQ(again.service, force.service);
  EXPECT_EQ(again.health, force.health);
  EXPECT_EQ(again.by, force.by);
  EXPECT_EQ(again.since, force.since);
}

TEST(RecordText, OfAForceThatIsLifted) {
  const Write written =
      write(health::PutForce{"fe01.pool01.contoso.example", "front-end", {}, "", {}});
  EXPECT_EQ(written.key, "forces/fe01.pool01.contoso.example/front-end");
  EXPECT_FALSE(written.value);
  const auto again = read_as<health::PutForce>(written);
  EXPECT_EQ(again.service, "front-end");
  EXPECT_FALSE(again.health);
}

TEST(RecordText, OfAPlannedDrain) {
  const Write written = write(health::PutSchedule{full_plan()});
  EXPECT_EQ(written.key, "schedules/00000000000000000018");
  EXPECT_EQ(written.value,
            R"({"at":"2026-11-20T11:00:30.250Z","by":"operations",)"
            R"("created":"2026-11-20T10:00:30.250Z","expires":"2026-11-20T12:00:30.250Z",)"
            R"("force":true,"hide_host":true,"reason":"new memory",)"
            R"("server":"fe03.pool01.contoso.example","service":"call-park",)"
            R"("startup":"automatic","then":"alarm"})");
  EXPECT_EQ(read_as<health::PutSchedule>(written).plan, full_plan());
}

TEST(RecordText, LeavesOutSinceWhenAResponderCapsItsAnswers) {
  health::PlannedDrain plan = full_plan();
  plan.capped_since = base::Moment{wall(kNoon), {}, 7};
  EXPECT_EQ(read_as<health::PutSchedule>(write(health::PutSchedule{plan})).plan, full_plan());
}

TEST(RecordText, OfAScheduleThatIsGone) {
  const Write written = write(health::EraseSchedule{18});
  EXPECT_EQ(written.key, "schedules/00000000000000000018");
  EXPECT_FALSE(written.value);
  EXPECT_EQ(read_as<health::EraseSchedule>(written).id, 18U);
}

TEST(RecordText, OfNumbersAndSerials) {
  const Write numbers = write(health::ReserveSchedules{64});
  EXPECT_EQ(numbers.key, "numbers");
  EXPECT_EQ(numbers.value, R"({"schedule":64})");
  EXPECT_EQ(read_as<health::ReserveSchedules>(numbers).up_to, 64U);
  const Write serial = write(health::PutSerialBase{"contoso.example", 4'294'967'295});
  EXPECT_EQ(serial.key, "serials/contoso.example");
  EXPECT_EQ(serial.value, R"({"base":4294967295})");
  EXPECT_EQ(read_as<health::PutSerialBase>(serial).base, 4'294'967'295U);
}

TEST(RecordText, OfAPool) {
  const Write written = write_of(full_pool());
  EXPECT_EQ(written.key, "pools/pool01.contoso.example");
  EXPECT_EQ(
      written.value,
      R"({"guarded":{"fe03.pool01.contoso.example":"2026-11-20T10:10:30.250Z"},"sets":[)"
      R"({"generation":7,"servers":["fe02.pool01.contoso.example","fe01.pool01.contoso.example"],)"
      R"("service":"front-end","since":"2026-11-20T10:00:30.250Z","slow_starts":[)"
      R"({"server":"fe02.pool01.contoso.example","tenths":9},)"
      R"({"server":"fe01.pool01.contoso.example","tenths":1}]},)"
      R"({"fallback":"nodata","generation":9,"service":"call-park",)"
      R"("since":"2026-11-20T10:00:30.251Z"}]})");
  EXPECT_EQ(read_as<health::SharedPool>(written), full_pool());
}

TEST(RecordText, OfAHost) {
  const health::SharedHost hidden{"fe01.pool01.contoso.example", true, 7};
  const Write written = write_of(hidden);
  EXPECT_EQ(written.key, "hosts/fe01.pool01.contoso.example");
  EXPECT_EQ(written.value, R"({"generation":7,"hidden":true})");
  EXPECT_EQ(read_as<health::SharedHost>(written), hidden);
  const health::SharedHost shown{"fe01.pool01.contoso.example", false, 8};
  EXPECT_EQ(write_of(shown).value, R"({"generation":8})");
  EXPECT_EQ(read_as<health::SharedHost>(write_of(shown)), shown);
}

TEST(RecordText, OfAnAgent) {
  const Write written = write_of(full_report());
  EXPECT_EQ(written.key, "agents/fe01.pool01.contoso.example");
  EXPECT_EQ(written.value,
            R"({"boot":"boot","current":true,"responder":"ns1","run":"00112233445566aa",)"
            R"("seq":5123456789,"services":{"attendant":{"health":"up"},)"
            R"("call-park":{"health":"up","sessions":{}},)"
            R"("front-end":{"connected_since_horizon":true,"counted_since_horizon":true,)"
            R"("health":"down","hook":{"state":"failed","text":"exit code 3"},)"
            R"("instance":"boot/unit-1","sessions":{"calls":12,"registrations":0}}}})");
  EXPECT_EQ(read_as<health::AgentReport>(written), full_report());
}

TEST(RecordText, OfTheAudit) {
  const Write written = write(health::AppendAudit{full_event()});
  EXPECT_EQ(written.key, "audit/fe01.pool01.contoso.example/001795168830250-ab12-7");
  EXPECT_THAT(written.key, StartsWith(audit_prefix("fe01.pool01.contoso.example")));
  EXPECT_EQ(written.value,
            R"({"answer_set":"pool01.contoso.example front-end","at":"2026-11-20T10:00:30.250Z",)"
            R"("by":"operations","generation":7,"numbers":{"accepting":2,"min_accepting":3},)"
            R"("origin":"127.0.0.1","rule":"floor","service":"front-end",)"
            R"("text":"2 would be left, 3 are needed","type":"refusal"})");
  const health::Event event = read_as<health::AppendAudit>(written).event;
  EXPECT_EQ(event.server, full_event().server);
  EXPECT_EQ(write(health::AppendAudit{event}), written);
}

TEST(RecordText, OfAnAuditEntryThatConcernsNoServer) {
  health::Event event;
  event.at = wall(-1);
  event.type = health::EventType::Reload;
  event.text = std::string(5'000, 'x');
  const Write written = write(health::AppendAudit{event});
  EXPECT_EQ(written.key, "audit/-/000000000000000-ab12-7");
  EXPECT_THAT(written.key, StartsWith(audit_prefix("")));
  const health::Event again = read_as<health::AppendAudit>(written).event;
  EXPECT_EQ(again.server, "");
  EXPECT_EQ(again.at, event.at);
  EXPECT_EQ(again.text, event.text);
}

TEST(RecordText, HasAWordForEachFallback) {
  for (const auto& [word, fallback] : kFallbacks) EXPECT_EQ(word, health::to_string(fallback));
}

TEST(RecordText, KeepsWhatIsNoUtf8Readable) {
  health::Hold hold = plain_hold("fe01.pool01.contoso.example");
  hold.reason = "\xff!";
  EXPECT_EQ(read_as<health::PutHold>(write(health::PutHold{hold})).hold.reason, "\xef\xbf\xbd!");
}

TEST(RecordText, IsNoneForWhatRespondersKeepForThemselves) {
  EXPECT_FALSE(write_of(health::Change(health::PutHealth{}), ""));
  EXPECT_FALSE(write_of(health::Change(health::PutPoolTtl{}), ""));
  EXPECT_FALSE(write_of(health::Change(health::PruneAudit{}), ""));
  EXPECT_FALSE(write_of(health::Change(health::ReserveGenerations{}), ""));
  health::Event passing;
  passing.type = health::EventType::Status;
  EXPECT_FALSE(write_of(health::Change(health::AppendAudit{passing}), ""));
}

// --- deletions

TEST(ReadRecord, TakesDeletionsForWhatTheyMean) {
  const auto gone = [](std::string key) { return read({std::move(key), {}, 0}); };
  EXPECT_EQ(std::get<ForgottenResponder>(gone("responders/ns1")).name, "ns1");
  EXPECT_EQ(std::get<AliveRecord>(gone("alive/ns1")), (AliveRecord{"ns1", ""}));
  EXPECT_EQ(std::get<ForgottenAgent>(gone("agents/a.example")).server, "a.example");
  for (const char* key :
       {"cluster", "turn", "edition", "numbers", "pools/p.example", "hosts/a.example",
        "serials/example", "served/ns1", "audit/-/000000000000000-x"}) {
    EXPECT_TRUE(std::holds_alternative<Ignored>(gone(key))) << key;
  }
}

// --- what stands there may be anybody's

TEST(ReadRecord, IgnoresKeysThatNobodyOfUsWrites) {
  for (const char* key : {"", "/", "holds", "cluster/", "turn/x", "Cluster", "notes/a", "\xff"}) {
    EXPECT_TRUE(std::holds_alternative<Ignored>(read({key, "no JSON", 0}))) << key;
  }
}

TEST(ReadRecord, LeavesMembersOfANewerVersionAlone) {
  const Record record = read({"turn", R"({"responder":"ns1","run":"1","mood":[1,{"a":2}]})", 0});
  EXPECT_EQ(std::get<TurnRecord>(record), (TurnRecord{"ns1", "1"}));
  const auto hold = read_as<health::PutHold>(
      {"holds/a.example/-/operator",
       R"({"since":"2026-11-20T10:00:30Z","expiry":{"id":1,"at":"2026-11-20T10:00:30Z","then":"lift",
           "x":0}})",
       0});
  EXPECT_EQ(hold.hold.expiry->id, 1U);
}

TEST(ReadRecord, NamesTheKeyAndWhatIsWrong) {
  EXPECT_EQ(mistake("turn", "{"), "turn: must be JSON, is not from octet 2 on");
  EXPECT_EQ(mistake("turn", ""), "turn: must be JSON, is not from octet 1 on");
  EXPECT_EQ(mistake("turn", "[]"), "turn: must be an object");
  EXPECT_EQ(mistake("turn", R"({"responder":"ns1"})"), "turn: run must be given");
  EXPECT_EQ(mistake("turn", R"({"responder":"ns1","run":7})"), "turn: run must be a text");
  EXPECT_EQ(mistake("turn", R"({"responder":"a b","run":"7"})"),
            "turn: responder must be 1 to 255 visible ASCII characters");
  EXPECT_EQ(mistake("holds/a.example/-/operator", R"({"since":"yesterday"})"),
            "holds/a.example/-/operator: since must be a time of RFC 3339");
  EXPECT_EQ(mistake("holds/a.example/-/operator",
                    R"({"since":"2026-11-20T10:00:30Z","expiry":{"id":-1}})"),
            "holds/a.example/-/operator: expiry.id must be a whole number 0..9007199254740991");
  EXPECT_EQ(mistake("pools/p.example",
                    R"({"sets":[{"service":"a","generation":1,"since":"2026-11-20T10:00:30Z",
                        "slow_starts":[{"server":"a.example","tenths":10}]}]})"),
            "pools/p.example: sets[0].slow_starts[0].tenths must be a whole number 0..9");
}

TEST(ReadRecord, RefusesNamesThatAreNone) {
  const std::string hold = *write(health::PutHold{full_hold()}).value;
  for (const char* key :
       {"holds/", "holds/a.example", "holds/a.example/-", "holds/a.example/-/",
        "holds/a.example/-/nobody", "holds/A.example/-/host", "holds/a/-/host",
        "holds/a.example./-/host", "holds/a b.example/-/host", "holds//-/host",
        "holds/a.example//host", "holds/a.example/x/y/host", "holds/192.0.2.1/-/host"}) {
    EXPECT_EQ(mistake(key, hold), key + ": must be holds/SERVER/SERVICE/ORIGIN"s);
    EXPECT_EQ(mistake(key, {}), key + ": must be holds/SERVER/SERVICE/ORIGIN"s);
  }
  EXPECT_THAT(mistake("forces/a.example", "{}"), HasSubstr("must be forces/SERVER/SERVICE"));
  EXPECT_THAT(mistake("responders/", "{}"), HasSubstr("must be 1 to 255 visible"));
  EXPECT_THAT(mistake("pools/p..example", "{}"), HasSubstr("must be pools/FQDN"));
  for (const char* id : {"18", "0000000000000000001x", "99999999999999999999",
                         "-0000000000000000018", "00009007199254740992"}) {
    EXPECT_THAT(mistake("schedules/"s + id, {}), HasSubstr("20 digits")) << id;
  }
  for (const char* entry :
       {"a.example", "a.example/", "a.example/000000000000000", "a.example/000000000000000-",
        "a.example/00000000000000-x", "*/000000000000000-x"}) {
    EXPECT_THAT(mistake("audit/"s + entry, {}), HasSubstr("must be audit/SERVER")) << entry;
  }
}

TEST(ReadRecord, SaysItInOneLine) {
  EXPECT_EQ(mistake("holds/a\n\xff", "{}"),
            R"(holds/a\x0a\xff: must be holds/SERVER/SERVICE/ORIGIN)");
  EXPECT_EQ(mistake("turn", R"({"responder":"ns1","run":"1","a\n":{"b":1,"b":2}})"),
            R"(turn: a\x0a.b must not be given twice)");
}

TEST(ReadRecord, RefusesAForceThatIsNeitherUpNorDown) {
  EXPECT_THAT(mistake("forces/a.example/front-end",
                      R"({"health":"stopped","since":"2026-11-20T10:00:30Z"})"),
              HasSubstr("health must be up or down"));
}

// Each member of each record in turn is of another type than it should be, or missing.
TEST(ReadRecord, NeverTakesAWrongTypeForAValue) {
  using nlohmann::json;
  const std::array<Write, 8> writes{write(health::PutHold{full_hold()}),
                                    write(health::PutSchedule{full_plan()}),
                                    write(health::AppendAudit{full_event()}),
                                    write_of(full_pool()),
                                    write_of(full_report()),
                                    write_of(full_responder()),
                                    write_of(EditionRecord{1, 2, 1, "a", "b", 3}),
                                    write_of(health::SharedHost{"a.example", true, 1})};
  for (const Write& written : writes) {
    const json whole = json::parse(*written.value).flatten();
    for (const auto& [pointer, value] : whole.items()) {
      for (const json& other : {json(1.5), json(-1), json(json::array({json()})),
                                json(json::object({{"\n", "x"}})), json("\u00e9"), json(true)}) {
        if (other.type() == value.type()) continue;
        json changed = json::parse(*written.value);
        changed[json::json_pointer(pointer)] = other;
        EXPECT_NE(mistake(written.key, changed.dump()), "none")
            << written.key << pointer << " " << other.dump();
      }
    }
  }
}

// --- what is drawn at random reads back as it was

rc::Gen<std::string> server() {
  return rc::gen::element("a.example"s, "fe01.pool01.contoso.example"s, "x-1.y_2.z"s);
}
rc::Gen<std::string> service() {
  return rc::gen::element("front-end"s, "call-park"s, "a"s);
}
// Any octets that are ASCII: control characters, quotes, zeros.
rc::Gen<std::string> text() {
  return rc::gen::container<std::string>(
      rc::gen::map(rc::gen::inRange(0, 128), [](int c) { return static_cast<char>(c); }));
}
rc::Gen<base::WallTime> time() {
  // The years 0000..9999
  return rc::gen::map(rc::gen::inRange<std::int64_t>(-62'167'219'200'000, 253'402'300'799'999),
                      [](std::int64_t at) { return wall(at); });
}
rc::Gen<std::uint64_t> number() {
  return rc::gen::inRange<std::uint64_t>(0, health::kMaxJsonInteger);
}
template <class T>
rc::Gen<std::optional<T>> maybe(const rc::Gen<T>& value) {
  return rc::gen::mapcat(rc::gen::arbitrary<bool>(), [value](bool there) {
    return there ? rc::gen::map(value, [](T v) { return std::optional<T>(std::move(v)); })
                 : rc::gen::just(std::optional<T>());
  });
}

RC_GTEST_PROP(Record, ReadsAHoldAsItWas, ()) {
  health::Hold hold;
  hold.key = {
      *server(), *rc::gen::element(""s, "front-end"s),
      *rc::gen::element(health::Origin::Operator, health::Origin::Host, health::Origin::Schedule)};
  hold.by = *text();
  hold.reason = *text();
  hold.since = *time();
  hold.startup = *maybe(rc::gen::element(config::Startup::Automatic, config::Startup::Manual));
  hold.forced = *rc::gen::arbitrary<bool>();
  hold.hide_host = *rc::gen::arbitrary<bool>();
  if (*rc::gen::arbitrary<bool>()) {
    hold.expiry = health::Expiry{*number(), *time(),
                                 *rc::gen::element(health::Then::Lift, health::Then::Alarm),
                                 *rc::gen::arbitrary<bool>()};
  }
  if (*rc::gen::arbitrary<bool>()) hold.instances.emplace(*service(), *text());
  if (*rc::gen::arbitrary<bool>()) hold.released.insert(*service());
  RC_ASSERT(read_as<health::PutHold>(write(health::PutHold{hold})).hold == hold);
}

RC_GTEST_PROP(Record, ReadsAPlanAsItWas, ()) {
  health::PlannedDrain plan;
  plan.id = *number();
  plan.server = *server();
  plan.service = *rc::gen::element(""s, "front-end"s);
  plan.at = *time();
  plan.by = *text();
  plan.reason = *text();
  plan.hide_host = *rc::gen::arbitrary<bool>();
  plan.force = *rc::gen::arbitrary<bool>();
  plan.expires = *maybe(time());
  plan.then = *rc::gen::element(health::Then::Lift, health::Then::Alarm);
  plan.created = *time();
  RC_ASSERT(read_as<health::PutSchedule>(write(health::PutSchedule{plan})).plan == plan);
}

RC_GTEST_PROP(Record, ReadsAPoolAsItWas, ()) {
  health::SharedPool pool;
  pool.pool = "pool01.contoso.example";
  const auto sets = *rc::gen::inRange(0, 4);
  for (int i = 0; i < sets; ++i) {
    health::SharedSet& set = pool.sets.emplace_back();
    set.service = *service();
    set.generation = *number();
    set.fallback = static_cast<health::Fallback>(*rc::gen::inRange(0, 5));
    set.since = *time();
    set.servers = *rc::gen::container<std::vector<std::string>>(server());
    for (const std::string& slow : *rc::gen::container<std::vector<std::string>>(server())) {
      set.slow_starts.emplace_back(slow, static_cast<std::uint8_t>(*rc::gen::inRange(1, 10)));
    }
  }
  if (*rc::gen::arbitrary<bool>()) pool.guarded.emplace(*server(), *time());
  RC_ASSERT(read_as<health::SharedPool>(write_of(pool)) == pool);
}

RC_GTEST_PROP(Record, ReadsAnAgentsReportAsItWas, ()) {
  health::AgentReport report;
  report.server = *server();
  report.responder = *rc::gen::element("ns1"s, "a/b"s, "!~"s);
  report.run = "1";
  report.boot = *text();
  report.seq = *number();
  report.current = *rc::gen::arbitrary<bool>();
  for (const char* name : {"front-end", "call-park"}) {
    if (*rc::gen::arbitrary<bool>()) continue;
    health::ReportedService& reported = report.services[std::string(name)];
    reported.health = static_cast<health::Health>(*rc::gen::inRange(0, 3));
    reported.instance = *maybe(text());
    if (*rc::gen::arbitrary<bool>()) reported.sessions = health::Sessions{{*text(), *number()}};
    reported.counted_since_horizon = *rc::gen::arbitrary<bool>();
    reported.connected_since_horizon = *rc::gen::arbitrary<bool>();
    if (*rc::gen::arbitrary<bool>()) reported.hook = health::HookOutcome{*text(), *text()};
  }
  RC_ASSERT(read_as<health::AgentReport>(write_of(report)) == report);
}

}  // namespace
}  // namespace sluice::cluster
