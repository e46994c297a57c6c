#include "dns/answer/chaos.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/dns/answer/asking.h"

namespace sluice::dns {
namespace {

using fixture::Judged;
using fixture::Octets;
using testing::ElementsAre;
using testing::IsEmpty;

class Chaos : public testing::Test {
 protected:
  void serve(std::string identity, std::string version) {
    ResponseSettings settings;
    settings.identity = std::move(identity);
    settings.version = std::move(version);
    serving_.publisher().prepare(fixture::zones_of(fixture::pool_config()), std::move(settings));
    serving_.publish({}, {});
  }
  Judged asked(const std::string& name, const std::string& type = "TXT") {
    Octets query = fixture::to_wire({.name = name, .type = type});
    query.back() = 3;  // CH
    return fixture::ask(fixture::now(serving_), query);
  }

  fixture::Serving serving_{fixture::pool_config()};
};

TEST_F(Chaos, TellsServerAndVersion) {  // RFC 4892 section 2
  serve("ns1.test", "Sluice 1");
  EXPECT_THAT(asked("id.server.").answer, ElementsAre("id.server. 0 CH TXT \"ns1.test\""));
  EXPECT_THAT(asked("hostname.bind.").answer, ElementsAre("hostname.bind. 0 CH TXT \"ns1.test\""));
  EXPECT_THAT(asked("version.bind.").answer, ElementsAre("version.bind. 0 CH TXT \"Sluice 1\""));
  EXPECT_THAT(asked("Version.SERVER.", "ANY").answer,
              ElementsAre("Version.SERVER. 0 CH TXT \"Sluice 1\""));
  EXPECT_TRUE(asked("id.server.").aa());
}

TEST_F(Chaos, FillsOneCharacterStringAtMost) {
  serve(std::string(255, 'x'), "v");
  EXPECT_THAT(asked("id.server.").answer,
              ElementsAre("id.server. 0 CH TXT \"" + std::string(255, 'x') + "\""));
}

TEST_F(Chaos, IsRefusedWhereHidden) {
  serve("", "");
  for (const char* name : {"id.server.", "hostname.bind.", "version.bind.", "version.server."}) {
    const Judged judged = asked(name);
    EXPECT_EQ(judged.rcode, Rcode::Refused) << name;
    EXPECT_THAT(judged.answer, IsEmpty());
  }
}

TEST_F(Chaos, KnowsNothingElse) {
  serve("ns1.test", "v");
  for (const char* name :
       {"authors.bind.", "server.", "bind.", ".", "x.id.server.", "pool01.contoso.example."}) {
    EXPECT_EQ(asked(name).rcode, Rcode::Refused) << name;
  }
  EXPECT_EQ(asked("id.server.", "A").rcode, Rcode::Refused);
}

}  // namespace
}  // namespace sluice::dns
