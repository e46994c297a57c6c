#pragma once

#include <string>
#include <vector>

#include "config/base/error.h"
#include "config/base/result.h"
#include "config/model.h"

namespace sluice::config {

// Reads and checks a whole configuration: every key, every range, every reference from one block to
// another. All errors of the file come at once, in line order; each says what would be right. Reads
// the zone files that `zones[].file` names, and nothing else beside `file`.
base::Result<Config, std::vector<base::Error>> load(const std::string& file);

// The same for text that is at hand (a demo's, a test's); `file_name` need not exist, it is for
// messages, and relative paths are relative to its folder.
base::Result<Config, std::vector<base::Error>> load_text(const std::string& text,
                                                         const std::string& file_name);

// The zones, as far as they can be read, of a file that load() refuses: so that the mistakes in
// their records can be told in the same go. What is wrong about the zones themselves load() says.
std::vector<Zone> load_zones(const std::string& file);

}  // namespace sluice::config
