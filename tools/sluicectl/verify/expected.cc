#include "tools/sluicectl/verify/expected.h"

#include <algorithm>
#include <utility>

#include "tools/sluicectl/render/words.h"

namespace sluice::ctl {
namespace {

bool is_address(RRType type) {
  return type == kTypeA || type == kTypeAaaa;
}

std::vector<std::string> texts(const std::vector<base::IpAddress>& addresses, RRType type) {
  std::vector<std::string> all;
  for (const base::IpAddress& address : addresses) {
    if (type == (address.is_v4() ? kTypeA : kTypeAaaa)) all.push_back(address.to_string());
  }
  return all;
}

// The horizon of each service has that of a hidden host record in it.
void add_horizon(Candidate& out, const Service& service, base::WallTime now) {
  // While workers still have to take the publication that took it out there is no horizon yet. Our
  // clock may be ahead of the authority's, whose word counts.
  const auto& until = service.cache_horizon;
  out.cached = out.cached || !until || *until > now || service.verdict.reason("horizon") != nullptr;
  if (until && (!out.until || *until > *out.until)) out.until = until;
}

Candidate candidate(const Server& server, const AnswerSet& set, const Pool& pool, RRType type,
                    base::WallTime now) {
  Candidate made;
  made.server = relative_name(server.name, pool.name);
  made.name = server.name;
  made.data = type == kTypeSrv ? std::vector{server.name} : texts(server.addresses, type);
  made.member = std::ranges::find(set.members, server.name) != set.members.end();
  const Service* service = server.service(set.service);
  if (service == nullptr) {
    made.state = "does not run " + set.service;
    return made;
  }
  made.state = service->status;
  if (service->forced == "down") made.state += ", forced down";
  if (!made.member) add_horizon(made, *service, now);
  return made;
}

Candidate host(const Server& server, const Pool& pool, base::WallTime now) {
  Candidate made;
  made.server = relative_name(server.name, pool.name);
  made.name = server.name;
  made.state = "host record hidden";
  made.member = !server.host_hidden;
  for (const base::IpAddress& address : server.addresses) made.data.push_back(address.to_string());
  if (made.member) return made;
  for (const Service& service : server.services) add_horizon(made, service, now);
  return made;
}

// When the host record came back is not told: no later than the services that left with it. While
// one of them is out it may have been any time.
void add_return(Expected& out, const Pool& pool, const Server& server) {
  if (!std::ranges::all_of(server.services, &Service::in_answers)) return;
  for (const AnswerSet& set : pool.answer_sets) {
    out.since = std::max(out.since, set.since);
    out.settled = std::max(out.settled, set.cache_horizon);
  }
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
  if (set == nullptr || (is_srv_owner(owner) ? type != kTypeSrv : !is_address(type))) return {};
  Expected expected;
  expected.question = {.name = owner, .type = type};
  expected.service = set->service;
  for (const Server& server : pool.servers) {
    expected.candidates.push_back(candidate(server, *set, pool, type, now));
    if (type == kTypeSrv) expected.hosts.push_back(host(server, pool, now));
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

std::optional<Expected> host_expectation(const Pool& pool, const std::string& name, RRType type,
                                         base::WallTime now) {
  const Server* server = pool.server(name);
  if (server == nullptr || !is_address(type)) return {};
  Expected expected;
  expected.question = {.name = name, .type = type};
  Candidate& own = expected.candidates.emplace_back(host(*server, pool, now));
  own.data = texts(server->addresses, type);
  expected.ttl = pool.ttl;
  add_return(expected, pool, *server);
  return expected;
}

std::vector<Expected> expectations(const Pool& pool, base::WallTime now) {
  std::vector<Expected> all;
  for (const AnswerSet& set : pool.answer_sets) {
    for (const RRType type : {kTypeA, kTypeAaaa, kTypeSrv}) {
      if (auto one = expectation(pool, set.owner, type, now)) all.push_back(*std::move(one));
    }
  }
  for (const Server& server : pool.servers) {
    for (const RRType type : {kTypeA, kTypeAaaa}) {
      if (auto one = host_expectation(pool, server.name, type, now)) all.push_back(*std::move(one));
    }
  }
  return all;
}

}  // namespace sluice::ctl
