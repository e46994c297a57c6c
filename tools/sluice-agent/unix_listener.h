#pragma once

#include "config/base/error.h"
#include "config/model.h"

namespace sluice::agent {

// A unix stream socket that is bound and has its mode and group, and does not listen yet: nobody
// could connect before. Returns its descriptor (close-on-exec, not blocking), the caller's to
// close. Missing folders above the path are made.
base::Checked<int> bind_unix_socket(const config::UnixSocket& where);

}  // namespace sluice::agent
