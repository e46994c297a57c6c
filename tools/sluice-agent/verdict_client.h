#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <uv.h>

#include "config/base/timer.h"
#include "tools/sluice-agent/credentials.h"
#include "tools/sluice-agent/http_client.h"

namespace sluice::agent {

// The authority's word on whether this server, or one of its services, may be stopped
// (interfaces.md, the verdict).
struct HostVerdict {
  bool safe_to_stop = false;
  std::vector<std::string> reasons;  // against it, as texts
  std::vector<std::string> warnings;
};

// Accepts any octets; members that it does not know are left alone.
base::Checked<HostVerdict> parse_verdict(std::string_view octets);

// Asks an authority for verdicts, one after the other.
class VerdictClient {
 public:
  // One question, from its first octet to the last of the answer. It may be asked each second.
  static constexpr base::Duration kLimit = std::chrono::seconds(2);
  static constexpr std::size_t kMaxAnswer = 1U << 20U;

  using Done = std::function<void(base::Checked<HostVerdict>)>;

  VerdictClient(uv_loop_t* loop, std::string server, Credentials& credentials);

  // `authority` as in the configuration. `service` absent: the whole server. `done` is called once,
  // from the loop, unless this is gone before.
  void ask(const std::string& authority, const std::optional<std::string>& service, Done done);

 private:
  struct Question {
    std::string url;
    Done done;
  };

  void start_next();
  void finish(const base::Checked<HttpAnswer>& answer);

  std::string server_;
  Credentials& credentials_;
  std::deque<Question> waiting_;  // the first one is being asked
  HttpClient http_;
  std::string refusal_;  // why the first one cannot be asked
  base::Timer refuse_;
};

}  // namespace sluice::agent
