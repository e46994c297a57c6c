#include "tools/sluicectl/roll/children.h"

#include <csignal>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/pointers.h"

namespace sluice::ctl::rolling {
namespace {

// What the child gets in place of what ours are.
class SpawnActions {
 public:
  explicit SpawnActions(bool to_stderr) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (to_stderr) posix_spawn_file_actions_adddup2(&actions_, STDERR_FILENO, STDOUT_FILENO);
  }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

// We wait for signals with them blocked (interrupt.h); a command must not.
class SpawnSignals {
 public:
  SpawnSignals() {
    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK);
  }
  ~SpawnSignals() { posix_spawnattr_destroy(&attributes_); }
  SpawnSignals(const SpawnSignals&) = delete;
  SpawnSignals& operator=(const SpawnSignals&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& variables) {
  std::vector<std::string> all;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view entry = *each;
    bool replaced = false;
    for (const auto& [name, value] : variables) replaced |= entry.starts_with(name + "=");
    if (!replaced) all.emplace_back(entry);
  }
  for (const auto& [name, value] : variables) all.push_back(name + "=" + value);
  return all;
}

}  // namespace

Children::Children() {
  std::signal(SIGCHLD, SIG_DFL);
}

base::Result<base::Done, std::string> Children::start(
    std::size_t lane, const std::string& command,
    const std::vector<std::pair<std::string, std::string>>& variables, bool to_stderr) {
  std::vector<std::string> environment = environment_with(variables);
  std::vector<std::string> words{"/bin/sh", "-c", command};
  const SpawnActions actions(to_stderr);
  const SpawnSignals signals;
  pid_t child = 0;
  const int error = posix_spawn(&child, "/bin/sh", actions.get(), signals.get(),
                                pointers(words).data(), pointers(environment).data());
  if (error != 0) {
    return base::Unexpected{std::string("/bin/sh cannot be started: ") + std::strerror(error)};
  }
  running_.emplace(child, lane);
  return base::Done{};
}

std::optional<std::pair<std::size_t, int>> Children::reap() {
  for (auto each = running_.begin(); each != running_.end(); ++each) {
    int status = 0;
    if (waitpid(each->first, &status, WNOHANG) != each->first) continue;
    const std::size_t lane = each->second;
    running_.erase(each);
    constexpr int kBySignal = 128;  // as a shell has it
    return std::pair{lane,
                     WIFSIGNALED(status) ? kBySignal + WTERMSIG(status) : WEXITSTATUS(status)};
  }
  return {};
}

void Children::terminate() const {
  for (const auto& [child, lane] : running_) kill(child, SIGTERM);
}

}  // namespace sluice::ctl::rolling
