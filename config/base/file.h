#pragma once

#include <cstddef>
#include <string>

#include "config/base/result.h"

namespace sluice::base {

// 100,000 pools are a file of some 100 MiB; /dev/zero never ends.
inline constexpr std::size_t kMaxFileMiB = 256;

// The whole of a file, or why not, in the system's words. Pipes are read too (bash's <(...)).
Result<std::string, std::string> read_file(const std::string& path,
                                           std::size_t max_mib = kMaxFileMiB);

// The folder that relative paths of `file` are relative to; absolute.
std::string folder_of(const std::string& file);

// `path` as an absolute one.
std::string resolve(const std::string& folder, const std::string& path);

}  // namespace sluice::base
