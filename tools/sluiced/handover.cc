#include "tools/sluiced/handover.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace sluice::handover {
namespace {

using nlohmann::json;

// Of the sockets; a name that is unknown is a kind that this version does not have.
constexpr const char* kDnsUdp = "dns-udp";
constexpr const char* kDnsTcp = "dns-tcp";
constexpr const char* kDnsName = "dns-name";
constexpr const char* kApiTcp = "api-tcp";
constexpr const char* kApiUnix = "api-unix";

std::string text_in(const json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::vector<std::uint8_t> octets_in(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_binary()) return {};
  return found->get_binary();
}

// A list of as many objects as there are descriptors.
const json* list_in(const HandoverMessage& message, const char* key) {
  const auto found = message.body.find(key);
  if (found == message.body.end() || !found->is_array()) return nullptr;
  return found->size() == message.descriptors.size() ? &*found : nullptr;
}

dns::ListenSockets& dns_at(Listening& listening, const base::SocketAddress& address) {
  const auto found = std::ranges::find(listening.dns, address, &dns::ListenSockets::address);
  if (found != listening.dns.end()) return *found;
  dns::ListenSockets& fresh = listening.dns.emplace_back();
  fresh.address = address;
  return fresh;
}

void put(const json& entry, base::FileDescriptor fd, Listening& listening) {
  const std::string kind = text_in(entry, "kind");
  const std::string at = text_in(entry, "at");
  if (kind == kApiUnix) {
    listening.api.unix_socket = health::UnixListener::inherited(at, std::move(fd));
    return;
  }
  const auto address = base::SocketAddress::parse(at);
  if (!address) return;
  if (kind == kApiTcp) {
    listening.api.tcp.push_back({*address, std::move(fd)});
  } else if (kind == kDnsUdp) {
    dns_at(listening, *address).udp.push_back(std::move(fd));
  } else if (kind == kDnsTcp) {
    dns_at(listening, *address).tcp.push_back(std::move(fd));
  } else if (kind == kDnsName) {
    dns_at(listening, *address).name = std::move(fd);
  }
}

// Fills letters one after another.
class Pile {
 public:
  Pile(const char* type, const char* list) : type_(type), list_(list) {}

  void add(json entry, int fd, std::size_t octets) {
    // Room for the names of the members, too.
    constexpr std::size_t kMembers = 256;
    const bool full = !letters_.empty() &&
                      (letters_.back().descriptors.size() == HandoverChannel::kMostDescriptors ||
                       octets_ + octets + kMembers > HandoverChannel::kMostOctets);
    if (letters_.empty() || full) next();
    octets_ += octets + kMembers;
    letters_.back().body[list_].push_back(std::move(entry));
    letters_.back().descriptors.push_back(fd);
  }

  std::vector<Letter> take() {
    if (letters_.empty()) next();
    letters_.back().body.erase("more");
    return std::move(letters_);
  }

 private:
  void next() {
    letters_.push_back({{{"type", type_}, {"more", true}, {list_, json::array()}}, {}});
    octets_ = 0;
  }

  const char* type_;
  const char* list_;
  std::vector<Letter> letters_;
  std::size_t octets_ = 0;
};

json binary(const std::vector<std::uint8_t>& octets) {
  return json::binary(octets);
}

}  // namespace

json word(const char* type) {
  return {{"type", type}};
}

json prepared(int pid) {
  return {{"type", kPrepared}, {"pid", pid}};
}

std::optional<int> pid(const HandoverMessage& message) {
  const auto found = message.body.find("pid");
  if (found == message.body.end() || !found->is_number_integer()) return std::nullopt;
  const auto number = found->get<std::int64_t>();
  if (number < 2 || number > std::numeric_limits<int>::max()) return std::nullopt;
  return static_cast<int>(number);
}

json failed(const std::string& why) {
  return {{"type", kFailed}, {"why", why}};
}

std::string why(const HandoverMessage& message) {
  return text_in(message.body, "why");
}

bool keeps_file(const HandoverMessage& message, const std::string& path) {
  return text_in(message.body, "api_unix") == path;
}

json state(const dns::SipKey& cookie_secret) {
  return {{"type", kState},
          {"cookie_secret", json::binary({cookie_secret.begin(), cookie_secret.end()})}};
}

std::optional<dns::SipKey> read_cookie_secret(const json& state) {
  const std::vector<std::uint8_t> octets = octets_in(state, "cookie_secret");
  dns::SipKey secret{};
  if (octets.size() != secret.size()) return std::nullopt;
  std::ranges::copy(octets, secret.begin());
  return secret;
}

bool has_more(const HandoverMessage& message) {
  const auto found = message.body.find("more");
  return found != message.body.end() && found->is_boolean() && found->get<bool>();
}

std::vector<Letter> offer(const Listening& listening) {
  Pile pile(kOffer, "sockets");
  const auto add = [&](const char* kind, const std::string& at, const base::FileDescriptor& fd) {
    if (fd.is_open()) pile.add({{"kind", kind}, {"at", at}}, fd.get(), at.size());
  };
  for (const dns::ListenSockets& sockets : listening.dns) {
    const std::string at = sockets.address.to_string();
    add(kDnsName, at, sockets.name);
    for (const base::FileDescriptor& fd : sockets.udp) add(kDnsUdp, at, fd);
    for (const base::FileDescriptor& fd : sockets.tcp) add(kDnsTcp, at, fd);
  }
  for (const auto& [address, fd] : listening.api.tcp) add(kApiTcp, address.to_string(), fd);
  if (const auto& socket = listening.api.unix_socket) {
    add(kApiUnix, socket->path(), socket->descriptor());
  }
  std::vector<Letter> letters = pile.take();
  for (Letter& letter : letters) letter.body["protocol"] = kProtocol;
  return letters;
}

base::Checked<base::Done> read_offer(HandoverMessage message, Listening& listening) {
  if (message.type() != kOffer) return base::failure("the running process offered nothing");
  const auto protocol = message.body.find("protocol");
  if (protocol == message.body.end() || *protocol != kProtocol) {
    return base::failure("the running process hands over in a way that this version does not know");
  }
  const json* list = list_in(message, "sockets");
  if (list == nullptr) return base::failure("the running process's offer is not understood");
  for (std::size_t i = 0; i < list->size(); ++i) {
    put((*list)[i], std::move(message.descriptors[i]), listening);
  }
  return base::Done{};
}

std::vector<Letter> sessions(std::span<const dns::SuspendedSession> sessions) {
  Pile pile(kSessions, "sessions");
  for (const dns::SuspendedSession& session : sessions) {
    std::vector<std::uint8_t> client(sizeof session.client);
    std::memcpy(client.data(), &session.client, client.size());
    pile.add({{"client", binary(client)},
              {"waiting", binary(session.waiting)},
              {"rest", binary(session.rest)},
              {"message_octets", session.message_octets}},
             session.fd.get(), client.size() + session.waiting.size() + session.rest.size());
  }
  return pile.take();
}

std::vector<dns::SuspendedSession> read_sessions(HandoverMessage message) {
  std::vector<dns::SuspendedSession> sessions;
  const json* list = list_in(message, "sessions");
  if (list == nullptr) return sessions;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const json& entry = (*list)[i];
    if (!entry.is_object()) continue;
    const std::vector<std::uint8_t> client = octets_in(entry, "client");
    dns::SuspendedSession session;
    if (client.size() != sizeof session.client) continue;
    std::memcpy(&session.client, client.data(), client.size());
    session.fd = std::move(message.descriptors[i]);
    session.waiting = octets_in(entry, "waiting");
    session.rest = octets_in(entry, "rest");
    const auto whole = entry.find("message_octets");
    if (whole != entry.end() && whole->is_number_unsigned()) {
      session.message_octets = whole->get<std::size_t>();
    }
    if (session.is_sound()) sessions.push_back(std::move(session));
  }
  return sessions;
}

}  // namespace sluice::handover
