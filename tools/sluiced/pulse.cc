#include "tools/sluiced/pulse.h"

#include <fstream>
#include <utility>

#include <unistd.h>

namespace sluice {
namespace {

struct Marks {
  std::atomic<std::uint64_t> answers{0};
  std::atomic<pid_t> id{0};
};

bool waits_for_disk(pid_t thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string stat;
  return std::getline(file, stat) && is_in_disk_sleep(stat);
}

}  // namespace

bool is_in_disk_sleep(const std::string& stat) {
  // The name, in parentheses, may have any octet in it: the state follows the last one.
  const auto name_end = stat.rfind(") ");
  return name_end != std::string::npos && stat.size() > name_end + 2 && stat[name_end + 2] == 'D';
}

void Pulse::watch(std::string thread, std::function<void(Answer answer)> ask) {
  const auto marks = std::make_shared<Marks>();
  const auto answer = [marks] {
    marks->id.store(gettid(), std::memory_order_relaxed);
    marks->answers.fetch_add(1, std::memory_order_release);
  };
  threads_.push_back({std::move(thread), [ask = std::move(ask), answer] { ask(answer); },
                      [marks] { return marks->answers.load(std::memory_order_acquire); },
                      std::shared_ptr<const std::atomic<pid_t>>(marks, &marks->id)});
}

void Pulse::watch(std::string thread, std::function<void()> wake,
                  std::function<std::uint64_t()> wakings) {
  threads_.push_back({std::move(thread), std::move(wake), std::move(wakings), nullptr});
}

std::vector<Pulse::Silent> Pulse::silent() const {
  std::vector<Silent> silent;
  for (const Thread& thread : threads_) {
    if (answered(thread)) continue;
    const pid_t id = thread.id ? thread.id->load(std::memory_order_relaxed) : 0;
    silent.push_back({thread.name, id != 0 && waits_for_disk(id)});
  }
  return silent;
}

void Pulse::ask() {
  for (Thread& thread : threads_) {
    if (!answered(thread)) continue;
    thread.before = thread.answers();
    thread.asked = true;
    thread.ask();
  }
}

}  // namespace sluice
