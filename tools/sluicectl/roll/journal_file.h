#pragma once

#include <optional>
#include <string>

#include "config/base/result.h"
#include "tools/sluicectl/roll/journal.h"

namespace sluice::ctl::rolling {

// Where the journal of a pool's roll is kept unless the user says otherwise:
// $XDG_STATE_HOME/sluice/roll-POOL.json, else ~/.local/state/sluice/roll-POOL.json (XDG Base
// Directory Specification 0.8). The error is a sentence.
base::Result<std::string, std::string> journal_path(const std::string& pool);

// The journal on disk, ours alone: two rolls of one pool would lift each other's holds. Errors are
// sentences that name the file.
class JournalFile {
 public:
  explicit JournalFile(std::string path) : path_(std::move(path)) {}
  ~JournalFile();
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;

  // Makes the folder, and keeps others out until the end of this object.
  base::Result<base::Done, std::string> lock();

  // Nothing: there is none. May be asked without the lock.
  base::Result<std::optional<Journal>, std::string> load() const;

  // Whole or not at all; on disk when it returns.
  base::Result<base::Done, std::string> store(const Journal& journal);

  void remove();

  const std::string& path() const { return path_; }

 private:
  std::string lock_path() const { return path_ + ".lock"; }

  std::string path_;
  int lock_ = -1;
};

}  // namespace sluice::ctl::rolling
