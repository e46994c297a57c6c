#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "config/base/error.h"
#include "config/model.h"

// What `sluice-agent pause|resume|status` and the running agent say to each other on the agent's
// unix socket. One JSON object a line, UTF-8, ended by a newline:
//
//   {"v": 1, "command": "pause", "service": "front-end", "startup": "manual", "reason": "patch",
//    "force": false}
//   {"v": 1, "exit": 0, "text": "front-end is held (generation 17)"}
//
// Requests: `v` is 1; `command` is pause, resume, status or verdict; `service` absent means the
// whole server; `startup`, `reason` and `force` belong to pause. A line is at most kMaxLine octets;
// one that is longer, or that is no request, is answered by exit 2 and a text. Answers come in the
// order of the requests of a connection; pause and resume are answered when the authority has
// decided or cannot be reached. `exit` is what the command line tool exits with. The answer to
// status carries the member "status", an object; so does that to verdict when the authority has
// given one: {"safe_to_stop": false, "reasons": ["3 calls on front-end"], "warnings": []}.
//
// Who the peer is comes from the kernel (SO_PEERCRED); whether he may talk, from the permissions of
// the socket's file.
namespace sluice::agent {

inline constexpr std::size_t kMaxLine = 8192;  // octets of a request, its newline included

enum class ExitCode : std::uint8_t {
  Done = 0,
  Failed = 1,
  Usage = 2,
  Refused = 3,
  TimedOut = 4,
  NoAuthority = 5,  // or no agent
};

struct ControlRequest {
  enum class Command : std::uint8_t { Pause, Resume, Status, Verdict };
  Command command = Command::Status;
  std::optional<std::string> service;  // absent: the whole server
  std::string reason;
  std::optional<config::Startup> startup;
  bool force = false;
};

struct ControlAnswer {
  ExitCode exit = ExitCode::Done;
  std::string text;       // for people; may have several lines
  nlohmann::json status;  // of status and verdict; else null
};

// Both directions; a line without its newline. Any octets are accepted.
base::Checked<ControlRequest> parse_request(std::string_view line);
base::Checked<ControlAnswer> parse_answer(std::string_view line);

// With the newline.
std::string render(const ControlRequest& request);
std::string render(const ControlAnswer& answer);

}  // namespace sluice::agent
