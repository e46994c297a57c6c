#pragma once

#include <string>

#include <sys/types.h>

#include "config/base/error.h"
#include "config/model.h"

namespace sluice {

// What sluiced may do beside its work, and how it gets rid of that. Started as root it opens its
// sockets, and is an ordinary user from then on. Of root's privileges one is left at most: to bind
// ports below 1024, where it listens on such a port, for a new process that takes over. (It would
// find the sockets of this one, but a listener may be new to it.)
//
// The order: of(), make_directories(), the sockets, give_socket(), drop(). On the only thread that
// the process has: the kernel knows credentials of threads alone.
class Privileges {
 public:
  // Whom the process is to be. An error: there is no such user, or it is an ordinary one, another.
  static base::Checked<Privileges> of(const config::Config& config);

  // The directories of store and socket, where they are missing, belong to whom the process will
  // be. What is there stays as it is.
  base::Checked<base::Done> make_directories(const config::Config& config) const;

  // The socket's file is the user's, who must be able to remove it.
  base::Checked<base::Done> give_socket(const config::UnixSocket& socket) const;

  // For good.
  base::Checked<base::Done> drop(const config::Config& config) const;

  // For messages; a number where the user has no name.
  const std::string& name() const noexcept { return name_; }
  // Whether drop() makes another user of the process.
  bool changes_user() const noexcept { return changes_; }
  // Whether it remains root, though nobody asked for that.
  bool stays_root() const noexcept { return stays_root_; }

 private:
  Privileges() = default;
  base::Checked<base::Done> become() const;

  std::string name_;
  std::string user_;  // as the system knows it; empty: nobody to become
  uid_t uid_ = 0;
  gid_t gid_ = 0;
  bool changes_ = false;
  bool stays_root_ = false;
};

// Whether the process as it is now may use the store's directory and what is in it; the error says
// who may not, and what to do. A directory that is missing is no matter: it is made.
base::Checked<base::Done> may_use_store(const std::string& directory, const Privileges& who);

// Why the socket's file will stay behind; empty: it will not, or there is none.
std::string stale_socket(const config::UnixSocket& socket, const Privileges& who);

}  // namespace sluice
