#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/base/error.h"
#include "dns/server/suspended_session.h"
#include "dns/wire/siphash.h"
#include "tools/sluiced/handover_channel.h"
#include "tools/sluiced/listening.h"

// The words of a take-over, in their order; README.md, "Life of an upgrade", has what each is for.
// Pure: octets and descriptors in, octets and descriptors out.
namespace sluice::handover {

// A process that speaks another one is told so, and nothing happens.
inline constexpr int kProtocol = 1;

// Old to new: the sockets, a message for each so many; the last has no "more".
inline constexpr const char* kOffer = "offer";
// New to old: the configuration is read, every socket is there. Says which process it is, since
// the one that the old one has started may be its attendant (attendant.h).
inline constexpr const char* kPrepared = "prepared";
// Old to new: the store is closed; what else the new one has to know.
inline constexpr const char* kState = "state";
// New to old: I answer DNS queries, too.
inline constexpr const char* kServing = "serving";
// Old to new: TCP sessions, a message for each so many.
inline constexpr const char* kSessions = "sessions";
// Old to new: not an answer more from me.
inline constexpr const char* kSilent = "silent";
// New to old: it is all mine. The old one then closes the channel and goes.
inline constexpr const char* kTaken = "taken";
// New to old, in the place of any of its words: why not.
inline constexpr const char* kFailed = "failed";

// What is sent: the body, and whose descriptors go with it (they stay open at the sender).
struct Letter {
  nlohmann::json body;
  std::vector<int> descriptors;
};

std::vector<Letter> offer(const Listening& listening);
// Puts the sockets of one offer into `listening`.
base::Checked<base::Done> read_offer(HandoverMessage message, Listening& listening);
// Whether another message of the kind follows.
bool has_more(const HandoverMessage& message);

std::vector<Letter> sessions(std::span<const dns::SuspendedSession> sessions);
// Those that can't be understood are left out: their clients see a connection that ends.
std::vector<dns::SuspendedSession> read_sessions(HandoverMessage message);

// The secret of DNS cookies that the run made for itself, so that clients keep theirs.
nlohmann::json state(const dns::SipKey& cookie_secret);
std::optional<dns::SipKey> read_cookie_secret(const nlohmann::json& state);

nlohmann::json word(const char* type);
nlohmann::json prepared(int pid);
// Who has prepared; nothing where it does not say so.
std::optional<int> pid(const HandoverMessage& message);
nlohmann::json failed(const std::string& why);
// In a `taken`: whether the file of that unix socket is the new process's.
bool keeps_file(const HandoverMessage& message, const std::string& path);
// The sentence of a `failed`.
std::string why(const HandoverMessage& message);

}  // namespace sluice::handover
