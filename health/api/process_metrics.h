#pragma once

#include <string>

namespace sluice::health {

// Appends what the kernel says of this process, under the names that every Prometheus client
// library uses: memory, processor time, file descriptors, start. Reads /proc, so it is for the
// API's thread; a family that cannot be read is left out, for 0 would be a lie.
void append_process_metrics(std::string& page);

}  // namespace sluice::health
