#include "tools/sluiced/listening.h"

#include <utility>

#include "dns/server/server.h"

namespace sluice {

base::Checked<Listening> open_listening(const config::Config& config, Listening inherited) {
  auto dns = dns::open_listen_sockets(config.dns.listen, dns::Server::workers(config.dns),
                                      std::move(inherited.dns));
  if (!dns) return base::Unexpected{std::move(dns).error()};
  auto api = health::open_listen_sockets(config.api, std::move(inherited.api));
  if (!api) return base::Unexpected{std::move(api).error()};
  return Listening{*std::move(dns), *std::move(api)};
}

}  // namespace sluice
