#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/error.h"
#include "dns/server/suspended_session.h"
#include "tools/sluiced/handover.h"
#include "tools/sluiced/handover_channel.h"
#include "tools/sluiced/listening.h"

namespace sluice {

// Set by the running process for the one that it starts: the descriptor of its channel.
inline constexpr const char* kHandoverVariable = "SLUICE_HANDOVER";

// The process whose place this one is to take, as this one sees it. The calls follow each other in
// this order, on the control thread, which waits: nothing else is there to be done.
//
// One that ends in the middle, however it does, has fallen silent and let go of its store: what it
// would still have said is not needed, and this process goes on as after a restart, with its
// sockets.
class Predecessor {
 public:
  // Whether from_environment() may find one.
  static bool started_this_process() noexcept;
  // Nothing when this process was started by anybody else. Takes the variable away: children of
  // this process are no successors.
  static std::optional<Predecessor> from_environment();

  // The sockets. An error: it can't be understood; this process is of no use to it.
  base::Checked<Listening> take_offer();
  // All is ready that may fail without anybody noticing. Returns when it has let go of the store,
  // with what it says on that occasion (an empty object when it ended).
  base::Checked<nlohmann::json> prepared();
  // This process answers DNS queries. Returns when the predecessor answers none any more.
  base::Checked<std::vector<dns::SuspendedSession>> serving();
  // From here on it is this process that answers for all. Returns when the predecessor has told the
  // supervisor and let go.
  void taken(const nlohmann::json& more);
  // In the place of any of these: it stays. It is told the first; all of them are the caller's to
  // write, into the log that both have.
  void failed(const std::vector<base::Error>& why);

 private:
  explicit Predecessor(base::FileDescriptor channel) : channel_(std::move(channel)) {}

  // Its next word; nothing: it ended.
  base::Checked<std::optional<HandoverMessage>> hear(const char* type);

  HandoverChannel channel_;
};

}  // namespace sluice
