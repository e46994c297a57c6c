#pragma once

#include "config/base/address.h"
#include "config/base/file_descriptor.h"
#include "config/base/result.h"

namespace sluice::agent {

// Whether the kernel tracks UDP flows of one family. It does so in a network namespace only while a
// rule of its firewall needs it; otherwise its list of flows is empty, which is not zero. The probe
// is a flow of this process to itself over the loopback, which is then looked up.
class TrackingProbe {
 public:
  enum class Tracking {
    On,
    Off,       // or not for the loopback
    NoFamily,  // this host does not have these addresses
  };

  // `loopback` is the family's: 127.0.0.1 or ::1.
  explicit TrackingProbe(const base::IpAddress& loopback) : loopback_(loopback) {}

  // The error is of errno(3): EPERM without CAP_NET_ADMIN.
  base::Result<Tracking, int> look();

 private:
  int open();

  base::IpAddress loopback_;
  // Kept, so that one entry of the kernel's table serves for ever.
  base::FileDescriptor sender_;
  base::FileDescriptor receiver_;
  base::SocketAddress from_;
  base::SocketAddress to_;
};

}  // namespace sluice::agent
