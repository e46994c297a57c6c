#include "health/api/unix_listener.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace sluice::health {
namespace {

// Room for one record of the user or group database; a group with thousands of members exceeds it
// and must be named by number.
using Record = std::array<char, 16'384>;

base::Checked<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return base::failure(path + ": a socket's path has at most " +
                         std::to_string(sizeof address.sun_path - 1) + " octets");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

base::Checked<gid_t> group_of(const std::string& name) {
  ::group group{};
  ::group* found = nullptr;
  Record record;
  if (getgrnam_r(name.c_str(), &group, record.data(), record.size(), &found) == 0 &&
      found != nullptr) {
    return group.gr_gid;
  }
  const bool number = !name.empty() && name.size() <= 9 &&
                      name.find_first_not_of("0123456789") == std::string::npos;
  if (number) return static_cast<gid_t>(std::stoul(name));
  return base::failure("api.socket.group: there is no group " + name);
}

// Whether somebody listens at `address`; the errno of connect() otherwise.
int try_connect(const sockaddr_un& address) {
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return errno;
  const int status =
      connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int number = status == 0 ? 0 : errno;
  close(descriptor);
  return number;
}

base::Checked<base::Done> make_room(const std::string& path, const sockaddr_un& address) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return base::Done{};
    return base::system_failure(path, errno);
  }
  if (!S_ISSOCK(status.st_mode)) {
    return base::failure(path + ": is there already and is not a socket");
  }
  // EAGAIN: somebody listens, whose queue is full.
  const int number = try_connect(address);
  if (number == 0 || number == EAGAIN) {
    return base::failure(path + ": another process listens there");
  }
  if (number != ECONNREFUSED) return base::system_failure(path, number);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return base::system_failure(path, errno);
  return base::Done{};
}

}  // namespace

base::Checked<UnixListener> UnixListener::open(const config::UnixSocket& socket) {
  const auto address = address_of(socket.path);
  if (!address) return base::Unexpected{address.error()};
  std::optional<gid_t> group;
  if (!socket.group.empty()) {
    const auto found = group_of(socket.group);
    if (!found) return base::Unexpected{found.error()};
    group = *found;
  }
  std::error_code code;
  std::filesystem::create_directories(std::filesystem::path(socket.path).parent_path(), code);
  if (code) return base::failure(socket.path + ": " + code.message());
  const auto room = make_room(socket.path, *address);
  if (!room) return base::Unexpected{room.error()};

  UnixListener listener;
  listener.descriptor_ =
      base::FileDescriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int descriptor = listener.descriptor_.get();
  if (descriptor < 0) return base::system_failure(socket.path, errno);
  // Linux gives the file the mode of the unbound socket, so that it is nobody's before chmod(). (A
  // umask would do so too, for all threads of the process.) Nobody connects before listen() anyway.
  fchmod(descriptor, 0600);
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    return base::system_failure(socket.path, errno);
  }
  struct stat status {};
  if (lstat(socket.path.c_str(), &status) != 0) return base::system_failure(socket.path, errno);
  listener.path_ = socket.path;
  listener.device_ = status.st_dev;
  listener.inode_ = status.st_ino;
  if (group && lchown(socket.path.c_str(), static_cast<uid_t>(-1), *group) != 0) {
    return base::system_failure(socket.path + ": giving it to group " + socket.group, errno);
  }
  if (chmod(socket.path.c_str(), socket.mode) != 0) return base::system_failure(socket.path, errno);
  if (::listen(descriptor, kBacklog) != 0) return base::system_failure(socket.path, errno);
  return listener;
}

UnixListener UnixListener::inherited(std::string path, base::FileDescriptor descriptor) {
  UnixListener listener;
  listener.path_ = std::move(path);
  listener.descriptor_ = std::move(descriptor);
  return listener;
}

bool UnixListener::has_file() const noexcept {
  struct stat status {};
  return lstat(path_.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

base::Checked<base::Done> UnixListener::permit(const config::UnixSocket& socket) {
  struct stat status {};
  if (lstat(path_.c_str(), &status) != 0) return base::system_failure(path_, errno);
  device_ = status.st_dev;
  inode_ = status.st_ino;
  if (!socket.group.empty()) {
    const auto group = group_of(socket.group);
    if (!group) return base::Unexpected{group.error()};
    if (*group != status.st_gid && lchown(path_.c_str(), static_cast<uid_t>(-1), *group) != 0) {
      return base::system_failure(path_ + ": giving it to group " + socket.group, errno);
    }
  }
  if ((status.st_mode & 07777U) != socket.mode && chmod(path_.c_str(), socket.mode) != 0) {
    return base::system_failure(path_, errno);
  }
  return base::Done{};
}

UnixListener::~UnixListener() {
  struct stat status {};
  if (inode_ == 0 || lstat(path_.c_str(), &status) != 0) return;
  if (status.st_dev == device_ && status.st_ino == inode_) unlink(path_.c_str());
}

void UnixListener::swap(UnixListener& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(device_, other.device_);
  std::swap(inode_, other.inode_);
}

std::string peer_user(int descriptor) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return "unknown";
  passwd user{};
  passwd* found = nullptr;
  Record record;
  if (getpwuid_r(credentials.uid, &user, record.data(), record.size(), &found) == 0 &&
      found != nullptr) {
    return user.pw_name;
  }
  return "uid:" + std::to_string(credentials.uid);
}

}  // namespace sluice::health
