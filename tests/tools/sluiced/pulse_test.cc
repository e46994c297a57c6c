#include "tools/sluiced/pulse.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice {
namespace {

using Silent = std::vector<Pulse::Silent>;

TEST(Pulse, NamesWhoHasNotAnsweredTheLastQuestion) {
  Pulse pulse;
  std::vector<Pulse::Answer> to_store;
  pulse.watch("api", [](const Pulse::Answer& answer) { answer(); });
  pulse.watch("store", [&](Pulse::Answer answer) { to_store.push_back(std::move(answer)); });
  EXPECT_EQ(pulse.silent(), Silent()) << "nobody was asked yet";
  pulse.ask();
  EXPECT_EQ(pulse.silent(), (Silent{{"store", false}}));
  pulse.ask();
  EXPECT_EQ(to_store.size(), 1U) << "questions to one that hangs do not pile up";
  to_store[0]();
  EXPECT_EQ(pulse.silent(), Silent());
  pulse.ask();
  EXPECT_EQ(pulse.silent(), (Silent{{"store", false}})) << "an old answer is none";
}

TEST(Pulse, TakesAThreadsOwnCountForAnAnswer) {
  Pulse pulse;
  std::uint64_t wakings = 7;
  int woken = 0;
  pulse.watch(
      "dns-0", [&] { ++woken; }, [&] { return wakings; });
  pulse.ask();
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(pulse.silent(), (Silent{{"dns-0", false}}));
  ++wakings;
  EXPECT_EQ(pulse.silent(), Silent());
}

TEST(Pulse, AnAnswerMayOutliveIt) {
  Pulse::Answer late;
  {
    Pulse pulse;
    pulse.watch("store", [&](Pulse::Answer answer) { late = std::move(answer); });
    pulse.ask();
  }
  late();
}

// A thread that spawns sleeps as one that waits for a disk does, until its child has begun; and
// that opens a pipe first, to which nobody writes.
class SleepsUninterruptibly {
 public:
  explicit SleepsUninterruptibly(const Pulse::Answer& answer) {
    char folder[] = "/tmp/sluice-pulse-XXXXXX";
    folder_ = mkdtemp(folder);
    pipe_ = folder_ + "/pipe";
    mkfifo(pipe_.c_str(), 0600);
    thread_ = std::thread([this, answer] {
      answer();
      posix_spawn_file_actions_t actions;
      posix_spawn_file_actions_init(&actions);
      posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, pipe_.c_str(), O_RDONLY, 0);
      std::string program = "true";
      std::array<char*, 2> words{program.data(), nullptr};
      EXPECT_EQ(posix_spawn(&child_, "/bin/true", &actions, nullptr, words.data(), environ), 0);
      posix_spawn_file_actions_destroy(&actions);
    });
  }
  ~SleepsUninterruptibly() {
    close(open(pipe_.c_str(), O_WRONLY));
    thread_.join();
    waitpid(child_, nullptr, 0);
    std::filesystem::remove_all(folder_);
  }
  SleepsUninterruptibly(const SleepsUninterruptibly&) = delete;
  SleepsUninterruptibly& operator=(const SleepsUninterruptibly&) = delete;

 private:
  std::string folder_;
  std::string pipe_;
  pid_t child_ = 0;
  std::thread thread_;
};

TEST(Pulse, TellsAThreadThatTheKernelKeepsWaiting) {
  Pulse pulse;
  Pulse::Answer answer;
  pulse.watch("store", [&](Pulse::Answer given) { answer = std::move(given); });
  pulse.ask();
  const SleepsUninterruptibly thread(answer);
  const auto wait_for = [&](const Silent& expected) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (pulse.silent() != expected && std::chrono::steady_clock::now() < end) {
      std::this_thread::yield();
    }
    return pulse.silent();
  };
  EXPECT_EQ(wait_for({}), Silent());
  pulse.ask();
  EXPECT_EQ(wait_for({{"store", true}}), (Silent{{"store", true}}));
}

TEST(DiskSleep, IsTheStateAfterTheLastParenthesis) {
  EXPECT_TRUE(is_in_disk_sleep("12 (store) D 1 12 12 0"));
  EXPECT_FALSE(is_in_disk_sleep("12 (store) S 1 12 12 0"));
  EXPECT_FALSE(is_in_disk_sleep("12 (store) t 1 12 12 0")) << "stopped by a debugger";
  EXPECT_FALSE(is_in_disk_sleep("12 (a) D b) S 1 12 12 0"));
  EXPECT_FALSE(is_in_disk_sleep(""));
  EXPECT_FALSE(is_in_disk_sleep("12 (store) "));
}

}  // namespace
}  // namespace sluice
