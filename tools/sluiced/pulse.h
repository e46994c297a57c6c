#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

namespace sluice {

// Whether the threads of this process still come round to their work: each is asked, and answers on
// its own loop. One thread asks.
class Pulse {
 public:
  struct Silent {
    std::string thread;
    // The kernel does not let it go before a disk has answered. A new process would wait for the
    // same disk, and meanwhile answer nobody.
    bool waits_for_disk = false;

    friend bool operator==(const Silent&, const Silent&) = default;
  };

  // `ask` has the thread call `answer` some time. The answer may outlive the pulse.
  using Answer = std::function<void()>;
  void watch(std::string thread, std::function<void(Answer answer)> ask);
  // A thread that counts by itself how often it was woken.
  void watch(std::string thread, std::function<void()> wake,
             std::function<std::uint64_t()> wakings);

  // Those that have not answered the last question.
  std::vector<Silent> silent() const;
  // The next question; only for those that have answered the last.
  void ask();

 private:
  struct Thread {
    std::string name;
    std::function<void()> ask;
    std::function<std::uint64_t()> answers;
    std::shared_ptr<const std::atomic<pid_t>> id;  // of the thread, once known; null: not asked for
    std::uint64_t before = 0;                      // answers when it was asked
    bool asked = false;
  };
  static bool answered(const Thread& thread) {
    return !thread.asked || thread.answers() != thread.before;
  }

  std::vector<Thread> threads_;
};

// From the text of /proc/self/task/TID/stat (proc(5)): uninterruptible sleep. Pure.
bool is_in_disk_sleep(const std::string& stat);

}  // namespace sluice
