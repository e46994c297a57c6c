#include "tools/sluice-agent/process.h"

#include <chrono>
#include <csignal>
#include <fstream>
#include <memory>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/base/loop.h"
#include "tests/tools/sluice-agent/folder.h"

namespace sluice::agent {
namespace {

using End = ProcessResult::End;
constexpr base::Duration kLong = std::chrono::seconds(20);

ProcessResult run(const config::Command& command, base::Duration limit = kLong) {
  base::TestLoop loop;
  std::optional<ProcessResult> result;
  Process process(loop.get(), command, limit, [&](const ProcessResult& ended) { result = ended; });
  EXPECT_FALSE(result) << "called from within the constructor";
  EXPECT_TRUE(loop.run_until([&] { return result && process.ended(); }));
  return result.value_or(ProcessResult{});
}

TEST(Process, TellsExitStatusAndBothOutputs) {
  const auto result = run({"sh", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_EQ(result.end, End::Exited);
  EXPECT_EQ(result.code, 3);
  EXPECT_FALSE(result.passed());
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.errors, "err\n");
  EXPECT_EQ(result.text(), "exit status 3: err");
  EXPECT_TRUE(run({"true"}).passed());
}

TEST(Process, TellsWhatCannotBeStarted) {
  const auto result = run({"/nowhere/to/be/found"});
  EXPECT_EQ(result.end, End::NotStarted);
  EXPECT_THAT(result.text(), testing::HasSubstr("no such file"));
}

TEST(Process, TellsTheSignalThatEndedIt) {
  const auto result = run({"sh", "-c", "kill -TERM $$"});
  EXPECT_EQ(result.end, End::Signalled);
  EXPECT_EQ(result.code, SIGTERM);
}

TEST(Process, HasNoStandardInputAndNoShell) {
  EXPECT_EQ(run({"cat"}).output, "");
  EXPECT_EQ(run({"echo", "$HOME;", "a b"}).output, "$HOME; a b\n");
}

TEST(Process, KeepsABoundedPartOfAnEndlessOutput) {
  const auto result = run({"sh", "-c", "yes | head -c 1000000; yes | head -c 1000000 >&2"});
  EXPECT_TRUE(result.passed());
  EXPECT_EQ(result.output.size(), Process::kMaxOutput);
  EXPECT_EQ(result.errors.size(), Process::kMaxOutput);
}

TEST(Process, DoesNotWaitForAChildThatKeepsItsOutputOpen) {
  const auto result = run({"sh", "-c", "sleep 1000 & echo $!"});
  EXPECT_TRUE(result.passed());
  EXPECT_EQ(kill(std::stoi(result.output), SIGKILL), 0);
}

TEST(Process, KillsTheWholeGroupAtItsTimeLimit) {
  const TestFolder folder;
  const std::string pids = folder.file("pids");
  const auto result = run({"sh", "-c", "sleep 1000 & echo $! > " + pids + "; echo begun; wait"},
                          base::Duration(500));
  EXPECT_EQ(result.end, End::TimedOut);
  EXPECT_EQ(result.output, "begun\n");
  // Killed with the group: gone, or a zombie until init takes it.
  const std::string pid = std::to_string(std::stoi(folder.read("pids")));
  std::string stat = "not read yet";
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!stat.empty() && std::chrono::steady_clock::now() < patience) {
    std::ifstream stream("/proc/" + pid + "/stat");
    if (!std::getline(stream, stat)) stat.clear();
    if (stat.find(") Z ") != std::string::npos) stat.clear();
    std::this_thread::yield();
  }
  EXPECT_EQ(stat, "");
}

TEST(Process, IsKilledWithItsOwnerAndSaysNothingMore) {
  base::TestLoop loop;
  bool called = false;
  auto process = std::make_unique<Process>(loop.get(), config::Command{"sleep", "1000"}, kLong,
                                           [&](const ProcessResult&) { called = true; });
  process.reset();
  uv_run(loop.get(), UV_RUN_DEFAULT);  // ends: nothing is left to wait for
  EXPECT_FALSE(called);
}

TEST(Process, MayBeDestroyedFromItsOwnCallback) {
  base::TestLoop loop;
  std::unique_ptr<Process> process;
  process = std::make_unique<Process>(loop.get(), config::Command{"true"}, kLong,
                                      [&](const ProcessResult&) { process.reset(); });
  EXPECT_TRUE(loop.run_until([&] { return process == nullptr; }));
}

}  // namespace
}  // namespace sluice::agent
