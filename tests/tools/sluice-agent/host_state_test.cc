#include "tools/sluice-agent/host_state.h"

#include <filesystem>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/tools/sluice-agent/folder.h"

namespace sluice::agent {
namespace {

HostState example_state() {
  HostState state;
  state.services["front-end"].pause = health::HostPause{
      "root", "patch \"7\"\n", base::WallTime(std::chrono::seconds(1'795'000'000)),
      config::Startup::Manual, true};
  state.services["front-end"].hook = HookRecord{true, {"failed", "on_hold: exit status 1"}};
  state.services["call-park"].hook = HookRecord{false, {"none", ""}};
  state.services["attendant"].pause =
      health::HostPause{"uid 7", "", base::WallTime(std::chrono::seconds(5)), {}, false};
  return state;
}

HostStateFile open(const std::string& folder) {
  auto file = HostStateFile::open(folder);
  EXPECT_TRUE(file) << (file ? "" : file.error().message);
  return *std::move(file);
}

TEST(HostState, ComesBackAsItWasWritten) {
  const auto read = parse_host_state(render_host_state(example_state()));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, example_state());
}

TEST(HostState, RefusesEveryTruncation) {
  const std::string whole = render_host_state(example_state());
  for (std::size_t size = 0; size + 1 < whole.size(); ++size) {  // the last octet is a newline
    ASSERT_FALSE(parse_host_state(whole.substr(0, size))) << size;
  }
}

TEST(HostState, RefusesWhatItDoesNotKnow) {
  for (const char* text :
       {R"({})", R"({"format": 2, "services": {}})", R"({"format": 1, "services": []})",
        R"({"format": 1, "services": {"a": 1}})", R"({"format": 1, "services": {}, "more": 1})",
        R"({"format": 1, "services": {"a": {"pause": {"by": "root"}}}})",
        R"({"format": 1, "services": {"a": {"hook": {"held": 1, "state": "ok"}}}})"}) {
    EXPECT_FALSE(parse_host_state(text)) << text;
  }
}

TEST(HostStateFile, IsEmptyAtFirstAndKeepsWhatWasSaved) {
  const TestFolder folder;
  const std::string path = folder.file("deep/er");
  {
    const HostStateFile file = open(path);
    const auto loaded = file.load();
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->state, HostState{});
    EXPECT_EQ(loaded->damage, "");
    ASSERT_TRUE(file.save(example_state()));
  }
  const auto loaded = open(path).load();
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->state, example_state());
}

TEST(HostStateFile, DamageIsSaidAndTheFilePutAside) {
  const TestFolder folder;
  const std::string whole = render_host_state(example_state());
  for (const std::string& text :
       {whole.substr(0, whole.size() / 2), std::string(whole.size(), '\0'), std::string(),
        std::string("\xff\xfe garbage")}) {
    folder.write("host-state.json", text);
    const HostStateFile file = open(folder.path());
    const auto loaded = file.load();
    ASSERT_TRUE(loaded);
    EXPECT_NE(loaded->damage, "");
    EXPECT_EQ(loaded->state, HostState{});
    EXPECT_EQ(folder.read("host-state.json.damaged"), text);
    EXPECT_FALSE(std::filesystem::exists(folder.file("host-state.json")));
  }
}

TEST(HostStateFile, AWriteThatWasCutShortLeavesTheOldContent) {
  const TestFolder folder;
  const HostStateFile file = open(folder.path());
  ASSERT_TRUE(file.save(example_state()));
  folder.write("host-state.json.next", "{\"format\": 1, \"serv");
  const auto loaded = file.load();
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->state, example_state());
}

TEST(HostStateFile, AFailedSaveLeavesTheOldContent) {
  const TestFolder folder;
  const HostStateFile file = open(folder.path());
  ASSERT_TRUE(file.save(example_state()));
  std::filesystem::create_directory(folder.file("host-state.json.next"));  // cannot be written
  const auto saved = file.save({});
  ASSERT_FALSE(saved);
  EXPECT_THAT(saved.error().message, testing::HasSubstr("host-state.json"));
  EXPECT_EQ(file.load()->state, example_state());
}

TEST(HostStateFile, BelongsToOneAgentAtATime) {
  const TestFolder folder;
  {
    const HostStateFile first = open(folder.path());
    const auto second = HostStateFile::open(folder.path());
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, testing::HasSubstr("another sluice-agent"));
  }
  EXPECT_TRUE(HostStateFile::open(folder.path()));
}

TEST(HostStateFile, AFolderThatCannotBeIsAnError) {
  const TestFolder folder;
  EXPECT_FALSE(HostStateFile::open(folder.write("file", "") + "/state"));
}

}  // namespace
}  // namespace sluice::agent
