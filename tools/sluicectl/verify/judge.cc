#include "tools/sluicectl/verify/judge.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "tools/sluicectl/render/duration_words.h"
#include "tools/sluicectl/render/text.h"

namespace sluice::ctl {
namespace {

using std::chrono::seconds;

// Caches round up to whole seconds, and their clock is not ours.
constexpr seconds kRounding{1};

// What an answer names, of the type that was asked; other records (a CNAME, a signature) name
// nobody.
std::set<std::string> named_by(const Message& message, RRType type) {
  std::set<std::string> named;
  for (const Record& record : message.answer) {
    if (record.type != type) continue;
    named.insert(record.address ? record.address->to_string()
                                : (type == kTypeSrv ? record.target : record.data));
  }
  return named;
}

std::uint64_t longest_ttl(const Message& message, RRType type) {
  std::uint64_t longest = 0;
  for (const Record& record : message.answer) {
    if (record.type == type) longest = std::max<std::uint64_t>(longest, record.ttl);
  }
  return longest;
}

// What an additional section says of one name.
struct Addresses {
  std::set<std::string> data;
  std::uint64_t ttl = 0;     // the longest
  bool is_referral = false;  // the name is there as a name server's
};

std::map<std::string, Addresses> additional_of(const Message& message) {
  std::map<std::string, Addresses> all;
  for (const Record& record : message.additional) {
    if (!record.address) continue;
    Addresses& of = all[record.owner];
    of.data.insert(record.address->to_string());
    of.ttl = std::max<std::uint64_t>(of.ttl, record.ttl);
  }
  for (const Record& record : message.authority) {
    const auto of = record.type == kTypeNs ? all.find(record.target) : all.end();
    if (of != all.end()) of->second.is_referral = true;
  }
  return all;
}

// Judges the names of one answer; what it finds is gathered by gravity.
class Comparison {
 public:
  Comparison(const Expected& expected, const Message& message, bool strict, base::WallTime now)
      : expected_(expected),
        strict_(strict),
        now_(now),
        is_host_(expected.service.empty()),
        named_(named_by(message, expected.question.type)),
        additional_(additional_of(message)),
        ttl_(longest_ttl(message, expected.question.type)) {}

  Judgement run() {
    strangers_ = named_;
    for (const Candidate& each : expected_.candidates) look_at(each);
    look_at_last_resort();
    for (const std::string& each : strangers_) {
      say(Finding::Wrong, is_host_ ? foreign(expected_.candidates.front(), each)
                                   : "names " + each + ", which is no server's of this pool");
    }
    for (std::size_t at = 0; at < expected_.hosts.size(); ++at) {
      look_at_additional(expected_.candidates[at], expected_.hosts[at]);
    }
    look_at_missing();
    look_at_ttl();
    return std::move(judgement_);
  }

 private:
  void say(Finding finding, const std::string& text, std::optional<base::WallTime> until = {}) {
    if (finding < judgement_.finding) return;
    if (finding > judgement_.finding) judgement_ = {finding, {}, {}};
    judgement_.text += (judgement_.text.empty() ? "" : "; ") + text;
    if (until && (!judgement_.until || *until > *judgement_.until)) judgement_.until = until;
  }

  // How many of what names it are in the answer.
  std::size_t take(const std::vector<std::string>& data) {
    std::size_t found = 0;
    for (const std::string& each : data) found += strangers_.erase(each);
    return found;
  }

  void look_at(const Candidate& each) {
    const std::size_t found = take(each.data);
    if (found == 0) {
      if (each.member && !each.data.empty() && !expected_.by_last_resort) {
        lacking_.push_back(each.server);
      }
      return;
    }
    if (!each.member) return on_outsider(each, ttl_);
    ++shown_;
    if (found < each.data.size()) {
      outdated("has only " + std::to_string(found) + " of the " + std::to_string(each.data.size()) +
               " addresses of " + each.server);
    }
  }

  static std::string foreign(const Candidate& each, const std::string& address) {
    return "gives " + each.server + " the address " + address + ", which is none of its own";
  }

  // Clients connect to what the section says of a target. Nothing has to be there.
  void look_at_additional(const Candidate& each, const Candidate& host) {
    const auto said = additional_.find(each.name);
    if (said == additional_.end()) return;
    const Addresses& addresses = said->second;
    for (const std::string& address : addresses.data) {
      const bool own = std::ranges::find(host.data, address) != host.data.end();
      if (!own) say(Finding::Wrong, foreign(each, address));
    }
    if (!host.member) return on_outsider(host, addresses.ttl);
    const bool by_this_alone = !named_.contains(each.name) && !addresses.is_referral;
    if (!each.member && by_this_alone) on_outsider(each, addresses.ttl);
  }

  void on_outsider(const Candidate& each, std::uint64_t ttl) {
    const std::string who = each.server + " (" + each.state + ")";
    if (strict_) return say(Finding::Wrong, "names " + who + ", which is out of the answers");
    if (!each.cached) {
      say(Finding::Wrong, "names " + who + ", which no cache may have any more");
    } else if (each.until && now_ + seconds(ttl) > *each.until + kRounding) {
      say(Finding::Wrong, "would name " + who + " for " + spoken(seconds(ttl)) +
                              ", beyond its horizon in " + spoken(*each.until - now_) +
                              ": it keeps answers longer than resolver_min_ttl says");
    } else {
      say(Finding::Stale, "still names " + who, each.until);
    }
  }

  void look_at_last_resort() {
    const std::size_t found = take(expected_.last_resort);
    if (expected_.by_last_resort) {
      if (found < expected_.last_resort.size()) outdated("lacks addresses of the last resort");
    } else if (found > 0) {
      outdated("names the pool's last resort");
    }
  }

  void look_at_missing() {
    const std::size_t members = expected_.members();
    const bool some = expected_.answer_size != 0 && expected_.answer_size < members;
    const std::size_t size = some ? expected_.answer_size : members;
    if (expected_.by_last_resort || lacking_.empty()) return;
    if (!some) return outdated("lacks " + joined(lacking_, ", "));
    if (shown_ == size) return;
    // A cache may have filled the places with who was in before.
    const bool filled = !strict_ && judgement_.finding == Finding::Stale;
    if (shown_ > size || !filled) {
      outdated("shows " + std::to_string(shown_) + " servers in place of " + std::to_string(size) +
               " (answer_size)");
    }
  }

  // What is not as it is now may be as it was before, in a cache.
  void outdated(const std::string& text) {
    std::optional<base::WallTime> settled = expected_.settled;
    if (!strict_ && is_host_ && !settled) return say(Finding::Stale, text);
    if (named_.empty() && settled && expected_.negative) {
      // "There is none" is kept by a time of its own (RFC 2308 section 5).
      settled = std::max(*settled, *expected_.since + *expected_.negative + kRounding);
    }
    if (!strict_ && settled && *settled > now_) return say(Finding::Stale, text, settled);
    say(Finding::Wrong, text);
  }

  void look_at_ttl() {
    if (named_.empty()) return;
    if (strict_ && expected_.ttl && ttl_ > *expected_.ttl) {
      say(Finding::Wrong, "has a TTL of " + std::to_string(ttl_) + ", above the pool's " +
                              std::to_string(*expected_.ttl));
    }
    if (!strict_ && expected_.kept && seconds(ttl_) > *expected_.kept) {
      say(Finding::Wrong, "would be kept for " + spoken(seconds(ttl_)) + ", longer than the " +
                              spoken(*expected_.kept) +
                              " that horizons allow for: see resolver_min_ttl");
    }
  }

  const Expected& expected_;
  const bool strict_;
  const base::WallTime now_;
  const bool is_host_;
  const std::set<std::string> named_;
  const std::map<std::string, Addresses> additional_;
  const std::uint64_t ttl_;
  std::set<std::string> strangers_;
  std::vector<std::string> lacking_;
  std::size_t shown_ = 0;  // members
  Judgement judgement_;
};

bool is_referral(const Message& message) {
  return !message.authoritative && message.answer.empty() &&
         std::ranges::find(message.authority, kTypeNs, &Record::type) != message.authority.end();
}

Judgement judge_message(const Expected& expected, const Message& message, Source source,
                        base::WallTime now) {
  if (message.rcode == kRefused) {
    return {Finding::Refused, "refuses to answer (REFUSED)", {}};
  }
  if (message.rcode == kNXDomain) {
    return {Finding::Wrong, "says that there is no such name (NXDOMAIN)", {}};
  }
  if (message.rcode != kNoError) {
    return {Finding::Failed, "answers " + rcode_name(message.rcode), {}};
  }
  // A server below a zone cut: its host record is for others to tell.
  if (expected.service.empty() && is_referral(message)) return {};
  if (source != Source::Resolver && !message.authoritative) {
    return {Finding::NotAuthoritative, "answers without authority (no AA)", {}};
  }
  if (message.truncated) return {Finding::Truncated, "is truncated", {}};
  const bool strict = source != Source::Resolver || message.authoritative;
  Judgement judged = Comparison(expected, message, strict, now).run();
  // RFC 8914: a resolver that serves what is expired says so.
  if (judged.finding == Finding::Wrong && !message.explanations.empty()) {
    judged.text += " (it says: " + joined(message.explanations, ", ") + ")";
  }
  return judged;
}

}  // namespace

const char* to_string(Finding finding) noexcept {
  switch (finding) {
    case Finding::Right:
      return "right";
    case Finding::Stale:
      return "stale";
    case Finding::Changing:
      return "changing";
    case Finding::Wrong:
      return "wrong";
    case Finding::Truncated:
      return "truncated";
    case Finding::NotAuthoritative:
      return "not-authoritative";
    case Finding::Refused:
      return "refused";
    case Finding::Failed:
      return "failed";
    case Finding::Malformed:
      return "malformed";
    case Finding::NoAnswer:
      return "no-answer";
    case Finding::NotAsked:
      return "not-asked";
  }
  return "";
}

Judgement judge(const Expected& expected, const Reply& reply, Source source, base::WallTime now) {
  switch (reply.kind) {
    case Reply::Kind::Answered:
      return judge_message(expected, reply.message, source, now);
    case Reply::Kind::NoAnswer:
    case Reply::Kind::Unreachable:
      return {Finding::NoAnswer, reply.text, {}};
    case Reply::Kind::Malformed:
      return {Finding::Malformed, reply.text, {}};
    case Reply::Kind::NotAsked:
      break;
  }
  return {Finding::NotAsked, reply.text, {}};
}

Judgement better(Judgement one, Judgement other) {
  return other.finding < one.finding ? std::move(other) : std::move(one);
}

Judgement settle_truncated(Judgement udp, const Judgement& tcp) {
  if (udp.finding != Finding::Truncated) return udp;
  if (!is_fault(tcp.finding)) return tcp;
  return {Finding::Truncated,
          std::string("is truncated, and over TCP it is ") + to_string(tcp.finding),
          {}};
}

bool is_fault(Finding finding) noexcept {
  return finding > Finding::Changing;
}

}  // namespace sluice::ctl
