#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/result.h"
#include "health/cluster/kv.h"

// What is said to etcd's JSON gateway and what it answers: gRPC's messages as JSON, octets in
// base64, 64-bit numbers as text, whatever is zero or empty left out. Pure.
namespace sluice::etcd {

// Keys below a prefix.
class Keys {
 public:
  // "/sluice": keys are "/sluice/...", those of the audit "/sluice-audit/..." (kv.h).
  explicit Keys(std::string_view prefix)
      : before_(std::string(prefix) + "/"), beside_(std::string(prefix) + "-audit/") {}

  std::string absolute(std::string_view key) const;
  // Nothing: it is not below the prefix.
  std::optional<std::string> relative(std::string_view key) const;
  // The first key after all that begin with this relative one.
  std::string end_of(std::string_view under) const;

 private:
  std::string before_;
  std::string beside_;
};

namespace path {
inline constexpr std::string_view kTransaction = "/v3/kv/txn";
inline constexpr std::string_view kRange = "/v3/kv/range";
inline constexpr std::string_view kWatch = "/v3/watch";
inline constexpr std::string_view kGrant = "/v3/lease/grant";
inline constexpr std::string_view kRenew = "/v3/lease/keepalive";
inline constexpr std::string_view kRevoke = "/v3/lease/revoke";
inline constexpr std::string_view kAuthenticate = "/v3/auth/authenticate";
}  // namespace path

// Requests: the bodies.

std::string transaction_request(const Keys& keys, const cluster::Transaction& transaction);

// A part of a listing. All but the first are of the first one's revision.
struct PageRequest {
  std::string under;
  std::optional<std::string> after;  // this relative key, exclusive
  std::int64_t revision = 0;         // 0: the newest
  std::size_t limit = 0;
};
std::string page_request(const Keys& keys, const PageRequest& request);
std::string newest_request(const Keys& keys, std::string_view under, std::size_t limit);
std::string watch_request(const Keys& keys, std::int64_t after);
std::string grant_request(std::chrono::seconds ttl);
std::string lease_request(std::int64_t lease);  // to renew it, or to revoke it
std::string authenticate_request(std::string_view user, std::string_view password);

// Answers: the bodies of status 200. The error says in what they are not as they should be.
template <class T>
using Read = base::Result<T, std::string>;

Read<cluster::Committed> read_committed(std::string_view body);

struct Page {
  cluster::Listing listing;  // in the order of the answer
  bool more = false;
};
Read<Page> read_page(const Keys& keys, std::string_view body);

Read<std::int64_t> read_granted(std::string_view body);
Read<bool> read_renewed(std::string_view body);
Read<std::string> read_token(std::string_view body);

// What an answer that is no success says.
struct Complaint {
  int code = 0;  // gRPC's; 0: not told
  std::string message;
};

// One line of a watch.
struct WatchLine {
  enum class Kind : std::uint8_t {
    Quiet,      // it was made, or goes on
    Changes,    // `changes`, at least one
    Compacted,  // what it should begin with is gone
    Ended,      // `complaint`
  };
  Kind kind = Kind::Quiet;
  std::vector<cluster::Change> changes;  // ascending
  Complaint complaint;
};
Read<WatchLine> read_watch_line(const Keys& keys, std::string_view line);

// Refusals.

// Nothing: it is not in etcd's form.
std::optional<Complaint> read_complaint(std::string_view body);

enum class Meaning : std::uint8_t {
  BadToken,  // say anew who we are
  NoAuth,    // nobody need say who he is
  Refused,   // surely not done, and no other member would do it
  NoAnswer,  // this member could not: it may have been done
};
Meaning meaning_of(const Complaint& complaint);

}  // namespace sluice::etcd
