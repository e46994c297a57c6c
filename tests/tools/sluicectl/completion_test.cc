#include "tools/sluicectl/completion.h"

#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::ctl {
namespace {

using command_line::Completion;
using command_line::ValueKind;
using testing::ElementsAre;
using testing::IsEmpty;

// Answers what it has, else as an authority that cannot be reached.
class Answers final : public Api {
 public:
  base::Result<Answer, ApiError> send(const Request& request) override {
    const auto found = documents.find(request.path);
    if (found == documents.end()) {
      return base::Unexpected{ApiError{.kind = ApiError::Kind::Unreachable,
                                       .message = "no",
                                       .status = 0,
                                       .problem = {},
                                       .text = {}}};
    }
    return understand(200, found->second, "test");
  }
  base::Result<base::Done, ApiError> stream(const Stream&) override { return base::Done{}; }

  std::map<std::string, std::string> documents;
};

std::string server(const std::string& name, const std::string& pool) {
  return R"({"server": ")" + name + R"(", "pool": ")" + pool +
         R"(", "lease": {"state": "current"}, "services": {"web": {"status": "accepting",)"
         R"( "in_answers": true, "startup": "automatic", "title": "Web", "holds": [],)"
         R"( "verdict": {"safe_to_stop": false, "reasons": []}}},)"
         R"( "verdict": {"safe_to_stop": false, "reasons": []}})";
}

class LiveNames : public testing::Test {
 protected:
  LiveNames() {
    const std::string servers = R"({"names": [{"name": "a.p1.example", "of": "p1.example"},)"
                                R"( {"name": "b.p1.example", "of": "p1.example"},)"
                                R"( {"name": "b.p2.example", "of": "p2.example"}], "more": )";
    api.documents["/v1/names?kind=server&prefix="] = servers + "false}";
    api.documents["/v1/names?kind=server&prefix=m"] = servers + "true}";
    api.documents["/v1/names?kind=server&prefix=a."] = servers + "false}";
    api.documents["/v1/names?kind=pool&prefix="] =
        R"({"names": [{"name": "p1.example", "of": "web"}], "more": false})";
    api.documents["/v1/names?kind=service&prefix="] =
        R"({"names": [{"name": "web", "of": "Web"}], "more": false})";
    api.documents["/v1/names?kind=owner&prefix="] =
        R"({"names": [{"name": "p1.example", "of": "web"}], "more": false})";
    api.documents["/v1/cluster"] =
        R"({"state": "deciding", "stale": false, "responders": [)"
        R"({"name": "ns1", "self": true, "alive": true}, {"name": "ns2", "alive": false}]})";
    api.documents["/v1/servers/a"] = server("a.p1.example", "p1.example");
  }

  std::vector<std::string> names(ValueKind wanted, const std::string& begun = {},
                                 const std::string& of_server = {}) {
    Completion completion;
    completion.wanted = wanted;
    completion.begun = begun;
    if (!of_server.empty()) completion.typed["SERVER"] = of_server;
    std::vector<std::string> texts;
    for (const auto& each : live_names(completion, api)) texts.push_back(each.text);
    return texts;
  }

  Answers api;
};

TEST_F(LiveNames, ServersAreLabelsWhereTheseAreUnique) {
  EXPECT_THAT(names(ValueKind::Server), ElementsAre("a", "b.p1.example", "b.p2.example"));
  EXPECT_THAT(names(ValueKind::Server, "a."),
              ElementsAre("a.p1.example", "b.p1.example", "b.p2.example"));
  EXPECT_THAT(names(ValueKind::FullName),
              ElementsAre("a.p1.example", "b.p1.example", "b.p2.example"));
}

TEST_F(LiveNames, WhereThereAreMoreNobodyKnowsWhatIsUnique) {
  EXPECT_THAT(names(ValueKind::Server, "m"),
              ElementsAre("a.p1.example", "b.p1.example", "b.p2.example"));
}

TEST_F(LiveNames, PoolsAndOwnerNames) {
  EXPECT_THAT(names(ValueKind::Pool), ElementsAre("p1"));
  EXPECT_THAT(names(ValueKind::OwnerName), ElementsAre("p1.example"));
}

TEST_F(LiveNames, ServicesAreThoseOfTheServerThatWasTyped) {
  EXPECT_THAT(names(ValueKind::Service, "", "a"), ElementsAre("web"));
  EXPECT_THAT(names(ValueKind::Service, "", "nobody"), IsEmpty());
  EXPECT_THAT(names(ValueKind::Service), ElementsAre("web"));
}

TEST_F(LiveNames, RespondersAreTheOthers) {
  EXPECT_THAT(names(ValueKind::Responder), ElementsAre("ns2"));
}

TEST_F(LiveNames, AnAuthorityThatIsNotThereKnowsNone) {
  api.documents.clear();
  for (const ValueKind kind : {ValueKind::Server, ValueKind::Pool, ValueKind::Service,
                               ValueKind::Schedule, ValueKind::OwnerName, ValueKind::Responder}) {
    EXPECT_THAT(names(kind), IsEmpty());
  }
}

}  // namespace
}  // namespace sluice::ctl
