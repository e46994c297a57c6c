#include "tools/sluicectl/verify/directory.h"

#include <algorithm>
#include <functional>
#include <utility>

#include <netdb.h>

namespace sluice::ctl {
namespace {

bool is_in(std::string_view name, std::string_view zone) {
  return name == zone || zone == "." ||
         (name.size() > zone.size() && name.ends_with(zone) &&
          name[name.size() - zone.size() - 1] == '.');
}

// The host of "http://host:port" or "http://[v6]:port".
std::string host_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  std::string_view rest = scheme == std::string_view::npos ? url : url.substr(scheme + 3);
  rest = rest.substr(0, rest.find('/'));
  if (rest.starts_with('[')) return std::string(rest.substr(1, rest.find(']') - 1));
  return std::string(rest.substr(0, rest.rfind(':')));
}

// An address of the family that listens; loopback where the host has none.
base::IpAddress address_of(const std::string& host, bool v4) {
  const auto loopback = *base::IpAddress::parse(v4 ? "127.0.0.1" : "::1");
  addrinfo hints{};
  hints.ai_family = v4 ? AF_INET : AF_INET6;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (host.empty() || getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return loopback;
  const auto address = base::SocketAddress::from(found->ai_addr);
  freeaddrinfo(found);
  return address ? address->address : loopback;
}

// Nothing: it says no address of its own.
std::optional<base::SocketAddress> from_here(const base::SocketAddress& listen,
                                             const ClusterResponder& responder) {
  if (!listen.address.is_unspecified()) return listen;
  for (const std::string& text : responder.api) {
    const auto api = base::SocketAddress::parse(text);
    if (!api || api->address.is_unspecified() || api->address.is_v4() != listen.address.is_v4()) {
      continue;
    }
    return base::SocketAddress{api->address, listen.port};
  }
  return {};
}

// Its loopback is ours only where we are on its host, as in a rehearsal: it is left out where there
// is another way.
std::vector<base::SocketAddress> where_others_are(const ClusterResponder& responder) {
  std::vector<base::SocketAddress> all;
  for (const std::string& text : responder.dns) {
    const auto listen = base::SocketAddress::parse(text);
    const auto where = listen ? from_here(*listen, responder) : std::nullopt;
    if (where) all.push_back(*where);
  }
  const auto far = [](const base::SocketAddress& each) { return !each.address.is_loopback(); };
  if (std::ranges::any_of(all, far)) std::erase_if(all, std::not_fn(far));
  return all;
}

std::vector<base::IpAddress> addresses_of(const std::string& name,
                                          const std::vector<Record>& records) {
  std::vector<base::IpAddress> found;
  for (const Record& record : records) {
    if (record.address && record.owner == name) found.push_back(*record.address);
  }
  return found;
}

}  // namespace

std::optional<std::string> zone_of(std::string_view name,
                                   const std::vector<Responder>& responders) {
  std::optional<std::string> longest;
  for (const Responder& responder : responders) {
    for (const std::string& zone : responder.zones) {
      if (is_in(name, zone) && (!longest || zone.size() > longest->size())) longest = zone;
    }
  }
  return longest;
}

base::SocketAddress reachable(const base::SocketAddress& listen,
                              const std::vector<Endpoint>& endpoints) {
  if (!listen.address.is_unspecified()) return listen;
  const auto url = std::ranges::find(endpoints, Endpoint::Kind::Url, &Endpoint::kind);
  const bool remote = endpoints.size() == 1 && url != endpoints.end();
  return {address_of(remote ? host_of(url->where) : "", listen.address.is_v4()), listen.port};
}

std::vector<Target> responder_targets(const std::vector<Responder>& responders,
                                      const std::vector<Endpoint>& endpoints) {
  std::vector<Target> targets;
  for (const Responder& responder : responders) {
    for (const base::SocketAddress& listen : responder.listen) {
      add_target(targets,
                 {reachable(listen, endpoints), Source::Responder, "responder " + responder.name});
    }
  }
  return targets;
}

ClusterTargets cluster_targets(const Cluster& cluster) {
  ClusterTargets found;
  for (const ClusterResponder& responder : cluster.responders) {
    if (responder.self) continue;
    const std::string who = "responder " + responder.name;
    if (!responder.alive) {
      found.notes.push_back(who + " is not asked: it is lost");
      continue;
    }
    const auto where = where_others_are(responder);
    for (const base::SocketAddress& each : where) {
      add_target(found.targets, {each, Source::Responder, who});
    }
    if (where.empty()) {
      found.notes.push_back(who +
                            " is not asked: it says no address by which it is reached; "
                            "--server asks one as a resolver");
    }
  }
  return found;
}

void add_target(std::vector<Target>& targets, Target target) {
  const auto same = std::ranges::find(targets, target.address, &Target::address);
  if (same == targets.end()) {
    targets.push_back(std::move(target));
  } else if (same->who != target.who) {
    same->who += ", " + target.who;
  }
}

ZoneFacts ask_zone(const std::string& zone, const base::SocketAddress& responder,
                   const base::Clock& clock) {
  ZoneFacts facts;
  // Over TCP: there may be more name servers than a datagram has room for.
  const std::vector<Lookup> about{{responder, {zone, kTypeNs}, Transport::Tcp},
                                  {responder, {zone, kTypeSoa}, Transport::Tcp}};
  const auto said = look_up(about, clock);
  if (said[1].kind == Reply::Kind::Answered) {
    if (const auto ttl = said[1].message.negative_ttl()) {
      facts.negative = std::chrono::seconds(*ttl);
    }
  }
  if (said[0].kind != Reply::Kind::Answered) {
    facts.notes.push_back("the name servers of " + zone +
                          " are not known: " + responder.to_string() + ": " + said[0].text);
    return facts;
  }
  std::vector<std::string> names;
  std::vector<Lookup> hosts;
  for (const Record& record : said[0].message.answer) {
    if (record.type != kTypeNs) continue;
    names.push_back(record.target);
    for (const RRType type : {kTypeA, kTypeAaaa}) {
      hosts.push_back({responder, {record.target, type}, Transport::Tcp});
    }
  }
  const auto replies = look_up(hosts, clock);
  for (std::size_t at = 0; at < names.size(); ++at) {
    bool any = false;
    for (const std::size_t of : {2 * at, 2 * at + 1}) {
      for (const base::IpAddress& address : addresses_of(names[at], replies[of].message.answer)) {
        add_target(facts.name_servers,
                   {{address, base::kDnsPort}, Source::NameServer, "NS " + names[at]});
        any = true;
      }
    }
    if (!any) {
      facts.notes.push_back("NS " + names[at] +
                            " is not asked: the authority serves no address of it");
    }
  }
  return facts;
}

}  // namespace sluice::ctl
