#pragma once

#include <string>
#include <string_view>

#include <sys/types.h>

#include "config/base/result.h"

namespace sluice::ctl {

// A file that is there whole or not at all: written beside its place, on disk before it gets its
// name. Without take_place() nothing is left behind. Errors are sentences that name the file.
class NewFile {
 public:
  // `path` where it will be. Follows a link that is there, so that the link stays.
  explicit NewFile(std::string path);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  // For its owner alone unless `mode` says otherwise, whatever the umask.
  base::Result<base::Done, std::string> open(mode_t mode = 0600);
  base::Result<base::Done, std::string> write(std::string_view octets);

  // Of an earlier file there; with Keep that is an error, should one have come meanwhile.
  enum class Earlier { Keep, Replace };
  base::Result<base::Done, std::string> take_place(Earlier earlier);

 private:
  base::Unexpected<std::string> failed(const char* what) const;

  std::string path_;
  std::string temporary_;  // empty: none to clear away
  int descriptor_ = -1;
};

}  // namespace sluice::ctl
