#pragma once

#include <string>

#include "config/base/clock.h"
#include "tools/sluicectl/api/event.h"
#include "tools/sluicectl/render/surface.h"

namespace sluice::ctl {

// One event on one line (on a narrow terminal the words may take more), without a newline:
// "10:00:30  drain           fe02.pool01.contoso.example: patch (by operations from 10.0.0.7)"
std::string event_line(const Event& event, base::WallTime now, const Surface& surface);

}  // namespace sluice::ctl
