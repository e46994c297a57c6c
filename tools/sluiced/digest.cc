#include "tools/sluiced/digest.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

#include <openssl/evp.h>

namespace sluice {
namespace {

// Feeds values into SHA-256 so that no two sequences of them look alike: each with its length.
class Hash {
 public:
  Hash() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }

  Hash& text(std::string_view octets) {
    number(octets.size());
    EVP_DigestUpdate(context_.get(), octets.data(), octets.size());
    return *this;
  }
  Hash& number(std::uint64_t value) {
    EVP_DigestUpdate(context_.get(), &value, sizeof value);
    return *this;
  }
  template <class Rep, class Period>
  Hash& duration(std::chrono::duration<Rep, Period> value) {
    return number(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(value).count()));
  }
  std::string hex() {
    constexpr std::string_view kDigits = "0123456789abcdef";
    constexpr std::size_t kOctets = 8;  // told apart are the configurations of one site
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
    std::string text;
    for (std::size_t i = 0; i < kOctets; ++i) {
      text.push_back(kDigits[digest[i] >> 4]);
      text.push_back(kDigits[digest[i] & 0xf]);
    }
    return text;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

void add(Hash& hash, const config::MinAccepting& floor) {
  hash.number(static_cast<std::uint64_t>(floor.kind)).number(floor.number);
  hash.number(floor.by_size.size());
  for (const auto& [servers, accepting] : floor.by_size) hash.number(servers).number(accepting);
}

void add(Hash& hash, const config::Server& server) {
  hash.text(server.fqdn).text(server.domain).number(server.weight);
  hash.number(server.addresses.size());
  for (const base::IpAddress& address : server.addresses) hash.text(address.to_string());
  hash.number(server.services.size());
  for (const std::string& service : server.services) hash.text(service);
  hash.number(server.startup.size());
  for (const auto& [service, startup] : server.startup) {
    hash.text(service).number(static_cast<std::uint64_t>(startup));
  }
}

void add(Hash& hash, const config::Pool& pool) {
  hash.text(pool.fqdn).text(pool.service).duration(pool.ttl);
  add(hash, pool.min_accepting);
  hash.number(static_cast<std::uint64_t>(pool.when_all_held)).number(pool.last_resort.size());
  for (const base::IpAddress& address : pool.last_resort) hash.text(address.to_string());
  hash.number(pool.dns_load_balancing ? 1 : 0).number(static_cast<std::uint64_t>(pool.order));
  hash.number(pool.answer_size).duration(pool.slow_start).number(pool.servers.size());
  for (const config::Server& server : pool.servers) add(hash, server);
  hash.number(pool.srv.size());
  for (const config::Srv& srv : pool.srv) {
    hash.text(srv.name).text(srv.service).number(srv.port).number(srv.priority);
  }
  hash.number(pool.features.size());
  for (const config::Feature& feature : pool.features) {
    hash.text(feature.name).text(feature.service).number(feature.min_accepting ? 1 : 0);
    if (feature.min_accepting) add(hash, *feature.min_accepting);
  }
}

}  // namespace

std::string digest_of(const config::Config& config) {
  Hash hash;
  const config::Health& health = config.health;
  hash.duration(health.heartbeat).duration(health.lease).number(health.mass_loss);
  hash.duration(health.mass_loss_hold).duration(health.resolver_min_ttl);
  hash.duration(health.horizon_margin).number(config.services.size());
  for (const config::Service& service : config.services) {
    hash.text(service.name).text(service.title).number(service.consolidates.size());
    for (const std::string& component : service.consolidates) hash.text(component);
  }
  hash.number(config.zones.size());
  for (const config::Zone& zone : config.zones) hash.text(zone.name).text(zone.records);
  hash.number(config.pools.size());
  for (const config::Pool& pool : config.pools) add(hash, pool);
  return hash.hex();
}

}  // namespace sluice
