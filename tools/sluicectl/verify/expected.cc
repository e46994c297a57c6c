#include "tools/sluicectl/verify/expected.h"

#include <algorithm>
#include <utility>

#include "tools/sluicectl/render/words.h"

namespace sluice::ctl {
namespace {

std::vector<std::string> texts(const std::vector<base::IpAddress>& addresses, RRType type) {
  std::vector<std::string> all;
  if (type == kTypeSrv) return all;
  for (const base::IpAddress& address : addresses) {
    if (address.is_v4() == (type == kTypeA)) all.push_back(address.to_string());
  }
  return all;
}

Candidate candidate(const Server& server, const AnswerSet& set, const Pool& pool, RRType type,
                    base::WallTime now) {
  Candidate made;
  made.server = relative_name(server.name, pool.name);
  made.data = type == kTypeSrv ? std::vector{server.name} : texts(server.addresses, type);
  made.member = std::ranges::find(set.members, server.name) != set.members.end();
  const Service* service = server.service(set.service);
  if (service == nullptr) {
    made.state = "does not run " + set.service;
    return made;
  }
  made.state = service->status;
  if (service->forced == "down") made.state += ", forced down";
  if (made.member) return made;
  made.until = service->cache_horizon;
  // While workers still have to take the publication that took it out there is no horizon yet. Our
  // clock may be ahead of the authority's, whose word counts.
  made.cached = !made.until || *made.until > now || service->verdict.reason("horizon") != nullptr;
  return made;
}

}  // namespace

std::size_t Expected::members() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      candidates, [](const Candidate& each) { return each.member && !each.data.empty(); }));
}

bool is_srv_owner(std::string_view owner) {
  return owner.starts_with('_');
}

std::optional<Expected> expectation(const Pool& pool, const std::string& owner, RRType type,
                                    base::WallTime now) {
  const AnswerSet* set = pool.answer_set(owner);
  const bool address = type == kTypeA || type == kTypeAaaa;
  if (set == nullptr || (is_srv_owner(owner) ? type != kTypeSrv : !address)) return {};
  Expected expected;
  expected.question = {.name = owner, .type = type};
  expected.service = set->service;
  for (const Server& server : pool.servers) {
    expected.candidates.push_back(candidate(server, *set, pool, type, now));
  }
  expected.last_resort = texts(pool.last_resort, type);
  expected.by_last_resort = set->fallback == "addresses";
  expected.answer_size = pool.answer_size;
  expected.ttl = pool.ttl;
  expected.since = set->since;
  expected.settled = set->cache_horizon;
  if (set->since && set->cache_horizon) expected.kept = *set->cache_horizon - *set->since;
  return expected;
}

std::vector<Expected> expectations(const Pool& pool, base::WallTime now) {
  std::vector<Expected> all;
  for (const AnswerSet& set : pool.answer_sets) {
    for (const RRType type : {kTypeA, kTypeAaaa, kTypeSrv}) {
      if (auto one = expectation(pool, set.owner, type, now)) all.push_back(*std::move(one));
    }
  }
  return all;
}

}  // namespace sluice::ctl
