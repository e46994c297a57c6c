#pragma once

#include <string>

#include "config/base/error.h"

namespace sluice::ctl {

// Goes on as the directory's owner, for good, where root is at work and the directory is another's:
// what is made in it then belongs to the one who needs it. A directory that is not there: nothing.
base::Checked<base::Done> become_owner(const std::string& directory);

}  // namespace sluice::ctl
