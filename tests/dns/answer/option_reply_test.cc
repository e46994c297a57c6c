#include "dns/answer/option_reply.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "tests/dns/answer/asking.h"

namespace sluice::dns {
namespace {

using fixture::ask;
using fixture::Judged;
using fixture::kPool;
using fixture::Octets;

constexpr std::uint32_t kAskedAt = 1'800'000'000;

ResponseSettings settings() {
  ResponseSettings made;
  made.identity = "ns1.test";
  made.version = "a version";
  made.cookies.count = 1;
  return made;
}

Octets option(OptionCode code, const Octets& data) {
  Octets octets(kOptionOctets);
  write_option(octets.data(), code, data.size());
  octets.insert(octets.end(), data.begin(), data.end());
  return octets;
}

// A query with these options; `name` empty: without a question.
Octets with_options(const std::string& name, const std::vector<Octets>& options,
                    std::uint16_t payload = 1232, std::uint8_t version = 0) {
  Octets query(kHeaderOctets);
  if (!name.empty()) query = fixture::to_wire({.name = name});
  std::size_t size = 0;
  for (const Octets& each : options) size += each.size();
  Octets opt(kOptOctets);
  write_opt(opt.data(), payload, Rcode::NoError, false, size);
  opt[6] = version;
  query.insert(query.end(), opt.begin(), opt.end());
  for (const Octets& each : options) query.insert(query.end(), each.begin(), each.end());
  query[11] = 1;
  return query;
}

// The options of an answer by their code, read from the end: OPT is the last record.
std::map<unsigned, Octets> options_of(const Judged& judged) {
  std::map<unsigned, Octets> options;
  if (judged.packet == nullptr || ldns_pkt_edns_data(judged.packet.get()) == nullptr)
    return options;
  const ldns_rdf* data = ldns_pkt_edns_data(judged.packet.get());
  WireReader reader({ldns_rdf_data(data), ldns_rdf_size(data)});
  while (!reader.at_end() && reader.ok()) {
    const unsigned code = reader.u16();
    const auto octets = reader.octets(reader.u16());
    EXPECT_TRUE(options.emplace(code, Octets(octets.begin(), octets.end())).second);
  }
  EXPECT_TRUE(reader.ok());
  return options;
}

constexpr unsigned kNsid = 3;
constexpr unsigned kSubnet = 8;
constexpr unsigned kCookie = 10;
constexpr unsigned kKeepalive = 11;
constexpr unsigned kError = 15;

class OptionReplyTest : public testing::Test {
 protected:
  OptionReplyTest() {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(0xC6336464);
    udp_.client = tcp_.client = reinterpret_cast<const sockaddr*>(&address_);
    udp_.now = tcp_.now = kAskedAt;
    tcp_.transport = Transport::Tcp;
  }
  void serve(ResponseSettings with) {
    serving_.publisher().prepare(fixture::zones_of(fixture::pool_config(3)), std::move(with));
    serving_.publish({}, {});
  }
  Judged asked(const Octets& query, const QueryContext& context) {
    Judged judged = ask(fixture::now(serving_), query, context);
    EXPECT_TRUE(judged.parsed);
    return judged;
  }
  // A cookie that this server gave to this client.
  Octets server_cookie() {
    return options_of(asked(with_options(kPool, {option(OptionCode::Cookie, Octets(8, 5))}), udp_))
        .at(kCookie);
  }

  sockaddr_in address_{};
  QueryContext udp_, tcp_;
  fixture::Serving serving_{fixture::pool_config(3)};
};

TEST_F(OptionReplyTest, TellsItsIdentityToWhoAsks) {  // RFC 5001 section 2.2
  serve(settings());
  const Octets nsid = with_options(kPool, {option(OptionCode::Nsid, {})});
  EXPECT_EQ(options_of(asked(nsid, udp_)).at(kNsid),
            (Octets{'n', 's', '1', '.', 't', 'e', 's', 't'}));
  EXPECT_TRUE(options_of(asked(with_options(kPool, {}), udp_)).empty());
  serve({});
  EXPECT_TRUE(options_of(asked(nsid, udp_)).empty()) << "hidden";
}

TEST_F(OptionReplyTest, LeavesOutAnIdentityThatHasNoRoom) {
  ResponseSettings long_one = settings();
  long_one.identity = std::string(255, 'i');
  serve(long_one);
  const std::string name = std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                           std::string(63, 'c') + "." + std::string(30, 'd') + "." + kPool;
  const std::vector<Octets> options = {option(OptionCode::Nsid, {}),
                                       option(OptionCode::Cookie, Octets(8))};
  const Judged small = asked(with_options(name, options, 512), udp_);
  EXPECT_LE(small.size, 512U);
  EXPECT_FALSE(options_of(small).contains(kNsid));
  EXPECT_TRUE(options_of(small).contains(kCookie));
  EXPECT_TRUE(options_of(asked(with_options(name, options, 512), tcp_)).contains(kNsid));
}

TEST_F(OptionReplyTest, GivesACookieToWhoHasNone) {  // RFC 7873 section 5.2.3
  serve(settings());
  const Octets cookie = server_cookie();
  ASSERT_EQ(cookie.size(), kCookieOctets);
  EXPECT_EQ(Octets(cookie.begin(), cookie.begin() + 8), Octets(8, 5)) << "the client's first";
  Octets room(1232);
  const Answered unknown = respond(fixture::now(serving_), udp_, with_options(kPool, {}), room);
  EXPECT_NE(unknown.about, Answered::kKnownClient);
  const Answered known = respond(fixture::now(serving_), udp_,
                                 with_options(kPool, {option(OptionCode::Cookie, cookie)}), room);
  EXPECT_EQ(known.about, Answered::kKnownClient);
}

TEST_F(OptionReplyTest, GivesAFreshCookieBackAndRenewsAnOldOne) {  // RFC 9018 section 4.3
  serve(settings());
  const Octets cookie = server_cookie();
  const Octets query = with_options(kPool, {option(OptionCode::Cookie, cookie)});
  udp_.now = kAskedAt + 1'800;
  EXPECT_EQ(options_of(asked(query, udp_)).at(kCookie), cookie);
  udp_.now = kAskedAt + 1'801;
  const Octets renewed = options_of(asked(query, udp_)).at(kCookie);
  EXPECT_NE(renewed, cookie);
  EXPECT_EQ(options_of(asked(with_options(kPool, {option(OptionCode::Cookie, renewed)}), udp_))
                .at(kCookie),
            renewed);
}

TEST_F(OptionReplyTest, AnswersABadCookieWithANewOne) {  // RFC 7873 section 5.2.4
  serve(settings());
  Octets bad = server_cookie();
  bad.back() ^= 1;
  const Judged judged = asked(with_options(kPool, {option(OptionCode::Cookie, bad)}), udp_);
  EXPECT_EQ(judged.rcode, Rcode::NoError);
  EXPECT_EQ(judged.answer.size(), 3U);
  EXPECT_EQ(options_of(judged).at(kCookie), server_cookie());
  bad.resize(40);  // somebody else's
  EXPECT_EQ(
      options_of(asked(with_options(kPool, {option(OptionCode::Cookie, bad)}), udp_)).at(kCookie),
      server_cookie());
}

TEST_F(OptionReplyTest, WantsGoodCookiesOverUdpWhereTheyAreRequired) {  // RFC 7873 section 5.2.3
  ResponseSettings strict = settings();
  strict.cookies_required = true;
  serve(strict);
  const Octets learning = with_options(kPool, {option(OptionCode::Cookie, Octets(8, 5))});
  const Judged judged = asked(learning, udp_);
  EXPECT_EQ(judged.rcode, Rcode::BadCookie);
  EXPECT_EQ(ldns_pkt_edns_extended_rcode(judged.packet.get()), 1);
  EXPECT_EQ(ldns_pkt_get_rcode(judged.packet.get()), 7U);
  EXPECT_TRUE(judged.answer.empty());
  const Octets cookie = options_of(judged).at(kCookie);
  EXPECT_EQ(asked(with_options(kPool, {option(OptionCode::Cookie, cookie)}), udp_).rcode,
            Rcode::NoError);
  EXPECT_EQ(asked(learning, tcp_).rcode, Rcode::NoError);
  EXPECT_EQ(asked(with_options(kPool, {}), udp_).rcode, Rcode::NoError) << "knows no cookies";
}

TEST_F(OptionReplyTest, GivesACookieWithoutAQuestion) {  // RFC 7873 section 5.4
  serve(settings());
  const Judged learnt = asked(with_options("", {option(OptionCode::Cookie, Octets(8, 5))}), udp_);
  EXPECT_EQ(learnt.rcode, Rcode::NoError);
  EXPECT_EQ(learnt.octets[5], 0) << "no question";
  Octets cookie = options_of(learnt).at(kCookie);
  EXPECT_EQ(asked(with_options("", {option(OptionCode::Cookie, cookie)}), udp_).rcode,
            Rcode::NoError);
  cookie.back() ^= 1;
  EXPECT_EQ(asked(with_options("", {option(OptionCode::Cookie, cookie)}), udp_).rcode,
            Rcode::BadCookie);
  serve({});
  EXPECT_EQ(asked(with_options("", {option(OptionCode::Cookie, Octets(8))}), udp_).rcode,
            Rcode::FormErr)
      << "no cookies here";
}

TEST_F(OptionReplyTest, RefusesMalformedOptionsWithAnOptOfItsOwn) {
  serve(settings());
  for (const Octets& bad :
       {option(OptionCode::Cookie, Octets(9)), option(OptionCode::ClientSubnet, {0, 1, 8, 0})}) {
    const Judged judged = asked(with_options(kPool, {option(OptionCode::Nsid, {}), bad}), udp_);
    EXPECT_EQ(judged.rcode, Rcode::FormErr);
    EXPECT_TRUE(judged.edns());
    EXPECT_TRUE(options_of(judged).empty());
  }
}

TEST_F(OptionReplyTest, RepeatsTheClientSubnetWithScopeZero) {  // RFC 7871 section 7.2.1
  serve(settings());
  const Octets subnet = {0, 1, 23, 0, 192, 0, 2};
  EXPECT_EQ(options_of(asked(with_options(kPool, {option(OptionCode::ClientSubnet, subnet)}), udp_))
                .at(kSubnet),
            subnet);
}

TEST_F(OptionReplyTest, TellsTheIdleTimeoutOverTcpAlone) {  // RFC 7828 section 3
  serve(settings());
  tcp_.tcp_idle = 300;
  const Octets query = with_options(kPool, {option(OptionCode::TcpKeepalive, {})});
  EXPECT_EQ(options_of(asked(query, tcp_)).at(kKeepalive), (Octets{1, 44}));
  EXPECT_TRUE(options_of(asked(query, udp_)).empty());
  const Octets timeout = with_options(kPool, {option(OptionCode::TcpKeepalive, {0, 1})});
  EXPECT_EQ(asked(timeout, tcp_).rcode, Rcode::FormErr);
  EXPECT_EQ(asked(timeout, udp_).rcode, Rcode::NoError);
}

TEST_F(OptionReplyTest, DoesNotLookAtOptionsOfLaterVersions) {  // RFC 6891 section 6.1.3
  serve(settings());
  const Judged judged = asked(
      with_options(kPool, {option(OptionCode::Cookie, Octets(3)), option(OptionCode::Nsid, {})},
                   1232, 1),
      udp_);
  EXPECT_EQ(judged.rcode, Rcode::BadVers);
  EXPECT_TRUE(options_of(judged).empty());
}

TEST_F(OptionReplyTest, ExplainsRefusals) {  // RFC 8914 section 4
  const auto code = [&](const std::string& name, const char* type, std::uint8_t opcode = 0) {
    Octets query = fixture::to_wire({.name = name, .type = type, .payload = 1232});
    query[2] = static_cast<std::uint8_t>(opcode << 3);
    const Judged judged = asked(query, udp_);
    const auto options = options_of(judged);
    return options.contains(kError) ? int{options.at(kError).at(1)} : -1;
  };
  EXPECT_EQ(code("example.net.", "A"), 20);
  EXPECT_EQ(code(kPool, "AXFR"), 18);
  EXPECT_EQ(code(kPool, "IXFR"), 18);
  EXPECT_EQ(code(kPool, "SOA", 4), 18) << "NOTIFY";
  EXPECT_EQ(code(kPool, "SOA", 5), 18) << "UPDATE";
  EXPECT_EQ(code(kPool, "A", 2), 21) << "STATUS";
  EXPECT_EQ(code(kPool, "MAILB"), 21);
  EXPECT_EQ(code(kPool, "A"), -1);
  EXPECT_EQ(asked(fixture::to_wire({.name = "example.net."}), udp_).octets.size(), 29U)
      << "no EDNS, no explanation";
}

TEST_F(OptionReplyTest, ExplainsPoolsThatAnswerOtherwiseThanAsUsual) {  // RFC 8914 section 4.1
  const auto text = [&](const std::string& name, const char* type) {
    const auto options =
        options_of(asked(fixture::to_wire({.name = name, .type = type, .payload = 1232}), udp_));
    if (!options.contains(kError)) return std::string();
    const Octets& data = options.at(kError);
    EXPECT_EQ(load_u16(data.data()), 0) << "Other";
    return std::string(data.begin() + 2, data.end());
  };
  const auto fall_back = [&](std::vector<health::ServerId> servers, health::Fallback fallback) {
    for (const auto set : {fixture::kPoolSet, fixture::kSrvSet})
      serving_.set(set, servers, fallback);
    serving_.publish({fixture::kPoolSet, fixture::kSrvSet});
  };
  EXPECT_EQ(text(kPool, "A"), "");
  fall_back({0}, health::Fallback::NeverEmpty);
  EXPECT_EQ(text(kPool, "A"), "no server is well: these may not answer");
  EXPECT_EQ(text("_sip._tcp." + kPool, "SRV"), "no server is well: these may not answer");
  EXPECT_EQ(text("pool." + kPool, "A"), "no server is well: these may not answer") << "a CNAME";
  EXPECT_EQ(text("attendant." + kPool, "A"), "") << "another answer set";
  fall_back({0}, health::Fallback::ServeHeld);
  EXPECT_EQ(text(kPool, "A"), "no server is left: held ones answer");
  fall_back({}, health::Fallback::Addresses);
  EXPECT_EQ(text(kPool, "A"), "no server is left: last resort answers");
  fall_back({}, health::Fallback::NoData);
  EXPECT_EQ(text(kPool, "A"), "every server is held or forced down");
  EXPECT_EQ(text(kPool, "AAAA"), "every server is held or forced down");
}

TEST_F(OptionReplyTest, AnExplanationNeverCostsARecord) {
  // As the number of members grows, the answer comes to the edge of 512 octets and beyond it.
  for (unsigned servers = 1; servers < 40; ++servers) {
    fixture::Serving plain(fixture::pool_config(servers));
    fixture::Serving unwell(fixture::pool_config(servers));
    std::vector<health::ServerId> all(servers);
    for (unsigned server = 0; server < servers; ++server) all[server] = server;
    unwell.set(fixture::kPoolSet, all, health::Fallback::NeverEmpty);
    unwell.publish({fixture::kPoolSet});
    const Octets query = fixture::to_wire({.name = kPool, .payload = 512});
    const Judged with = ask(fixture::now(unwell), query, udp_);
    const Judged without = ask(fixture::now(plain), query, udp_);
    ASSERT_TRUE(with.parsed);
    EXPECT_LE(with.size, 512U);
    EXPECT_EQ(with.answer.size(), without.answer.size()) << servers;
    EXPECT_EQ(with.tc(), without.tc()) << servers;
  }
}

}  // namespace
}  // namespace sluice::dns
