#include "tools/sluiced/own_program.h"

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <system_error>

#include <unistd.h>

namespace sluice {
namespace {

namespace fs = std::filesystem;

// As the shell does: a name with a slash is a path, another one is looked for.
std::string find(const std::string& name) {
  std::error_code code;
  if (name.find('/') != std::string::npos) return fs::absolute(name, code).string();
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/usr/sbin:/usr/bin:/sbin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path tried = fs::absolute(fs::path(folder) / name, code);
    if (access(tried.c_str(), X_OK) == 0) return tried.string();
  }
  return {};
}

}  // namespace

OwnProgram OwnProgram::of(int argc, char** argv) {
  OwnProgram program;
  program.arguments.assign(argv, argv + argc);
  if (argc > 0) program.path = find(program.arguments.front());
  std::error_code code;
  // The name is whatever the caller made of it.
  if (program.path.empty() || access(program.path.c_str(), X_OK) != 0) {
    program.path = fs::read_symlink("/proc/self/exe", code).string();
  }
  return program;
}

}  // namespace sluice
