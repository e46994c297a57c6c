#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tools/sluicectl/pki/names.h"

namespace sluice::ctl::pki {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Type = AltName::Type;

TEST(ServerHolder, HasNamesAndAddressesEachOnceInOneSpelling) {
  const auto holder =
      server_holder("NS1.example.org.", {"192.0.2.53", "2001:DB8:0::53", "ns1.example.org", "ns1"});
  ASSERT_TRUE(holder) << holder.error();
  EXPECT_EQ(holder->name, "ns1.example.org");
  EXPECT_THAT(
      holder->names,
      ElementsAre(AltName{Type::Dns, "ns1.example.org"}, AltName{Type::Address, "192.0.2.53"},
                  AltName{Type::Address, "2001:db8::53"}, AltName{Type::Dns, "ns1"}));
  EXPECT_EQ(server_holder("::1", {})->names.front(), (AltName{Type::Address, "::1"}));
}

TEST(ServerHolder, RefusesWhatTheConfigurationWouldNotTake) {
  for (const char* name : {"", "ns1..example", "*.example.org", "a b", "../ns1", "ns1/x",
                           "-a.example", "192.0.2.53:8443", "https://ns1.example"}) {
    EXPECT_FALSE(server_holder(name, {})) << name;
    EXPECT_FALSE(server_holder("ns1.example", {name})) << name;
  }
}

TEST(AgentHolder, IsAServerByItsFullName) {
  EXPECT_THAT(agent_holder("FE01.pool.example")->names,
              ElementsAre(AltName{Type::Dns, "fe01.pool.example"}));
  EXPECT_THAT(agent_holder("fe01").error(), HasSubstr("must be a full name"));
  EXPECT_FALSE(agent_holder("192.0.2.11"));
}

TEST(UserHolder, IsANameOrAMailAddressThatATokenMayHave) {
  const auto anna = user_holder(Kind::Operator, "anna");
  ASSERT_TRUE(anna);
  EXPECT_EQ(anna->kind, Kind::Operator);
  EXPECT_THAT(anna->names, ElementsAre(AltName{Type::Dns, "anna"}));
  EXPECT_THAT(user_holder(Kind::Reader, "Anna.B+ops@Example.org")->names,
              ElementsAre(AltName{Type::Mail, "Anna.B+ops@Example.org"}));
  for (const char* name : {"", "a b", "@example.org", ".a@example.org", "a@b@c.example", "a@",
                           "a/b", "..", "a@192.0.2.1", "CN=anna"}) {
    EXPECT_FALSE(user_holder(Kind::Operator, name)) << name;
  }
}

}  // namespace
}  // namespace sluice::ctl::pki
