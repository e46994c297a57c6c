#include "tools/sluiced/privileges.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <vector>

#include <cap-ng.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/base/file_descriptor.h"
#include "health/store/directory_lock.h"

namespace sluice {
namespace {

namespace files = std::filesystem;

std::string because(int number) {
  return ": " + std::generic_category().message(number);
}

base::Unexpected<base::Error> of_user(const config::Config& config, std::string message) {
  return base::Unexpected{base::Error{{config.file, 0}, "user", std::move(message)}};
}

struct Account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

// Room for one record of the user database.
using Record = std::array<char, 16'384>;

std::optional<Account> account(const std::string& name) {
  passwd user{};
  passwd* found = nullptr;
  Record record;
  if (getpwnam_r(name.c_str(), &user, record.data(), record.size(), &found) != 0 || !found) {
    return std::nullopt;
  }
  return Account{name, user.pw_uid, user.pw_gid};
}

std::string name_of(uid_t uid) {
  passwd user{};
  passwd* found = nullptr;
  Record record;
  if (getpwuid_r(uid, &user, record.data(), record.size(), &found) == 0 && found) {
    return user.pw_name;
  }
  return std::to_string(uid);
}

// The lowest port that anybody may bind.
unsigned first_free_port() {
  unsigned port = 0;
  std::ifstream file("/proc/sys/net/ipv4/ip_unprivileged_port_start");
  return file >> port ? port : 1'024;  // what it is where the kernel can't be asked
}

bool binds_low_ports(const config::Config& config) {
  const unsigned first = first_free_port();
  const auto low = [&](const base::SocketAddress& address) {
    return address.port != 0 && address.port < first;
  };
  return std::ranges::any_of(config.dns.listen, low) || std::ranges::any_of(config.api.listen, low);
}

// What is missing of a path, the outermost first.
std::vector<std::string> missing(const files::path& directory) {
  std::vector<std::string> paths;
  std::error_code code;
  for (files::path path = directory; !path.empty() && !files::exists(path, code) && !code;
       path = path.parent_path()) {
    paths.push_back(path.string());
  }
  std::ranges::reverse(paths);
  return paths;
}

base::Checked<base::Done> give(const std::vector<std::string>& paths, uid_t uid, gid_t gid) {
  for (const std::string& path : paths) {
    if (lchown(path.c_str(), uid, gid) != 0) {
      const int number = errno;
      return base::failure(path + ": giving it to user " + name_of(uid) + because(number));
    }
  }
  return base::Done{};
}

// Leaves CAP_NET_BIND_SERVICE in all sets where `keep` says so (in the ambient set a new process
// gets it), and no other capability in any. The bounds are root's to reduce.
base::Checked<base::Done> reduce_bounds(bool keep) {
  if (capng_get_caps_process() != 0) return base::failure("capabilities can't be read");
  if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP)) return base::Done{};
  capng_clear(CAPNG_SELECT_ALL);
  if (keep) capng_update(CAPNG_ADD, CAPNG_BOUNDING_SET, CAP_NET_BIND_SERVICE);
  if (capng_apply(CAPNG_SELECT_BOUNDS) != 0) {
    return base::failure("the bounding set of capabilities can't be reduced");
  }
  return base::Done{};
}

base::Checked<base::Done> reduce_capabilities(bool keep) {
  if (capng_get_caps_process() != 0) return base::failure("capabilities can't be read");
  keep = keep && capng_have_capability(CAPNG_PERMITTED, CAP_NET_BIND_SERVICE) != 0;
  capng_clear(CAPNG_SELECT_ALL);
  if (keep) {
    capng_updatev(CAPNG_ADD,
                  static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE |
                                            CAPNG_AMBIENT),
                  CAP_NET_BIND_SERVICE, -1);
  }
  // A supervisor may have forbidden the call, as our own unit does: then it counts what is left.
  // The ambient set after it, since that is part of the others.
  const bool applied = capng_apply(CAPNG_SELECT_CAPS) == 0;
  capng_apply(CAPNG_SELECT_AMBIENT);
  if (applied) return base::Done{};
  if (capng_get_caps_process() != 0) return base::failure("capabilities can't be read");
  for (unsigned capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if (capability != CAP_NET_BIND_SERVICE &&
        capng_have_capability(CAPNG_PERMITTED, capability) != 0) {
      return base::failure(std::string("CAP_") + capng_capability_to_name(capability) +
                           " can't be dropped");
    }
  }
  return base::Done{};
}

}  // namespace

base::Checked<Privileges> Privileges::of(const config::Config& config) {
  Privileges privileges;
  const uid_t uid = geteuid();
  privileges.name_ = name_of(uid);
  if (config.user.empty()) {
    privileges.stays_root_ = uid == 0;
    return privileges;
  }
  const auto wanted = account(config.user);
  if (!wanted) return of_user(config, "this machine has no user " + config.user);
  if (wanted->uid == uid) return privileges;
  if (uid != 0) {
    return of_user(config, "is " + config.user + ", but sluiced was started by " +
                               privileges.name_ + ": start it as that user or as root");
  }
  privileges.user_ = wanted->name;
  privileges.name_ = wanted->name;
  privileges.uid_ = wanted->uid;
  privileges.gid_ = wanted->gid;
  privileges.changes_ = true;
  return privileges;
}

base::Checked<base::Done> Privileges::make_directories(const config::Config& config) const {
  if (!changes_) return base::Done{};  // who opens them makes them
  const auto store = missing(config.store.directory);
  if (auto made = health::make_directory(config.store.directory); !made) return made;
  if (auto given = give(store, uid_, gid_); !given) return given;
  if (config.api.socket.path.empty()) return base::Done{};
  const files::path folder = files::path(config.api.socket.path).parent_path();
  const auto socket = missing(folder);
  std::error_code code;
  files::create_directories(folder, code);
  if (code) return base::failure(folder.string() + ": " + code.message());
  return give(socket, uid_, gid_);
}

// By a descriptor: whoever may write into the directory must not have us give away something else.
base::Checked<base::Done> Privileges::give_socket(const config::UnixSocket& socket) const {
  if (!changes_ || socket.path.empty()) return base::Done{};
  const base::FileDescriptor file(open(socket.path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!file.is_open() || fstat(file.get(), &status) != 0 || !S_ISSOCK(status.st_mode) ||
      fchownat(file.get(), "", uid_, static_cast<gid_t>(-1), AT_EMPTY_PATH) != 0) {
    return base::failure(socket.path + ": giving it to user " + name_ + because(errno));
  }
  return base::Done{};
}

base::Checked<base::Done> Privileges::become() const {
  // The groups first: changing them is root's.
  if (initgroups(user_.c_str(), gid_) != 0 || setresgid(gid_, gid_, gid_) != 0) {
    return base::failure("taking the groups of user " + name_ + because(errno));
  }
  // What is permitted stays so until reduce_capabilities().
  prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
  const int status = setresuid(uid_, uid_, uid_);
  const int number = errno;
  prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
  if (status != 0) return base::failure("becoming user " + name_ + because(number));
  return base::Done{};
}

base::Checked<base::Done> Privileges::drop(const config::Config& config) const {
  const bool keep = binds_low_ports(config);
  if (auto reduced = reduce_bounds(keep); !reduced) return reduced;
  if (changes_) {
    if (auto became = become(); !became) return became;
  }
  if (auto reduced = reduce_capabilities(keep); !reduced) return reduced;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return base::failure("giving up new privileges" + because(errno));
  }
  if (changes_ && (setuid(0) == 0 || geteuid() != uid_ || getegid() != gid_)) {
    return base::failure("the kernel left us root after we had become " + name_);
  }
  return base::Done{};
}

base::Checked<base::Done> may_use_store(const std::string& directory, const Privileges& who) {
  if (const auto absent = missing(directory); !absent.empty()) {
    const std::string parent = files::path(absent.front()).parent_path().string();
    if (access(parent.c_str(), W_OK | X_OK) == 0) return base::Done{};
    return base::failure(absent.front() + ": user " + who.name() + " may not make it; as root: " +
                         "install -d -m 0750 -o " + who.name() + " " + directory);
  }
  std::error_code code;
  if (!files::is_directory(directory, code)) {
    return base::failure(directory + because(code ? code.value() : ENOTDIR));
  }
  const auto refused = [&](const std::string& path) {
    return base::failure(path + ": user " + who.name() + " may not read and write it; as root: " +
                         "chown -R " + who.name() + " " + directory);
  };
  if (access(directory.c_str(), R_OK | W_OK | X_OK) != 0) return refused(directory);
  for (const auto& entry : files::directory_iterator(directory, code)) {
    if (!entry.is_regular_file(code)) continue;
    if (access(entry.path().c_str(), R_OK | W_OK) != 0) return refused(entry.path().string());
  }
  return base::Done{};
}

std::string stale_socket(const config::UnixSocket& socket, const Privileges& who) {
  if (socket.path.empty()) return {};
  const std::string folder = files::path(socket.path).parent_path().string();
  if (access(folder.c_str(), W_OK | X_OK) == 0) return {};
  return folder + ": user " + who.name() + " may not write into it, so that " + socket.path +
         " stays there when sluiced ends; a directory of the user's own is better";
}

}  // namespace sluice
