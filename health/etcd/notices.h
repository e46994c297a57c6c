#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "config/base/clock.h"

namespace sluice::etcd {

// Sentences for the log, at most one a minute of each kind: an etcd that is away for an hour is
// tried thousands of times.
class Notices {
 public:
  enum class Kind : std::size_t {
    NoAnswer,   // a member did not answer
    WatchLost,  // the watch's connection ended
    NoLogin,    // who we are is not believed
    NoAuth,     // nobody asks who we are though we could say it
  };
  using Say = std::function<void(std::string)>;

  explicit Notices(Say say) : say_(std::move(say)) {}

  void say(Kind kind, base::MonoTime now, std::string text) {
    std::optional<base::MonoTime>& last = last_[static_cast<std::size_t>(kind)];
    if (last && now - *last < std::chrono::minutes(1)) return;
    last = now;
    if (say_) say_(std::move(text));
  }

 private:
  Say say_;
  std::array<std::optional<base::MonoTime>, 4> last_;
};

}  // namespace sluice::etcd
