#include "tools/sluice-agent/pid_instance.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace sluice::agent {
namespace {

// At most 1,024 octets: both files are far shorter. Nothing on failure, with errno.
std::optional<std::string> read_start(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return {};
  std::array<char, 1024> buffer{};
  const ssize_t count = read(fd, buffer.data(), buffer.size());
  const int error = errno;
  close(fd);
  errno = error;
  if (count < 0) return {};
  return std::string(buffer.data(), static_cast<std::size_t>(count));
}

// The first line, a number 1..2^22 (the kernel's PID_MAX_LIMIT).
std::optional<int> parse_pid(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  int pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  if (pid < 1 || pid > 4'194'304) return {};
  return pid;
}

PidInstance unknown(std::string failure) {
  return {PidInstance::State::Unknown, {}, std::move(failure)};
}

PidInstance look_up(int pid, const std::string& proc) {
  const std::string name = "process " + std::to_string(pid);
  const auto text = read_start(proc + "/" + std::to_string(pid) + "/stat");
  if (!text) {
    // ESRCH: it ended between open and read.
    if (errno == ENOENT || errno == ESRCH) return {PidInstance::State::Stopped, {}, {}};
    return unknown(name + ": " + std::strerror(errno));
  }
  const auto stat = parse_stat(*text);
  if (!stat) return unknown(name + ": its stat cannot be read");
  if (stat->state == 'Z' || stat->state == 'X') return {PidInstance::State::Stopped, {}, {}};
  return {PidInstance::State::Running, std::to_string(pid) + "-" + stat->start, {}};
}

}  // namespace

std::optional<ProcessStat> parse_stat(std::string_view text) {
  const auto bracket = text.rfind(')');
  if (bracket == std::string_view::npos) return {};
  std::string_view rest = text.substr(bracket + 1);
  ProcessStat stat;
  // The state is field 3, the start time field 22.
  for (int field = 3; field <= 22; ++field) {
    if (rest.empty() || rest.front() != ' ') return {};
    rest.remove_prefix(1);
    const std::string_view word = rest.substr(0, rest.find_first_of(" \n"));
    if (word.empty()) return {};
    if (field == 3) stat.state = word.front();
    if (field == 22) stat.start = word;
    rest.remove_prefix(word.size());
  }
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!std::all_of(stat.start.begin(), stat.start.end(), digit)) return {};
  return stat;
}

PidInstance read_pid_instance(const std::string& pid_file, const std::string& proc) {
  const auto text = read_start(pid_file);
  if (!text) {
    if (errno == ENOENT || errno == ENOTDIR) return {PidInstance::State::Stopped, {}, {}};
    return unknown(pid_file + ": " + std::strerror(errno));
  }
  const auto pid = parse_pid(*text);
  // Empty, for instance, while the service is writing it.
  if (!pid) return unknown(pid_file + " does not hold the number of a process");
  return look_up(*pid, proc);
}

PidInstance follow(const PidInstance& before, PidInstance seen, const std::string& proc) {
  if (seen.state != PidInstance::State::Unknown) return seen;
  if (before.state != PidInstance::State::Running) {
    return before.state == PidInstance::State::Stopped ? before : seen;
  }
  const auto pid =
      parse_pid(std::string_view(before.instance).substr(0, before.instance.find('-')));
  PidInstance now = pid ? look_up(*pid, proc) : PidInstance{};
  if (now.state == PidInstance::State::Running && now.instance != before.instance) {
    now = {PidInstance::State::Stopped, {}, {}};  // the number is somebody else's now
  }
  return now.state == PidInstance::State::Unknown ? seen : now;
}

}  // namespace sluice::agent
