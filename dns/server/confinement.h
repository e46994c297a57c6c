#pragma once

#include "config/base/error.h"

namespace sluice::dns {

// Leaves the calling thread, a DNS worker, the system calls that answering takes, for good: read,
// write and close what is open, wait, and what memory and threads need. Who gets code of his own
// into a worker, by a packet that we misread, opens no file, connects to nobody, starts no program,
// and makes no memory executable. What no code of ours calls ends the process; the rest is EPERM.
//
// The list is in confinement.cc. A worker that comes to need another call adds it there, with the
// reason; the tests of this folder run under it.
base::Checked<base::Done> confine_worker();

}  // namespace sluice::dns
