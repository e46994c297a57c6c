#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::bench {

// What one agent of the example configuration (tests/config/examples/agent.yaml) sends, octet for
// octet as tools/sluice-agent does it by libcurl. Pure.
class AgentVoice {
 public:
  // `authority` is ADDRESS:PORT, for Host.
  AgentVoice(std::string_view authority, std::string_view server, std::string_view token,
             std::uint64_t number);

  // The whole request with the next `seq`. The session counters are others each time, as calls come
  // and go.
  std::string next();

 private:
  std::string head_;  // up to the value of Content-Length
  std::string boot_;  // a boot id
  std::uint64_t number_;
  std::uint64_t seq_ = 0;
};

// The replies on one connection, as their octets come. Pure.
class ReplyReader {
 public:
  enum class State : std::uint8_t { More, Whole, Broken };

  // Reads on. Whole: status() is that of one reply, which is taken off.
  State feed(std::string_view octets);
  int status() const noexcept { return status_; }

 private:
  std::string waiting_;
  int status_ = 0;
};

}  // namespace sluice::bench
