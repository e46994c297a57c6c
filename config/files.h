#pragma once

#include <optional>
#include <string>

#include "config/base/result.h"
#include "config/mapping.h"
#include "config/model.h"
#include "config/value.h"

// What both configurations say about the file system.
namespace sluice::config {

// 100,000 pools are a file of some 100 MiB; /dev/zero never ends.
inline constexpr std::size_t kMaxFileMiB = 256;

// The whole of a file, or why not, in the system's words. Pipes are read too (bash's <(...)).
base::Result<std::string, std::string> read_file(const std::string& path,
                                                 std::size_t max_mib = kMaxFileMiB);

// The folder that relative paths of `file` are relative to; absolute.
std::string folder_of(const std::string& file);

// `path` as an absolute one.
std::string resolve(const std::string& folder, const std::string& path);

std::optional<std::string> read_path(const Value& value, const std::string& folder);

// `socket: PATH` or `socket: {path:, group:, mode:}`. Without a path `out` keeps its own.
void read_socket(const Value& value, const std::string& folder, UnixSocket& out);

}  // namespace sluice::config
