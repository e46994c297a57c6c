#pragma once

#include <string>
#include <utility>

#include <sys/types.h>

#include "config/base/error.h"
#include "config/model.h"

namespace sluice::health {

// A bound unix socket and its file. The file has its group and mode before anybody can connect.
class UnixListener {
 public:
  // A file that another process left behind is replaced when nobody answers on it; what is no
  // socket, or answers, is an error.
  static base::Checked<UnixListener> bind(const config::UnixSocket& socket);

  UnixListener(UnixListener&& other) noexcept { swap(other); }
  UnixListener& operator=(UnixListener&& other) noexcept {
    swap(other);
    return *this;
  }
  ~UnixListener();  // removes the file, if it is still this one

  // Hands over the descriptor; the file stays ours.
  int release() noexcept { return std::exchange(descriptor_, -1); }

 private:
  UnixListener() = default;
  void swap(UnixListener& other) noexcept;

  std::string path_;
  int descriptor_ = -1;
  dev_t device_ = 0;
  ino_t inode_ = 0;  // 0: no file
};

// The name of the user that connected (SO_PEERCRED), "uid:1000" when it has none.
std::string peer_user(int descriptor);

}  // namespace sluice::health
