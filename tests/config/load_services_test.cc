#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/config/refused.h"

namespace sluice::config {
namespace {

TEST(LoadServices, RefusesEachMistakeOfServicesAndZones) {
  expect_refused({
      {"  chat:\n",
       "  chat:\n"
       "  a.b:\n",
       "t.yaml:12: services.a.b: must be one word, a DNS label: the label \"a.b\" has more than "
       "letters, digits, - and _"},
      {"  chat:\n",
       "  chat:\n"
       "  Chat:\n",
       "t.yaml:12: services.Chat: chat is already the name of the service in line 11"},
      {"[static]", "[chat]",
       "t.yaml:10: services.web.consolidates[0]: chat is already the name of the service in line "
       "11"},
      {"[static]", "[static, static]",
       "t.yaml:10: services.web.consolidates[1]: static is already the name of the component in "
       "line 10"},
      {"[static]", "[web]",
       "t.yaml:10: services.web.consolidates[0]: web is already the name of the service in line "
       "10"},
      {"{consolidates: [static]}", "{title: \"two\\nlines\"}",
       "t.yaml:10: services.web.title: must be one line of at most 100 octets"},
      {"zones:\n",
       "zones:\n"
       "  - {name: example.org., records: x}\n",
       "t.yaml:14: zones[1].name: example.org is already the name of the zone in line 13"},
      {"zones:\n",
       "zones:\n"
       "  - {name: example.net}\n",
       "t.yaml:13: zones[0]: needs records: (master-file text) or file: (a path)"},
      {"zones:\n",
       "zones:\n"
       "  - {name: example.net, records: x, file: /dev/null}\n",
       "t.yaml:13: zones[0].file: must not stand beside records: a zone has one source"},
      {"zones:\n",
       "zones:\n"
       "  - {name: example.net, file: /nonexistent/zone}\n",
       "t.yaml:13: zones[0].file: /nonexistent/zone can't be read: No such file or directory"},
      {"records: |", "records: >",
       "t.yaml:14: zones[0].records: \">\" joins the lines of a text, and master files have "
       "records by line: use \"|\""},
      {"name: example.org", "name: -example.org",
       "t.yaml:13: zones[0].name: must be a DNS name: the label \"-example\" has - at an end, is "
       "-example.org"},
  });
}

TEST(LoadServices, HasTheNameForATitleByDefault) {
  const auto loaded = load_text(std::string(kSmall), "t.yaml");
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->services.size(), 2U);
  EXPECT_EQ(loaded->services[1].name, "chat");
  EXPECT_EQ(loaded->services[1].title, "chat");
  EXPECT_EQ(loaded->services[0].consolidates, std::vector<std::string>{"static"});
}

TEST(LoadServices, LowersNamesWhereverTheyStand) {
  std::string text = with(kSmall, "  chat:\n", "  CHAT:\n");
  text = with(text, "name: example.org", "name: Example.ORG.");
  text = with(text, "service: chat", "service: Chat");
  const auto loaded = load_text(text, "t.yaml");
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  EXPECT_EQ(loaded->services[1].name, "chat");
  EXPECT_EQ(loaded->zones[0].name, "example.org");
  EXPECT_EQ(loaded->pools[0].features[0].service, "chat");
}

TEST(LoadServices, KnowsWhereRecordsBegin) {
  const auto line = [](std::string_view records) {
    const auto loaded = load_text(with(kSmall, "records: |", records), "t.yaml");
    EXPECT_TRUE(loaded) << base::to_string(loaded.error());
    return loaded ? loaded->zones[0].origin.line : 0;
  };
  EXPECT_EQ(line("records: |"), 15);
  EXPECT_EQ(line("records: &r |"), 15);
  EXPECT_EQ(line("records: | # static"), 15);
  EXPECT_EQ(line("records:\n      |\n"), 16);
  EXPECT_EQ(line("# \u00e9\n    records: |"), 16);
  const auto quoted =
      load_text(with(kSmall, "  - name: example.org\n",
                     "  - {name: example.net, records: \"x\"}\n  - name: example.org\n"),
                "t.yaml");
  ASSERT_TRUE(quoted);
  EXPECT_EQ(quoted->zones[0].origin.line, 13);
}

TEST(LoadServices, ReadsRecordsFromAFileBesideTheConfiguration) {
  std::string folder = testing::TempDir() + "sluice-zone-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/static.zone";
  std::ofstream(path) << "@ 60 IN NS ns1\n";
  std::string text(kSmall.substr(0, kSmall.find("    records:")));
  text += "    file: static.zone\n";
  const auto loaded = load_text(text, folder + "/t.yaml");
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  EXPECT_EQ(loaded->zones[0].records, "@ 60 IN NS ns1\n");
  EXPECT_EQ(loaded->zones[0].origin, (base::Location{path, 1}));
}

}  // namespace
}  // namespace sluice::config
