#include "tools/sluicectl/roll/plan.h"

#include <algorithm>
#include <map>
#include <utility>

#include "tools/sluicectl/render/words.h"

namespace sluice::ctl::rolling {

std::vector<Group> groups_of(const Pool& pool, const Settings& settings) {
  // Those in no domain come last.
  std::map<std::pair<bool, std::string>, std::vector<std::string>> by_domain;
  for (const Server& server : pool.servers) {
    by_domain[{server.domain.empty(), server.domain}].push_back(server.name);
  }
  std::vector<Group> groups;
  for (auto& [key, servers] : by_domain) {
    std::sort(servers.begin(), servers.end());
    // Who is in no domain shares none with anybody: these go one at a time all the same.
    const bool whole = settings.domains && !key.second.empty();
    const std::size_t most = settings.at_once.value_or(whole ? servers.size() : 1);
    groups.push_back({.domain = key.second, .servers = std::move(servers), .at_once = most});
  }
  return groups;
}

Room room_for(const Pool& pool, const std::vector<std::string>& servers) {
  Room room{.servers = servers.size(), .floor = nullptr};
  for (const AnswerSet& set : pool.answer_sets) {
    if (!set.accepting || !set.min_accepting) continue;
    const auto named = static_cast<std::size_t>(
        std::count_if(servers.begin(), servers.end(), [&](const std::string& server) {
          return std::find(set.members.begin(), set.members.end(), server) != set.members.end();
        }));
    const std::size_t spare =
        *set.accepting > *set.min_accepting ? *set.accepting - *set.min_accepting : 0;
    if (named <= spare || spare >= room.servers) continue;
    room = {.servers = spare, .floor = &set};
  }
  return room;
}

std::optional<std::string> unready(const Server& server, base::WallTime now) {
  for (const Service& service : server.services) {
    if (!service.holds.empty()) return "held: " + hold_words(service.holds.front(), now);
  }
  for (const Service& service : server.services) {
    const bool up = service.status == "accepting" && service.forced != "down";
    if (!up) return service.name + " is " + status_words(service, server);
  }
  return {};
}

bool accepts(const Server& server) {
  return !server.services.empty() &&
         std::all_of(server.services.begin(), server.services.end(), [](const Service& service) {
           return service.status == "accepting" && service.forced != "down";
         });
}

const Server* find(const Pool& pool, const std::string& server) {
  const auto found = std::find_if(pool.servers.begin(), pool.servers.end(),
                                  [&](const Server& each) { return each.name == server; });
  return found == pool.servers.end() ? nullptr : &*found;
}

}  // namespace sluice::ctl::rolling
