#include "tools/sluicectl/options.h"

#include <chrono>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::ctl {
namespace {

using namespace std::chrono_literals;

base::Result<Options, Stop> parsed(std::vector<std::string> words, const Connection& given = {}) {
  return parse_options(std::move(words), given);
}

TEST(ParseOptions, TakesOptionsBeforeAndAfterTheCommand) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--json", "--token-file", "t", "drain", "fe02", "--service", "s"},
        std::vector<std::string>{"drain", "--service=s", "fe02", "--json", "--token-file=t"}}) {
    const auto options = parsed(words);
    ASSERT_TRUE(options) << options.error().text;
    EXPECT_EQ(options->command, Command::Drain);
    EXPECT_EQ(options->server, "fe02");
    EXPECT_EQ(options->service, "s");
    EXPECT_EQ(options->token_file, "t");
    EXPECT_TRUE(options->json);
  }
}

TEST(ParseOptions, KnowsEveryCommandOfTheContract) {
  const std::vector<std::pair<std::vector<std::string>, Command>> lines{
      {{"status"}, Command::Status},
      {{"status", "pool"}, Command::Status},
      {{"services", "fe"}, Command::Services},
      {{"drain", "fe"}, Command::Drain},
      {{"pause", "fe"}, Command::Drain},
      {{"resume", "fe"}, Command::Resume},
      {{"wait", "fe"}, Command::Wait},
      {{"ready", "fe"}, Command::Ready},
      {{"force-up", "fe"}, Command::ForceUp},
      {{"force-down", "fe"}, Command::ForceDown},
      {{"unforce", "fe"}, Command::Unforce},
      {{"explain", "name"}, Command::Explain},
      {{"explain", "name", "SRV"}, Command::Explain},
      {{"verify"}, Command::Verify},
      {{"verify", "pool"}, Command::Verify},
      {{"dig", "name"}, Command::Dig},
      {{"dig", "name", "NS"}, Command::Dig},
      {{"schedule", "list"}, Command::ScheduleList},
      {{"schedule", "cancel", "7"}, Command::ScheduleCancel},
      {{"cluster"}, Command::Cluster},
      {{"cluster", "forget", "ns2.example"}, Command::ClusterForget},
      {{"roll", "pool", "--exec", "true"}, Command::Roll},
      {{"watch"}, Command::Watch},
      {{"history", "fe"}, Command::History},
      {{"backup", "file"}, Command::Backup},
      {{"import", "--to", "etcd"}, Command::Import},
      {{"reload"}, Command::Reload},
      {{"token", "reader"}, Command::Token},
  };
  for (const auto& [words, command] : lines) {
    const auto options = parsed(words);
    ASSERT_TRUE(options) << words.front() << ": " << options.error().text;
    EXPECT_EQ(options->command, command) << words.front();
  }
}

TEST(ParseOptions, WaitTakesADurationOnlyWhereOneStands) {
  const auto limit = [](std::vector<std::string> words) {
    const auto options = parsed(std::move(words));
    EXPECT_TRUE(options);
    EXPECT_TRUE(options->wait);
    EXPECT_EQ(options->server, "fe02");
    return options->limit;
  };
  EXPECT_EQ(limit({"drain", "fe02", "--wait"}), std::nullopt);
  EXPECT_EQ(limit({"drain", "--wait", "fe02"}), std::nullopt);
  EXPECT_EQ(limit({"drain", "--wait", "15m", "fe02"}), 15min);
  EXPECT_EQ(limit({"drain", "fe02", "--wait", "1h30m"}), 90min);
  EXPECT_EQ(limit({"drain", "fe02", "--wait=90s"}), 90s);
  EXPECT_EQ(limit({"drain", "fe02", "--wait", "0s"}), 0s);
}

TEST(ParseOptions, HelpFitsATerminal) {
  std::vector<std::vector<std::string>> all{
      {"--help"}, {"schedule", "cancel", "--help"}, {"cluster", "forget", "--help"}};
  for (const char* command : {"status", "services", "drain", "resume", "wait", "ready", "force-up",
                              "schedule", "explain", "verify", "dig", "cluster", "roll", "watch",
                              "history", "backup", "import", "reload", "token"}) {
    all.push_back({command, "--help"});
  }
  for (const auto& words : all) {
    const auto options = parsed(words);
    ASSERT_FALSE(options);
    EXPECT_EQ(options.error().exit, Exit::Done);
    std::istringstream help(options.error().text);
    for (std::string line; std::getline(help, line);) EXPECT_LE(line.size(), 80U) << line;
  }
}

TEST(ParseOptions, AMistypedWordIsGuessed) {
  const auto first_line = [](std::vector<std::string> words) {
    const auto options = parsed(std::move(words));
    EXPECT_FALSE(options);
    EXPECT_EQ(options.error().exit, Exit::Usage);
    return options.error().text.substr(0, options.error().text.find('\n'));
  };
  EXPECT_EQ(first_line({"drian", "fe02"}),
            "sluicectl: there is no command 'drian'; did you mean \"drain\"?");
  EXPECT_EQ(first_line({"pasue", "fe02"}),
            "sluicectl: there is no command 'pasue'; did you mean \"pause\"?");
  EXPECT_EQ(first_line({"banana"}), "sluicectl: there is no command 'banana'");
  EXPECT_EQ(first_line({"drain", "fe02", "--reson=x"}),
            "sluicectl: there is no option --reson; did you mean \"--reason\"?");
  EXPECT_EQ(first_line({"status", "--jsno"}),
            "sluicectl: there is no option --jsno; did you mean \"--json\"?");
  EXPECT_EQ(first_line({"schedule", "cancle", "7"}),
            "sluicectl: there is no command 'cancle'; did you mean \"cancel\"?");
  EXPECT_EQ(first_line({"resume", "fe01", "fe02"}), "sluicectl: 'fe02' is one word too many");
}

TEST(ParseOptions, MistakesAreToldInPlainWords) {
  const auto first_line = [](std::vector<std::string> words) {
    const auto options = parsed(std::move(words));
    EXPECT_FALSE(options);
    EXPECT_EQ(options.error().exit, Exit::Usage);
    return options.error().text.substr(0, options.error().text.find('\n'));
  };
  EXPECT_EQ(first_line({"schedule"}), "sluicectl: schedule needs a command: list or cancel");
  EXPECT_EQ(first_line({"drain", "fe02", "--reason"}), "sluicectl: --reason needs a value");
  EXPECT_EQ(first_line({"drain", "fe02", "--startup", "manul"}),
            "sluicectl: --startup: 'manul' must be manual or automatic; did you mean \"manual\"?");
  EXPECT_EQ(first_line({"history", "fe02", "--limit", "0"}),
            "sluicectl: --limit: '0' must be a number from 1 to 1000");
}

TEST(ParseOptions, WatchTakesSeconds) {
  const auto interval = [](std::vector<std::string> words) {
    const auto options = parsed(std::move(words));
    EXPECT_TRUE(options) << options.error().text;
    EXPECT_TRUE(options->waits());
    EXPECT_EQ(options->pool, "pool");
    return options->watch;
  };
  EXPECT_EQ(interval({"status", "pool", "--watch"}), 1s);
  EXPECT_EQ(interval({"status", "--watch", "pool"}), 1s);
  EXPECT_EQ(interval({"status", "--watch=2", "pool"}), 2s);
  EXPECT_EQ(interval({"status", "--watch", "0.5", "pool"}), 500ms);
  EXPECT_EQ(interval({"status", "pool", "--watch=1m"}), 1min);
  EXPECT_FALSE(parsed({"status"})->watch);
  EXPECT_FALSE(parsed({"status", "--watch=0"}));
  EXPECT_FALSE(parsed({"status", "--watch=often"}));
}

TEST(ParseOptions, DnsServersAreAddresses) {
  const auto at = [](const char* text) { return *base::SocketAddress::parse(text); };
  const auto verify = parsed({"verify", "--server", "192.0.2.1", "--server=::1@5353", "pool"});
  ASSERT_TRUE(verify) << verify.error().text;
  EXPECT_EQ(verify->servers, (std::vector{at("192.0.2.1@53"), at("::1@5353")}));
  EXPECT_EQ(verify->pool, "pool");
  const auto dig = parsed({"dig", "name", "@192.0.2.1@54"});
  ASSERT_TRUE(dig) << dig.error().text;
  EXPECT_EQ(dig->servers, std::vector{at("192.0.2.1@54")});
  EXPECT_EQ(dig->type, "");
  EXPECT_FALSE(parsed({"dig", "name", "@resolver"}));
  EXPECT_EQ(parsed({"--api", "http://dig", "--json", "dig", "@192.0.2.1", "name"})->servers.size(),
            1U);
  EXPECT_EQ(parsed({"drain", "dig", "--reason", "@home"})->reason, "@home") << "a server's label";
  EXPECT_FALSE(parsed({"dig", "name", "fe02"})) << "no type";
  EXPECT_FALSE(parsed({"verify", "--server", "192.0.2.1@0"}));
}

TEST(ParseOptions, RollHasDefaultsThatAreSafe) {
  const auto options = parsed({"roll", "pool", "--exec", "reboot --wait 15m"});
  ASSERT_TRUE(options) << options.error().text;
  EXPECT_EQ(options->exec, "reboot --wait 15m");
  EXPECT_EQ(options->soak, 6s);
  EXPECT_EQ(options->limit, std::nullopt);
  EXPECT_EQ(options->max_unavailable, std::nullopt);
  EXPECT_FALSE(options->domains || options->skip_unready || options->dry_run || options->restart);
  EXPECT_TRUE(options->waits());
}

TEST(ParseOptions, RollTakesItsOptions) {
  const auto options =
      parsed({"roll", "pool", "--exec", "x", "--max-unavailable", "2", "--timeout", "2h", "--soak",
              "0s", "--domains", "--skip-unready", "--state", "s", "--restart", "--json"});
  ASSERT_TRUE(options) << options.error().text;
  EXPECT_EQ(options->max_unavailable, 2U);
  EXPECT_EQ(options->limit, 2h);
  EXPECT_EQ(options->soak, 0s);
  EXPECT_TRUE(options->domains && options->skip_unready && options->restart && options->json);
  EXPECT_EQ(options->state_file, "s");
  EXPECT_TRUE(parsed({"roll", "pool", "--dry-run"}));
}

TEST(ParseOptions, ATimeStaysAsItWasTyped) {
  for (const char* time : {"22:00", "+2h", "2026-11-20T22:00:00+01:00"}) {
    const auto options =
        parsed({"drain", "fe", "--at", time, "--expires", "2h", "--then", "alarm"});
    ASSERT_TRUE(options) << options.error().text;
    EXPECT_EQ(options->at, time);
    EXPECT_EQ(options->then, "alarm");
  }
}

TEST(ParseOptions, ACommandsNameMayBeAServersLabel) {
  const auto options = parsed({"drain", "status"});
  ASSERT_TRUE(options) << options.error().text;
  EXPECT_EQ(options->command, Command::Drain);
  EXPECT_EQ(options->server, "status");
}

TEST(ParseOptions, SeveralApisAreRespondersOfOneCluster) {
  const auto options = parsed({"--api", "http://ns1", "status", "--api=http://ns2", "pool"});
  ASSERT_TRUE(options) << options.error().text;
  EXPECT_EQ(options->endpoints, (std::vector<Endpoint>{{Endpoint::Kind::Url, "http://ns1"},
                                                       {Endpoint::Kind::Url, "http://ns2"}}));
  EXPECT_EQ(options->pool, "pool");
  EXPECT_FALSE(parsed({"--api", "http://ns1", "--socket", "/s", "status"}));
}

TEST(ParseOptions, ADrainOfOneResponderAloneIsForNow) {
  EXPECT_TRUE(parsed({"drain", "fe", "--local-force"})->local_force);
  EXPECT_FALSE(parsed({"drain", "fe", "--force"})->local_force);
  EXPECT_FALSE(parsed({"drain", "fe", "--local-force", "--at", "+2h"}));
}

TEST(ParseOptions, AnImportWantsToKnowWhereTo) {
  const auto options = parsed({"import", "--to", "embedded", "--dry-run", "--force"});
  ASSERT_TRUE(options) << options.error().text;
  EXPECT_EQ(options->to, "embedded");
  EXPECT_EQ(options->config, "/etc/sluice/sluice.yaml");
  EXPECT_TRUE(options->dry_run);
  EXPECT_TRUE(options->force);
  EXPECT_EQ(parsed({"import", "--to", "etcd", "--config", "a.yaml"})->config, "a.yaml");
  EXPECT_FALSE(parsed({"import"}));
  EXPECT_FALSE(parsed({"import", "--to", "consul"}));
  EXPECT_FALSE(parsed({"import", "--to", "etcd", "--config", ""}));
}

TEST(ParseOptions, ClusterForgetWantsAName) {
  EXPECT_EQ(parsed({"cluster", "forget", "ns2.example"})->responder, "ns2.example");
  EXPECT_FALSE(parsed({"cluster", "forget"}));
  EXPECT_FALSE(parsed({"cluster", "forget", ""}));
  EXPECT_FALSE(parsed({"cluster", "ns2"}));
}

TEST(ParseOptions, WaitIsForDrainedUnlessSaidOtherwise) {
  EXPECT_FALSE(parsed({"wait", "fe"})->accepting);
  EXPECT_FALSE(parsed({"wait", "fe", "--for", "drained"})->accepting);
  const auto accepting = parsed({"wait", "fe", "--for", "accepting", "--timeout", "2h"});
  ASSERT_TRUE(accepting);
  EXPECT_TRUE(accepting->accepting);
  EXPECT_TRUE(accepting->waits());
  EXPECT_EQ(accepting->limit, 2h);
}

TEST(ParseOptions, MistakesAreUsage) {
  const std::vector<std::vector<std::string>> mistakes{
      {},
      {"nosuch"},
      {"drain"},
      {"drain", "a", "b"},
      {"drain", ""},
      {"drain", "a", "--service", ""},
      {"drain", "a", "--service", "x", "--service", "y"},
      {"drain", "a", "--wait=soon"},
      {"drain", "a", "--wait=90"},
      {"drain", "a", "--at", "22:00", "--wait"},
      {"drain", "a", "--then", "lift"},
      {"drain", "a", "--then", "explode", "--expires", "2h"},
      {"drain", "a", "--startup", "never"},
      {"drain", "a", "--at", "noon"},
      {"drain", "a", "--at", "2h"},
      {"drain", "a", "--at", ""},
      {"drain", "a", "--expires", "22:00"},
      {"schedule"},
      {"schedule", "nosuch"},
      {"schedule", "cancel"},
      {"schedule", "cancel", "../x"},
      {"history"},
      {"history", "a", "--limit", "0"},
      {"history", "a", "--limit", "1001"},
      {"history", "a", "--limit", "-1"},
      {"backup"},
      {"backup", ""},
      {"backup", "-", "--json"},
      {"watch", "a"},
      {"roll"},
      {"roll", "pool"},
      {"roll", "pool", "--exec", ""},
      {"roll", "pool", "--exec", "true", "--max-unavailable", "0"},
      {"roll", "pool", "--exec", "true", "--soak", "5"},
      {"roll", "pool", "--exec", "true", "--timeout", "soon"},
      {"roll", "pool", "--dry-run", "--restart"},
      {"resume", "a", "--force"},
      {"wait", "a", "--timeout", "-1s"},
      {"wait", "a", "--for", "godot"},
      {"token", "nosuch"},
      {"token", "agent"},
      {"token", "operator", "--server", "a"},
      {"token", "reader", "--pool", "a.example"},
      {"token", "agent", "--server", "a", "--pool", "a.example"},
      {"token", "reader", "--name", "a, role: operator"},
      {"status", "--api", "a", "--socket", "b"},
      {"status", "--socket", std::string(108, 'x')},
  };
  for (const auto& words : mistakes) {
    const auto options = parsed(words);
    ASSERT_FALSE(options) << (words.empty() ? "" : words.back());
    EXPECT_EQ(options.error().exit, Exit::Usage);
    EXPECT_TRUE(options.error().text.ends_with('\n'));
  }
}

TEST(ParseOptions, AnUnknownCommandIsNamed) {
  EXPECT_EQ(parsed({"frobnicate", "fe"}).error().text.substr(0, 48),
            "sluicectl: there is no command 'frobnicate'\nslui");
}

TEST(ParseOptions, HelpAndVersionAreNoMistakes) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--help"}, {"drain", "--help"}, {"--version"}, {"wait", "-h"}}) {
    const auto options = parsed(words);
    ASSERT_FALSE(options);
    EXPECT_EQ(options.error().exit, Exit::Done);
    EXPECT_FALSE(options.error().text.empty());
  }
}

TEST(ParseOptions, PkiHasCommandsBelowIt) {
  const auto agents = parsed({"pki", "agent", "fe01.a.example", "fe02.a.example", "--days", "30"});
  ASSERT_TRUE(agents) << agents.error().text;
  EXPECT_EQ(agents->command, Command::PkiAgent);
  EXPECT_EQ(agents->names, (std::vector<std::string>{"fe01.a.example", "fe02.a.example"}));
  EXPECT_EQ(agents->days, 30U);
  EXPECT_EQ(agents->directory, "pki");
  EXPECT_EQ(parsed({"pki", "renew"})->command, Command::PkiRenew);
  EXPECT_TRUE(parsed({"pki", "renew"})->names.empty());
  EXPECT_FALSE(parsed({"pki", "agent", "fe01.a.example", "--new-key"})) << "without --renew";
  const auto bare = parsed({"pki"});
  ASSERT_FALSE(bare);
  EXPECT_THAT(bare.error().text, testing::HasSubstr("pki needs a command: ca or server or"));
}

TEST(ParseOptions, TheEnvironmentNamesATokenFileUnlessTheLineDoes) {
  const Connection environment{.api = {}, .socket = {}, .token_file = "theirs"};
  EXPECT_EQ(parsed({"status"}, environment)->token_file, "theirs");
  EXPECT_EQ(parsed({"status", "--token-file", "mine"}, environment)->token_file, "mine");
}

}  // namespace
}  // namespace sluice::ctl
