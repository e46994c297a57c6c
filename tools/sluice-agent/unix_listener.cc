#include "tools/sluice-agent/unix_listener.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace sluice::agent {
namespace {

// Removes the file of a socket that nobody answers on any more.
base::Checked<base::Done> clear_path(const sockaddr_un& address) {
  const std::string path(address.sun_path);
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return base::Done{};
    return base::system_failure(path, errno);
  }
  if (!S_ISSOCK(status.st_mode)) return base::failure(path + ": is there and is no socket");
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return base::system_failure(path, errno);
  const int connected = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  close(fd);
  // EAGAIN: its backlog is full, so somebody listens.
  if (connected == 0 || error == EAGAIN) {
    return base::failure(path + ": another sluice-agent answers there");
  }
  if (error != ECONNREFUSED && error != ENOENT) return base::system_failure(path, error);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return base::system_failure(path, errno);
  return base::Done{};
}

base::Checked<base::Done> set_permissions(const config::UnixSocket& where) {
  if (!where.group.empty()) {
    const group* found = getgrnam(where.group.c_str());
    if (found == nullptr) return base::failure(where.path + ": no group " + where.group);
    if (lchown(where.path.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0) {
      return base::system_failure(where.path, errno);
    }
  }
  if (chmod(where.path.c_str(), where.mode) != 0) return base::system_failure(where.path, errno);
  return base::Done{};
}

}  // namespace

base::Checked<int> bind_unix_socket(const config::UnixSocket& where) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (where.path.empty() || where.path.size() >= sizeof address.sun_path) {
    return base::failure(where.path + ": a socket's path has 1.." +
                         std::to_string(sizeof address.sun_path - 1) + " octets (unix(7))");
  }
  std::memcpy(address.sun_path, where.path.data(), where.path.size());
  std::error_code made;
  std::filesystem::create_directories(std::filesystem::path(where.path).parent_path(), made);
  if (auto cleared = clear_path(address); !cleared) return base::Unexpected{cleared.error()};
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return base::system_failure(where.path, errno);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    close(fd);
    return base::system_failure(where.path, error);
  }
  if (auto set = set_permissions(where); !set) {
    close(fd);
    unlink(where.path.c_str());
    return base::Unexpected{set.error()};
  }
  return fd;
}

}  // namespace sluice::agent
