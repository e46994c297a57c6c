#include "config/base/file.h"

#include <array>
#include <cassert>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>

namespace sluice::base {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

std::string system_error(int number) {
  return std::error_code(number, std::generic_category()).message();
}

}  // namespace

Result<std::string, std::string> read_file(const std::string& path, std::size_t max_mib) {
  // A pipe without a writer would be waited for, for ever; O_NONBLOCK means nothing to a file.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return Unexpected{system_error(errno)};
  const std::unique_ptr<std::FILE, CloseFile> file(::fdopen(fd, "rb"));
  assert(file);  // the mode is that of the descriptor
  struct stat found {};
  if (::fstat(fd, &found) != 0) return Unexpected{system_error(errno)};
  if (S_ISDIR(found.st_mode)) return Unexpected{system_error(EISDIR)};
  if (S_ISFIFO(found.st_mode)) return Unexpected{std::string("is a pipe, not a file")};
  std::string text;
  std::array<char, 65536> piece{};
  for (;;) {
    const std::size_t size = std::fread(piece.data(), 1, piece.size(), file.get());
    text.append(piece.data(), size);
    if (text.size() > max_mib << 20U) {
      return Unexpected{"has more than " + std::to_string(max_mib) + " MiB"};
    }
    if (size == piece.size()) continue;
    if (std::ferror(file.get()) != 0) return Unexpected{system_error(errno)};
    return text;
  }
}

std::string folder_of(const std::string& file) {
  std::error_code ignored;  // without a working directory paths stay as they are
  const auto absolute = std::filesystem::absolute(file, ignored);
  return absolute.lexically_normal().parent_path().string();
}

std::string resolve(const std::string& folder, const std::string& path) {
  return (std::filesystem::path(folder) / path).lexically_normal().string();
}

}  // namespace sluice::base
