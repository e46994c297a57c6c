// The responder without the authority: pools of 8 servers in one zone, published once. For
// measuring what a query costs, and under callgrind.
//   bench_responder ADDRESS@PORT [WORKERS [POOLS]]     until SIGTERM or SIGINT
// Answers for pool01.contoso.example, and with POOLS for pool0001.contoso.example and so on too.
// Prints the address that it listens on (port 0: chosen), and its counters at the end.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "config/base/address.h"
#include "config/model.h"
#include "dns/answer/serving_publisher.h"
#include "dns/server/listen_sockets.h"
#include "dns/server/server.h"
#include "dns/zone/zone_builder.h"

namespace sluice::bench {
namespace {

constexpr std::uint8_t kServers = 8;

void add_pool(config::Config& config, const std::string& name, std::uint8_t number) {
  config::Pool& pool = config.pools.emplace_back();
  pool.fqdn = name + ".contoso.example";
  pool.service = "front-end";
  pool.srv.push_back({"_sip._tcp", "front-end", 5060, 10});
  for (std::uint8_t server = 1; server <= kServers; ++server) {
    config::Server& added = pool.servers.emplace_back();
    added.fqdn = "fe" + std::to_string(server) + "." + pool.fqdn;
    added.addresses = {base::IpAddress::v4({10, 99, number, server})};
    added.services = {"front-end"};
  }
}

config::Config configure(unsigned pools) {
  config::Config config;
  config.services.push_back({"front-end", "front-end", {}});
  config::Zone& zone = config.zones.emplace_back();
  zone.name = "contoso.example";
  zone.records =
      "@   300 IN SOA ns1 hostmaster 1 3600 600 86400 10\n"
      "@   300 IN NS  ns1\n"
      "ns1 300 IN A   127.0.0.1\n";
  add_pool(config, "pool01", 0);
  for (unsigned pool = 1; pool <= pools; ++pool) {
    const std::string digits = std::to_string(10'000 + pool).substr(1);
    add_pool(config, "pool" + digits, static_cast<std::uint8_t>(pool));
  }
  return config;
}

// Every server in every answer set of its pool.
std::shared_ptr<const health::MembershipSnapshot> all_in(const config::Config& config) {
  auto snapshot = std::make_shared<health::MembershipSnapshot>();
  snapshot->generation = 1;
  const std::vector<config::AnswerSet> sets = config::answer_sets(config);
  snapshot->answer_sets = base::PagedTable<health::Members>(sets.size());
  for (std::size_t set = 0; set < sets.size(); ++set) {
    auto members = std::make_shared<health::Members>();
    members->generation = 1;
    const health::ServerId first = sets[set].pool * kServers;
    for (health::ServerId server = first; server < first + kServers; ++server) {
      members->servers.push_back(server);
    }
    snapshot->answer_sets.set(set, std::move(members));
  }
  return snapshot;
}

int serve(const base::SocketAddress& address, unsigned workers, unsigned pools) {
  const config::Config config = configure(pools);
  auto zones = dns::build_zones(config, {});
  if (!zones) {
    std::fprintf(stderr, "%s\n", base::to_string(zones.error()).c_str());
    return 1;
  }
  config::Dns settings;
  settings.listen = {address};
  settings.workers = workers;
  dns::ServingPublisher publisher(*std::move(zones), {}, dns::Server::workers(settings));
  publisher.publish(all_in(config), {}, {});
  // Before the workers start, or a signal could end one of them first.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  const auto sockets = dns::open_listen_sockets(settings.listen, dns::Server::workers(settings));
  if (!sockets) {
    std::fprintf(stderr, "%s\n", base::to_string(sockets.error()).c_str());
    return 1;
  }
  auto server = dns::Server::start(settings, *sockets, publisher.cell(), [] {});
  if (!server) {
    std::fprintf(stderr, "%s\n", base::to_string(server.error()).c_str());
    return 1;
  }
  std::printf("%s\n", (*server)->listening().front().to_string().c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ends, &signal);
  (*server)->stop();
  const dns::Counters counters = (*server)->counters();
  const auto print = [](const char* what, std::uint64_t count) {
    std::printf("%-16s %llu\n", what, static_cast<unsigned long long>(count));
  };
  print("udp received", counters.udp_received);
  print("udp batches", counters.udp_batches);
  print("udp answered", counters.by(dns::Transport::Udp, dns::Rcode::NoError));
  print("udp dropped", counters.udp_dropped);
  print("udp overflow", counters.udp_overflow);
  print("tcp answered", counters.by(dns::Transport::Tcp, dns::Rcode::NoError));
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  const auto address = argc >= 2 ? sluice::base::SocketAddress::parse(argv[1]) : std::nullopt;
  if (!address || argc > 4) {
    std::fputs("usage: bench_responder ADDRESS@PORT [WORKERS [POOLS]]\n", stderr);
    return 2;
  }
  const auto number = [&](int place, unsigned otherwise) {
    return argc > place ? static_cast<unsigned>(std::strtoul(argv[place], nullptr, 10)) : otherwise;
  };
  return sluice::bench::serve(*address, number(2, 1), number(3, 0));
}
