#pragma once

#include <optional>
#include <string>

#include "config/base/file.h"
#include "config/mapping.h"
#include "config/model.h"
#include "config/value.h"

// What both configurations say about the file system.
namespace sluice::config {

using base::folder_of;
using base::read_file;
using base::resolve;

std::optional<std::string> read_path(const Value& value, const std::string& folder);

// `socket: PATH` or `socket: {path:, group:, mode:}`. Without a path `out` keeps its own.
void read_socket(const Value& value, const std::string& folder, UnixSocket& out);

}  // namespace sluice::config
