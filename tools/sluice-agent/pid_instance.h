#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::agent {

// What a service's pid file says about it.
struct PidInstance {
  enum class State : std::uint8_t {
    Running,
    Stopped,  // no file, no such process, or it is dead and only waits for its parent
    Unknown,  // the file cannot be read or holds no number: says nothing either way
  };
  State state = State::Unknown;
  // Of a running process: "PID-START", its start in clock ticks since boot (proc(5), stat field
  // 22), so that a number that the kernel gives out again is another instance.
  std::string instance;
  std::string failure;  // of Unknown: why
};

// Reads the file and /proc anew. A stale file whose number now belongs to another process can't be
// told from a running service; the checks are there for that. `proc` is replaced in tests.
PidInstance read_pid_instance(const std::string& pid_file, const std::string& proc = "/proc");

// What to believe now, after `before`, when the file and /proc say `seen`. A file that says nothing
// (empty while the service rewrites it) is no news as long as the process that was seen before runs
// on, or the service was stopped; when that process has gone, the service has stopped. So a restart
// never looks like a run without instance, which the authority would take for the end of all
// knowledge of it.
PidInstance follow(const PidInstance& before, PidInstance seen, const std::string& proc = "/proc");

// State and start time out of the text of /proc/PID/stat. The command name in it is the process's
// own choice, brackets and blanks included: the fields are counted from the last bracket.
struct ProcessStat {
  char state = '?';
  std::string start;
};
std::optional<ProcessStat> parse_stat(std::string_view text);

}  // namespace sluice::agent
