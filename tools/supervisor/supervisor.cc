#include "tools/supervisor/supervisor.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

namespace sluice {
namespace {

// One screen's lines; a datagram takes far more.
constexpr std::size_t kMaxStatus = 800;

std::optional<std::uint64_t> number_in(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return {};
  std::uint64_t number = 0;
  const char* const end = text + std::strlen(text);
  const auto [read, error] = std::from_chars(text, end, number);
  if (error != std::errc() || read != end) return {};
  return number;
}

// sd_watchdog_enabled(3): who is named by WATCHDOG_PID is meant, not the children that inherit it.
std::optional<base::Duration> watchdog_in_environment() {
  const auto microseconds = number_in("WATCHDOG_USEC");
  if (!microseconds || *microseconds == 0) return {};
  if (std::getenv("WATCHDOG_PID") != nullptr &&
      number_in("WATCHDOG_PID") != static_cast<std::uint64_t>(getpid())) {
    return {};
  }
  // More than a day watches nothing, and fits into no timer after some conversions.
  constexpr std::uint64_t kMost = 86'400'000'000;
  return std::chrono::floor<base::Duration>(
      std::chrono::microseconds(std::min(*microseconds, kMost)));
}

// The address's length; zero: no such socket can be.
socklen_t address_of(const std::string& socket, sockaddr_un& address) {
  address = {};
  address.sun_family = AF_UNIX;
  const bool names_one = socket.size() > 1 && (socket[0] == '/' || socket[0] == '@');
  if (!names_one || socket.size() >= sizeof address.sun_path) return 0;
  std::memcpy(address.sun_path, socket.data(), socket.size());
  if (socket[0] == '@') address.sun_path[0] = '\0';
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket.size());
}

}  // namespace

Supervisor Supervisor::from_environment() {
  const char* socket = std::getenv("NOTIFY_SOCKET");
  return {socket == nullptr ? "" : socket, watchdog_in_environment()};
}

Supervisor::Supervisor(std::string socket, std::optional<base::Duration> watchdog)
    : socket_(std::move(socket)), watchdog_(watchdog) {
  sockaddr_un address;
  if (address_of(socket_, address) != 0) {
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  }
  if (!listens()) watchdog_.reset();  // nobody hears that we live
}

Supervisor::~Supervisor() {
  if (listens()) close(fd_);
}

Supervisor::Supervisor(Supervisor&& other) noexcept
    : socket_(std::move(other.socket_)),
      watchdog_(other.watchdog_),
      fd_(std::exchange(other.fd_, -1)) {}

void Supervisor::ready(std::string_view status) {
  send("READY=1\n", status);
}

void Supervisor::reloading(std::string_view status) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
                            static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds) + '\n', status);
}

void Supervisor::status(std::string_view status) {
  send({}, status);
}

void Supervisor::stopping(std::string_view status) {
  send("STOPPING=1\n", status);
}

base::Checked<base::Done> Supervisor::main_process(int pid) {
  if (!listens()) return base::Done{};
  const std::string text = "MAINPID=" + std::to_string(pid) + '\n';
  // That a datagram's receiver has room is told by no poll(2): it is tried again.
  constexpr int kTries = 300;
  constexpr timespec kPause{0, 10'000'000};
  int error = try_send(text);
  for (int tries = 1; error == EAGAIN && tries < kTries; ++tries) {
    nanosleep(&kPause, nullptr);
    error = try_send(text);
  }
  if (error != 0) return base::failure(std::generic_category().message(error));
  return base::Done{};
}

void Supervisor::alive() {
  send("WATCHDOG=1\n", {});
}

void Supervisor::send(std::string text, std::string_view status) const {
  if (!listens()) return;
  if (!status.empty()) {
    text += "STATUS=";
    for (const char c : status.substr(0, kMaxStatus)) {
      text += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    text += '\n';
  }
  static_cast<void>(try_send(text));  // nobody to complain to
}

int Supervisor::try_send(const std::string& datagram) const {
  sockaddr_un address;
  const socklen_t size = address_of(socket_, address);
  const ssize_t sent = sendto(fd_, datagram.data(), datagram.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                              reinterpret_cast<const sockaddr*>(&address), size);
  return sent < 0 ? errno : 0;
}

}  // namespace sluice
