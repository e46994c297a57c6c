#pragma once

#include <optional>
#include <string>

#include "config/agent_model.h"
#include "tools/sluice-agent/checks/sip_message.h"

namespace sluice::agent {

// What both transports share: the names of the request, and what an answer means.
class SipQuestion {
 public:
  explicit SipQuestion(const config::SipCheck& check);

  std::string request(const base::SocketAddress& local) const;

  // Of the head of a response: an empty text when it is the final one and passes, why not when it
  // does not; nothing when it is provisional, or the answer to something else.
  std::optional<std::string> judge(std::string_view octets) const;

 private:
  config::SipCheck check_;
  SipIdentity identity_;
};

}  // namespace sluice::agent
