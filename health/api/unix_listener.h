#pragma once

#include <string>
#include <utility>

#include <sys/types.h>

#include "config/base/error.h"
#include "config/base/file_descriptor.h"
#include "config/model.h"

namespace sluice::health {

// Clients that the kernel keeps for a socket of the API; it cuts this to net.core.somaxconn.
inline constexpr int kBacklog = 1'024;

// A listening unix socket and its file. The file has its group and mode before anybody can connect.
class UnixListener {
 public:
  // A file that another process left behind is replaced when nobody answers on it; what is no
  // socket, or answers, is an error.
  static base::Checked<UnixListener> open(const config::UnixSocket& socket);

  // One that another process opened and handed over with its descriptor. The file is this process's
  // from permit() on.
  static UnixListener inherited(std::string path, base::FileDescriptor descriptor);
  // Whether there is still a socket at the path.
  bool has_file() const noexcept;
  // Gives an inherited file the group and mode of now, and owns it.
  base::Checked<base::Done> permit(const config::UnixSocket& socket);
  // The file is another process's from now on.
  void leave_file() noexcept { inode_ = 0; }

  UnixListener(UnixListener&& other) noexcept { swap(other); }
  UnixListener& operator=(UnixListener&& other) noexcept {
    swap(other);
    return *this;
  }
  ~UnixListener();  // removes the file, if it is still this one

  const base::FileDescriptor& descriptor() const noexcept { return descriptor_; }
  const std::string& path() const noexcept { return path_; }

 private:
  UnixListener() = default;
  void swap(UnixListener& other) noexcept;

  std::string path_;
  base::FileDescriptor descriptor_;
  dev_t device_ = 0;
  ino_t inode_ = 0;  // 0: no file
};

// The name of the user that connected (SO_PEERCRED), "uid:1000" when it has none.
std::string peer_user(int descriptor);

}  // namespace sluice::health
