#pragma once

#include <functional>
#include <string>
#include <vector>

#include <uv.h>

#include "config/base/error.h"
#include "config/model.h"
#include "dns/zone/zone_set.h"
#include "tools/sluiced/blueprint.h"

namespace sluice {

// Where a configuration is read: never on the control thread itself.

// At the start, which waits. A thread has a heap of its own: what a large configuration takes while
// it is read leaves no holes among what stays. The thread is gone when this returns.
base::Result<config::Config, std::vector<base::Error>> read_alone(const std::string& file);

// For a reload, on libuv's thread pool: a large configuration takes seconds, and the control thread
// has heartbeats to take and drains to acknowledge. `done` is called on the loop's thread, once,
// also when the loop runs for its close callbacks alone.
void read_aside(uv_loop_t* loop, std::string file, dns::SerialBases serial_bases,
                std::function<void(base::Result<Blueprint, std::vector<base::Error>>)> done);

}  // namespace sluice
