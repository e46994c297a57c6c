#include "tools/sluicectl/import/owner.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice::ctl {
namespace {

// The groups of a user whom the host knows; of one whom it does not, his own alone.
int set_groups(uid_t user, gid_t group) {
  std::array<char, 16'384> octets{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(user, &entry, octets.data(), octets.size(), &found) == 0 && found != nullptr) {
    return initgroups(entry.pw_name, group);
  }
  return setgroups(1, &group);
}

}  // namespace

base::Checked<base::Done> become_owner(const std::string& directory) {
  struct stat found {};
  if (geteuid() != 0 || stat(directory.c_str(), &found) != 0 || found.st_uid == 0) {
    return base::Done{};
  }
  const bool became = set_groups(found.st_uid, found.st_gid) == 0 && setgid(found.st_gid) == 0 &&
                      setuid(found.st_uid) == 0;
  if (!became) {
    return base::failure("can't go on as the owner of " + directory + ": " + std::strerror(errno));
  }
  return base::Done{};
}

}  // namespace sluice::ctl
