#pragma once

#include <string>
#include <vector>

namespace sluice {

// How this process was started, so that it can be started again: by the path that was used then,
// at which a new version may stand now. (The running file itself may be gone, or be where a link no
// longer leads.)
struct OwnProgram {
  std::string path;
  std::vector<std::string> arguments;  // the first is the program's name

  // At the start, before anything changes the working directory.
  static OwnProgram of(int argc, char** argv);
};

}  // namespace sluice
