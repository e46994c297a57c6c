#include "tools/sluice-agent/console.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/sluice-agent/log.h"

namespace sluice::agent {
namespace {

using nlohmann::json;

// Requests are served one after the other, each for at most HostHolds::kPatience (10 s): three.
constexpr timeval kPatience{30, 0};
constexpr std::size_t kMaxAnswer = 1U << 20U;

class ControlConnection {
 public:
  ControlConnection() : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  }
  ~ControlConnection() { close(fd_); }
  ControlConnection(const ControlConnection&) = delete;
  ControlConnection& operator=(const ControlConnection&) = delete;

  // Each: zero, or an errno.
  int connect_to(const std::string& path) const;
  int send_all(std::string_view text) const;
  int receive_line(std::string& line) const;

 private:
  int fd_;
};

int ControlConnection::connect_to(const std::string& path) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int status = connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return status == 0 ? 0 : errno;
}

int ControlConnection::send_all(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t count = send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    if (count < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

int ControlConnection::receive_line(std::string& line) const {
  std::array<char, 4096> buffer{};
  while (line.size() < kMaxAnswer) {
    const ssize_t count = recv(fd_, buffer.data(), buffer.size(), 0);
    if (count < 0) return errno;
    if (count == 0) return ECONNRESET;  // the agent has ended
    line.append(buffer.data(), static_cast<std::size_t>(count));
    if (const auto end = line.find('\n'); end != std::string::npos) {
      line.resize(end);
      return 0;
    }
  }
  return EMSGSIZE;
}

ControlAnswer failed(const std::string& path, int error) {
  const bool late = error == EAGAIN || error == EWOULDBLOCK;
  return {late ? ExitCode::TimedOut : ExitCode::NoAuthority,
          path + ": " + (late ? "the agent does not answer" : std::strerror(error)),
          {}};
}

std::string text_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string sessions_of(const json& service) {
  const json sessions = service.value("sessions", json());
  if (!sessions.is_object()) return "not known";
  if (sessions.empty()) return "none to count";
  std::string text;
  for (const auto& [name, count] : sessions.items()) {
    text += (text.empty() ? "" : ", ") + count.dump() + " " + name;
  }
  return text;
}

std::string hold_of(const json& service) {
  const json held = service.value("held", json());
  std::string text = !held.is_boolean() ? "not known" : held.get<bool>() ? "held" : "-";
  const json paused = service.value("paused", json());
  if (paused.is_object()) {
    text = (held == true ? "held, paused here by " : "paused here by ") + text_of(paused, "by");
    if (const auto reason = text_of(paused, "reason"); !reason.empty()) text += ": " + reason;
  } else if (const auto reason = text_of(service, "reason"); held == true && !reason.empty()) {
    text += ": " + reason;
  }
  return text;
}

// What is wrong with it, a line each.
std::vector<std::string> remarks_of(const json& service) {
  std::vector<std::string> remarks;
  for (const json& unit : service.value("units", json::array())) {
    const std::string state = text_of(unit, "state");
    if (!state.starts_with("active")) remarks.push_back(text_of(unit, "unit") + ": " + state);
  }
  for (const json& check : service.value("checks", json::array())) {
    if (text_of(check, "status") == "down") {
      remarks.push_back(text_of(check, "check") + ": " + text_of(check, "last_result"));
    }
  }
  const json hook = service.value("hook", json());
  if (hook.is_object() && text_of(hook, "state") != "ok") {
    remarks.push_back("hook " + text_of(hook, "state") + ": " + text_of(hook, "text"));
  }
  return remarks;
}

// The certificate, and what is wrong with it or with whom we believe: a line each, where there are.
std::string tls_of(const json& tls) {
  std::string lines;
  if (const std::string expires = text_of(tls, "expires"); !expires.empty()) {
    lines += "certificate " + printable(text_of(tls, "certificate")) + ", valid until " +
             printable(expires) + "\n";
  }
  if (const std::string trouble = text_of(tls, "trouble"); !trouble.empty()) {
    lines += printable(trouble) + "\n";
  }
  return lines;
}

using Row = std::array<std::string, 4>;

std::string render_table(const std::vector<Row>& rows) {
  std::array<std::size_t, 4> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string page;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    }
    page += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return page;
}

}  // namespace

ControlAnswer ask_agent(const std::string& path, const ControlRequest& request) {
  const ControlConnection connection;
  std::string line;
  int error = connection.connect_to(path);
  if (error == 0) error = connection.send_all(render(request));
  if (error == 0) error = connection.receive_line(line);
  if (error != 0) return failed(path, error);
  const auto answer = parse_answer(line);
  if (!answer) return {ExitCode::Failed, path + ": " + answer.error().message, {}};
  return *answer;
}

std::string render_status(const json& status) {
  const json authority = status.value("authority", json::object());
  std::string page = text_of(status, "server") + ": ";
  if (authority.value("connected", json()) == true) {
    page += text_of(authority, "url") + " answers (generation " +
            status.value("generation", json()).dump() + ", lease " +
            status.value("lease", json()).dump() + " s)";
    // The state that it answers by is the last that it had.
    if (authority.value("stale", json()) == true) page += ", cut off from its cluster";
    page += '\n';
  } else {
    page += "no authority answers";
    const std::string failure = text_of(authority, "failure");
    page += failure.empty() ? "\n" : ": " + failure + "\n";
  }
  page += tls_of(status.value("tls", json::object()));
  if (const std::string failure = text_of(status.value("systemd", json::object()), "failure");
      !failure.empty()) {
    page += printable(failure) + "\n";
  }
  if (const std::string text = text_of(status.value("systemd", json::object()), "shutdown");
      !text.empty()) {
    page += printable(text) + "\n";
  }
  std::vector<Row> rows{{"SERVICE", "HEALTH", "SESSIONS", "HOLD"}};
  std::string remarks;
  const json services = status.value("services", json::object());
  for (const auto& [name, service] : services.items()) {
    if (!service.is_object()) continue;
    rows.push_back(
        {name, text_of(service, "health"), sessions_of(service), printable(hold_of(service))});
    for (const std::string& remark : remarks_of(service)) {
      remarks += name + ": " + printable(remark) + "\n";
    }
  }
  return page + render_table(rows) + remarks;
}

}  // namespace sluice::agent
