#pragma once

#include "config/base/error.h"

namespace sluice {

// Refuses the whole process, and what it starts, the system calls that no part of it makes and that
// an intruder would want: memory that is executable and was ever writable, looking into other
// processes, and the kernel's own business. For good; before other threads run, since each has the
// filter of the one that started it. The DNS workers have a narrower one, dns/server/confinement.h.
base::Checked<base::Done> confine_process();

}  // namespace sluice
