#include "tools/sluiced/predecessor.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "tools/sluiced/attendant.h"
#include "tools/sluiced/counted.h"

namespace sluice {
namespace {

// Longer than the other one waits for anything: it is the one that decides.
constexpr base::Duration kPatience = std::chrono::seconds(90);
// It has a word to say to the supervisor, and goes.
constexpr base::Duration kFarewell = std::chrono::seconds(5);

}  // namespace

bool Predecessor::started_this_process() noexcept {
  return std::getenv(kHandoverVariable) != nullptr;
}

std::optional<Predecessor> Predecessor::from_environment() {
  const char* text = std::getenv(kHandoverVariable);
  if (text == nullptr) return std::nullopt;
  int fd = -1;
  const char* const end = text + std::strlen(text);
  const auto [read, error] = std::from_chars(text, end, fd);
  const bool is_number = error == std::errc() && read == end && fd > 2;
  unsetenv(kHandoverVariable);
  if (!is_number || ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return std::nullopt;
  return Predecessor(base::FileDescriptor(fd));
}

base::Checked<std::optional<HandoverMessage>> Predecessor::hear(const char* type) {
  auto message = channel_.receive(kPatience);
  if (!message) {
    if (message.error() == HandoverChannel::Silence::Ended) return std::optional<HandoverMessage>();
    return base::failure(message.error() == HandoverChannel::Silence::NotYet
                             ? "the running process says nothing"
                             : "the running process is not understood");
  }
  if (message->type() == type) return std::optional<HandoverMessage>(*std::move(message));
  return base::failure("the running process says \"" + std::string(message->type()) +
                       "\" where \"" + type + "\" was expected");
}

base::Checked<Listening> Predecessor::take_offer() {
  Listening listening;
  while (true) {
    auto message = hear(handover::kOffer);
    if (!message) return base::Unexpected{std::move(message).error()};
    if (!*message) return base::failure("the running process ended before it handed over");
    const bool more = handover::has_more(**message);
    auto read = handover::read_offer(**std::move(message), listening);
    if (!read) return base::Unexpected{std::move(read).error()};
    if (!more) return listening;
  }
}

base::Checked<nlohmann::json> Predecessor::prepared() {
  static_cast<void>(channel_.send(handover::prepared(getpid()), {}, kFarewell));
  auto message = hear(handover::kState);
  if (!message) return base::Unexpected{std::move(message).error()};
  return *message ? std::move((*message)->body) : nlohmann::json::object();
}

base::Checked<std::vector<dns::SuspendedSession>> Predecessor::serving() {
  static_cast<void>(channel_.send(handover::word(handover::kServing), {}, kFarewell));
  std::vector<dns::SuspendedSession> sessions;
  for (bool more = true; more;) {
    auto message = hear(handover::kSessions);
    if (!message) return base::Unexpected{std::move(message).error()};
    if (!*message) return sessions;
    more = handover::has_more(**message);
    std::ranges::move(handover::read_sessions(**std::move(message)), std::back_inserter(sessions));
  }
  auto silent = hear(handover::kSilent);
  if (!silent) return base::Unexpected{std::move(silent).error()};
  return sessions;
}

void Predecessor::taken(const nlohmann::json& more) {
  outlive_attendant();
  nlohmann::json body = handover::word(handover::kTaken);
  body.update(more);
  if (channel_.send(body, {}, kFarewell)) static_cast<void>(channel_.receive(kFarewell));
  channel_ = HandoverChannel(base::FileDescriptor());
}

void Predecessor::failed(const std::vector<base::Error>& why) {
  std::string first = why.empty() ? std::string("it does not know why") : to_string(why.front());
  if (why.size() > 1) first += " and " + counted(why.size() - 1, "more mistake");
  static_cast<void>(channel_.send(handover::failed(first), {}, kFarewell));
}

}  // namespace sluice
