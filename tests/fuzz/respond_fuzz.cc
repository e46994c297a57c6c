// Octets of a query -> an answer that ldns reads, with the same ID and question, within the limit;
// a response is never answered. The first octet chooses transport and size limit. Each input is
// asked of a server with nothing to say of itself, whose pool shows all servers or chooses, and of
// one with everything: NSID, cookies, explanations. A third has planned drains: it answers as the
// first, and no record that names who leaves has a TTL above what is left.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <netinet/in.h>

#include "dns/answer/limit.h"
#include "dns/answer/respond.h"
#include "dns/ldns.h"
#include "dns/wire/writer.h"
#include "tests/dns/answer/countdown.h"

namespace {

using namespace sluice::dns;
using Octets = std::vector<std::uint8_t>;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Silent {
  explicit Silent(const sluice::config::Config& config) : serving(config) {}
  fixture::Serving serving;
  sluice::base::SnapshotReader<ServingSnapshot> reader{serving.publisher().cell()};
};

sluice::config::Config choosing_pool() {
  sluice::config::Config config = fixture::pool_config(20);
  config.pools[0].order = sluice::config::Order::Weighted;
  config.pools[0].answer_size = 7;
  for (std::uint8_t i = 0; i < 20; ++i) config.pools[0].servers[i].weight = i;
  return config;
}

// Of which each answer shows all servers, or some.
const ServingSnapshot& silent_server(bool chooses) {
  static Silent all(fixture::pool_config(20));
  static Silent some(choosing_pool());
  return (chooses ? some : all).reader.refresh();
}

// The same before planned drains of the pool, its SRV records and two host records.
struct Leaving : Silent {
  static constexpr sluice::base::MonoTime kPool{std::chrono::seconds(120)};
  static constexpr sluice::base::MonoTime kSrv{std::chrono::seconds(110)};
  static constexpr sluice::base::MonoTime kFirstHost{std::chrono::seconds(115)};
  static constexpr sluice::base::MonoTime kOtherHost{std::chrono::seconds(125)};

  explicit Leaving(const sluice::config::Config& config) : Silent(config) {
    serving.cap(fixture::kPoolSet, kPool);
    serving.cap(fixture::kSrvSet, kSrv);
    serving.leave({{0, kFirstHost}, {19, kOtherHost}});
    serving.adjust({fixture::kPoolSet, fixture::kSrvSet});
  }
};

const ServingSnapshot& leaving_server(bool chooses) {
  static Leaving all(fixture::pool_config(20));
  static Leaving some(choosing_pool());
  return (chooses ? some : all).reader.refresh();
}

fixture::Caps caps_at(sluice::base::MonoTime now) {
  const auto left = [now](sluice::base::MonoTime end) {
    if (end <= now) return 0U;
    return static_cast<std::uint32_t>((end - now) / std::chrono::seconds(1));
  };
  const std::string pool = "pool01.contoso.example.";
  return {.addresses = {{pool, left(Leaving::kPool)},
                        {"fe01." + pool, left(Leaving::kFirstHost)},
                        {"fe20." + pool, left(Leaving::kOtherHost)}},
          .srv = {{"_sip._tcp." + pool, left(Leaving::kSrv)}}};
}

// Everything that a server may say of itself.
struct Talkative {
  explicit Talkative(bool cookies_required) : serving(fixture::pool_config(20)) {
    ResponseSettings settings;
    settings.identity = std::string(255, 'i');
    settings.version = std::string(255, 'v');
    settings.cookies.count = 2;
    settings.cookies.keys[1].fill(1);
    settings.cookies_required = cookies_required;
    serving.publisher().prepare(fixture::zones_of(fixture::pool_config(20)), std::move(settings));
    serving.set(fixture::kPoolSet, {0, 1, 2}, sluice::health::Fallback::NeverEmpty);
    serving.set(fixture::kSrvSet, {}, sluice::health::Fallback::NoData);
    serving.publish({}, {});
  }
  fixture::Serving serving;
  sluice::base::SnapshotReader<ServingSnapshot> reader{serving.publisher().cell()};
};

const ServingSnapshot& talkative_server(bool cookies_required) {
  static Talkative lenient(false);
  static Talkative strict(true);
  return (cookies_required ? strict : lenient).reader.refresh();
}

std::size_t question_octets(std::span<const std::uint8_t> message) {
  if (load_u16(message.data() + 4) == 0) return 0;
  std::size_t at = kHeaderOctets;
  while (message[at] != 0) at += 1U + message[at];
  return at + 5 - kHeaderOctets;
}

void judge(std::span<const std::uint8_t> query, std::span<const std::uint8_t> answer, Rcode rcode) {
  require(load_u16(answer.data()) == load_u16(query.data()));
  const std::size_t question = question_octets(answer);
  require(kHeaderOctets + question <= query.size());
  require(std::ranges::equal(answer.subspan(kHeaderOctets, question),
                             query.subspan(kHeaderOctets, question)));
  ldns_pkt* raw = nullptr;
  require(ldns_wire2pkt(&raw, answer.data(), answer.size()) == LDNS_STATUS_OK);
  const LdnsPacket packet(raw);
  require(ldns_pkt_qr(raw));
  const auto all_bits = static_cast<unsigned>(rcode);
  require(ldns_pkt_get_rcode(raw) == (all_bits & 0xF));
  require(ldns_pkt_edns(raw) || all_bits < 16);
}

// What the client takes over UDP, by ldns' reading; anything where it can't read the query.
std::size_t payload_of(std::span<const std::uint8_t> query) {
  ldns_pkt* raw = nullptr;
  if (ldns_wire2pkt(&raw, query.data(), query.size()) != LDNS_STATUS_OK) return UINT16_MAX;
  const LdnsPacket packet(raw);
  if (!ldns_pkt_edns(raw)) return kMinUdpPayload;
  return std::max<std::size_t>(kMinUdpPayload, ldns_pkt_edns_udp_size(raw));
}

void ask(const ServingSnapshot& snapshot, const QueryContext& context,
         std::span<const std::uint8_t> query) {
  const std::size_t limit =
      context.transport == Transport::Tcp ? kMaxMessageOctets : context.max_udp_payload;
  Octets answer(limit);
  const Answered answered = respond(snapshot, context, query, answer);
  if (query.size() < kHeaderOctets || (query[2] & 0x80) != 0) {
    require(answered.size == 0);
    return;
  }
  require(answered.size >= kHeaderOctets && answered.size <= limit);
  judge(query, std::span(answer).first(answered.size), answered.rcode);
  if (context.transport == Transport::Udp) {
    require(answered.size <= std::min<std::size_t>(payload_of(query), context.max_udp_payload));
  }
  const Answered cut = cut_short(answer, answered);
  require(cut.size <= answered.size);
  judge(query, std::span(answer).first(cut.size), cut.rcode);
}

// The answers of both differ in TTLs that are capped, and in nothing else.
void compare(const ServingSnapshot& plain, const ServingSnapshot& leaving,
             const QueryContext& context, std::span<const std::uint8_t> query) {
  const fixture::Judged before = fixture::ask(plain, query, context);
  const fixture::Judged after = fixture::ask(leaving, query, context);
  require(before.size == after.size && before.rcode == after.rcode);
  if (after.size == 0) return;
  require(before.parsed && after.parsed);
  require(fixture::compare_countdown(before.packet.get(), after.packet.get(), caps_at(context.mono))
              .empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  sockaddr_in client{};
  client.sin_family = AF_INET;
  client.sin_addr.s_addr = 0x01020304;
  QueryContext context;
  context.transport = (data[0] & 1) != 0 ? Transport::Tcp : Transport::Udp;
  context.max_udp_payload = static_cast<std::uint16_t>(512 + 8 * (data[0] >> 1));
  context.rotation = data[0];
  context.now = 1'800'000'000;
  // From long before the first TTL is lowered to when all are 0.
  context.mono = sluice::base::MonoTime(std::chrono::milliseconds(70'000 + 237 * data[0]));
  context.client = reinterpret_cast<const sockaddr*>(&client);
  const std::span<const std::uint8_t> query(data + 1, size - 1);
  ask(silent_server((data[0] & 4) != 0), context, query);
  ask(leaving_server((data[0] & 4) != 0), context, query);
  compare(silent_server((data[0] & 4) != 0), leaving_server((data[0] & 4) != 0), context, query);
  ask(talkative_server((data[0] & 2) != 0), context, query);
  return 0;
}
