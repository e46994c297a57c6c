#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "config/base/result.h"

namespace sluice::ctl::rolling {

// The commands of a roll, each run by /bin/sh in our own process group: Ctrl-C reaches them as it
// reaches us. Their stdin is /dev/null, as that of xargs' are.
class Children {
 public:
  // SIGCHLD ignored, as a parent may have left it, would lose their exit status.
  Children();
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  // With these variables besides our own environment. `to_stderr`: its stdout goes there, since
  // ours is for documents. The error is a sentence.
  base::Result<base::Done, std::string> start(
      std::size_t lane, const std::string& command,
      const std::vector<std::pair<std::string, std::string>>& variables, bool to_stderr);

  // One that has ended: its lane and exit status, or 128 + the number of the signal.
  std::optional<std::pair<std::size_t, int>> reap();

  // SIGTERM came to us alone: the commands are asked to end as well.
  void terminate() const;

 private:
  std::map<pid_t, std::size_t> running_;
};

}  // namespace sluice::ctl::rolling
