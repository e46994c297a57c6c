#pragma once

#include <cstdint>
#include <optional>

#include "config/agent_model.h"
#include "tools/sluice-agent/sessions/counter.h"

namespace sluice::agent {

// A number that stands in a file, with nothing but blanks around it. Who writes it replaces it by
// rename(2), so that no reading meets a piece of it.
//
// Not known when it is missing, says something else, is no regular file (a pipe would keep the
// agent waiting) or was not written for `max_age`: its writer may be gone. The age is told by the
// file's time and by how long it has looked the same from here, whichever says more, so that a
// clock that was set back hides nothing.
class FileCounter final : public Counter {
 public:
  FileCounter(config::FileCount source, const base::Clock& clock);

  void read(base::MonoTime now) override;

 private:
  // What changes when a file is written anew.
  struct Version {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t seconds = 0;  // of its last change
    std::int64_t nanoseconds = 0;
    bool operator==(const Version&) const = default;
  };

  base::Checked<std::uint64_t> look(const base::Now& now);

  config::FileCount source_;
  const base::Clock& clock_;
  std::optional<Version> version_;
  base::MonoTime since_;  // it looks like that
};

}  // namespace sluice::agent
