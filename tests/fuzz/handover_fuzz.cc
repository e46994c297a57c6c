// A message of the other process in a take-over -> sockets and sessions that came with it, each
// descriptor in one place or closed, or a reason in words; what was understood, handed over again,
// arrives as it was.
//
// The first octet says how many descriptors come with it; the rest is the body, CBOR.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "tests/fuzz/require.h"
#include "tools/sluiced/handover.h"

namespace {

using namespace sluice;
using fuzz::require;
using nlohmann::json;

constexpr std::size_t kMostDescriptors = 8;

base::FileDescriptor some_file() {
  static const int kNull = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  return base::FileDescriptor(::fcntl(kNull, F_DUPFD_CLOEXEC, 0));
}

HandoverMessage message_of(const json& body, std::size_t descriptors) {
  HandoverMessage message{body, {}};
  for (std::size_t i = 0; i < descriptors; ++i) message.descriptors.push_back(some_file());
  return message;
}

// As the channel carries it.
HandoverMessage carry(const handover::Letter& letter) {
  require(letter.descriptors.size() <= HandoverChannel::kMostDescriptors);
  const std::vector<std::uint8_t> octets = json::to_cbor(letter.body);
  require(octets.size() <= HandoverChannel::kMostOctets);
  return message_of(json::from_cbor(octets), letter.descriptors.size());
}

std::size_t sockets_in(const Listening& listening) {
  std::size_t count = listening.api.tcp.size() + (listening.api.unix_socket ? 1 : 0);
  for (const dns::ListenSockets& sockets : listening.dns) {
    count += sockets.udp.size() + sockets.tcp.size() + (sockets.name.is_open() ? 1 : 0);
  }
  return count;
}

bool same(const Listening& one, const Listening& other) {
  const auto alike = [](const dns::ListenSockets& a, const dns::ListenSockets& b) {
    return a.address == b.address && a.name.is_open() == b.name.is_open() &&
           a.udp.size() == b.udp.size() && a.tcp.size() == b.tcp.size();
  };
  const auto at_the_same = [](const auto& a, const auto& b) { return a.address == b.address; };
  const auto& a_unix = one.api.unix_socket;
  const auto& b_unix = other.api.unix_socket;
  return std::ranges::equal(one.dns, other.dns, alike) &&
         std::ranges::equal(one.api.tcp, other.api.tcp, at_the_same) &&
         a_unix.has_value() == b_unix.has_value() && (!a_unix || a_unix->path() == b_unix->path());
}

void offered(HandoverMessage message) {
  const std::size_t came = message.descriptors.size();
  Listening listening;
  const auto done = handover::read_offer(std::move(message), listening);
  require(sockets_in(listening) <= came);
  if (!done) {
    require(!to_string(done.error()).empty() && sockets_in(listening) == 0);
    return;
  }
  for (std::size_t i = 0; i < listening.dns.size(); ++i) {
    for (std::size_t other = 0; other < i; ++other) {
      require(listening.dns[i].address != listening.dns[other].address);
    }
  }
  Listening again;
  const auto letters = handover::offer(listening);
  for (const handover::Letter& letter : letters) {
    HandoverMessage carried = carry(letter);
    require(handover::has_more(carried) == (&letter != &letters.back()));
    require(handover::read_offer(std::move(carried), again).has_value());
  }
  require(same(listening, again));
}

bool same_session(const dns::SuspendedSession& one, const dns::SuspendedSession& other) {
  return std::memcmp(&one.client, &other.client, sizeof one.client) == 0 &&
         one.waiting == other.waiting && one.rest == other.rest &&
         one.message_octets == other.message_octets;
}

void suspended(HandoverMessage message) {
  const std::size_t came = message.descriptors.size();
  const auto sessions = handover::read_sessions(std::move(message));
  require(sessions.size() <= came);
  for (const dns::SuspendedSession& session : sessions) require(session.is_sound());
  std::vector<dns::SuspendedSession> again;
  for (const handover::Letter& letter : handover::sessions(sessions)) {
    for (dns::SuspendedSession& each : handover::read_sessions(carry(letter))) {
      again.push_back(std::move(each));
    }
  }
  require(std::ranges::equal(sessions, again, same_session));
}

void words(const HandoverMessage& message) {
  const std::string type(message.type());
  if (!type.empty()) require(message.body.is_object() && message.body.at("type") == type);
  const std::string why = handover::why(message);
  require(why.empty() || handover::why({handover::failed(why), {}}) == why);
  if (message.body.is_object() && !message.body.contains("api_unix")) {
    require(!handover::keeps_file(message, "/run/sluice.sock"));
  }
  const auto secret = handover::read_cookie_secret(message.body);
  if (secret) require(handover::read_cookie_secret(handover::state(*secret)) == secret);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const json body = HandoverMessage::read({data + 1, size - 1});
  if (body.is_discarded()) return 0;
  const std::size_t descriptors = data[0] % (kMostDescriptors + 1);
  words(message_of(body, 0));
  offered(message_of(body, descriptors));
  suspended(message_of(body, descriptors));
  return 0;
}
