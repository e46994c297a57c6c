// The blocks about the daemon itself: dns, store, health.

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include <unistd.h>

#include "config/base/duration.h"
#include "config/blocks.h"
#include "config/files.h"
#include "config/hex.h"
#include "config/mapping.h"

namespace sluice::config {
namespace {

using namespace std::chrono_literals;

std::string host_name() {
  std::array<char, 256> name{};  // HOST_NAME_MAX is 64, POSIX allows 255
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

// It goes into a TXT string (RFC 1035 section 3.3: 255 octets) and into log lines.
void read_identity(const Value& value, std::string& out) {
  const auto text = value.text();
  if (!text) return;
  const bool visible =
      std::all_of(text->begin(), text->end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!visible || text->size() > 255) {
    return value.reject("must be 1 to 255 visible ASCII characters, is " + value.shown());
  }
  out = *text;
}

// It goes into a TXT string.
void read_version(const Value& value, std::string& out) {
  const auto text = value.text();
  if (!text) return;
  const bool printable_ascii =
      std::all_of(text->begin(), text->end(), [](char c) { return c >= ' ' && c < 0x7f; });
  if (!printable_ascii || text->size() > 255) {
    return value.reject("must be hidden or 1 to 255 printable ASCII characters, is " +
                        value.shown());
  }
  out = value.is("hidden") ? "" : std::string(*text);
}

void read_secret(const Value& value, std::map<Cookies::Secret, int>& used,
                 std::vector<Cookies::Secret>& out) {
  const auto text = value.text();
  if (!text) return;
  const auto secret = parse_hex<std::tuple_size_v<Cookies::Secret>>(*text);
  // Not shown: all but one digit of it may be right.
  if (!secret) return value.reject("must be 32 hex digits, 128 bits; `openssl rand -hex 16`");
  const auto [place, fresh] = used.emplace(*secret, value.line());
  if (!fresh)
    return value.reject("is the secret of line " + std::to_string(place->second) + " too");
  out.push_back(*secret);
}

void read_cookies(const Value& value, Cookies& out) {
  Mapping block(value);
  block.read("enabled", out.enabled);
  block.read("required", out.required);
  const auto secrets = block.find("secrets");
  if (!secrets) return;
  std::map<Cookies::Secret, int> used;
  std::size_t count = 0;
  secrets->each([&](const Value& item) {
    // The next one, the present one and the last one are a rotation (RFC 9018 section 5).
    if (++count == Cookies::kMostSecrets + 1) item.reject("is one too many: at most 4 verify");
    if (count <= Cookies::kMostSecrets) read_secret(item, used, out.secrets);
  });
}

void read_rate_limit(const Value& value, RateLimit& out) {
  constexpr unsigned kDefaultBurst = 5;  // seconds' worth: an office that comes back from a pause
  Mapping block(value);
  if (const auto rate =
          block.require("responses_per_second", "answers about one name, 1..100000")) {
    if (const auto number = rate->number(1, 100'000)) {
      out.responses_per_second = static_cast<unsigned>(*number);
    }
  }
  out.burst = kDefaultBurst * out.responses_per_second;
  block.read("burst", out.burst, 1, 1'000'000);
  block.read("slip", out.slip, 0, 10);
  block.read("ipv4_prefix", out.ipv4_prefix, 8, 32);
  block.read("ipv6_prefix", out.ipv6_prefix, 16, 128);
  // From what a test needs to 64 MiB for each worker.
  block.read("accounts", out.accounts, 64, 4'194'304);
  const auto exempt = block.find("exempt");
  if (!exempt) return;
  constexpr std::size_t kMostExempt = 64;  // each limited answer looks at all of them
  exempt->each([&](const Value& item) {
    const auto prefix = item.prefix();
    if (!prefix) return;
    if (out.exempt.size() == kMostExempt) return item.reject("is one too many: at most 64");
    out.exempt.push_back(*prefix);
  });
}

void read_tcp(const Value& value, Tcp& out) {
  Mapping block(value);
  block.read("idle", out.idle, 100ms, 1h);
  block.read("message", out.message, 100ms, 1h);
  const auto connections = block.find("connections");
  if (!connections || connections->is("auto")) return;
  if (const auto number = connections->number(1, 1'000'000, "auto or ")) {
    out.connections = static_cast<unsigned>(*number);
  }
}

void read_workers(const Value& value, unsigned& out) {
  if (value.is("auto")) {
    out = 0;
    return;
  }
  // More threads than any machine that serves DNS has CPUs, few enough to never hurt.
  if (const auto number = value.number(1, 64, "auto or ")) out = static_cast<unsigned>(*number);
}

}  // namespace

void Known::listen(const Value& at, const base::SocketAddress& address) {
  if (address.port == 0) return;  // the kernel chooses another each time
  const auto [place, fresh] = listeners.try_emplace(address, at.line());
  if (fresh) return;
  at.reject(address.to_string() + " is listened on already, line " + std::to_string(place->second));
}

void read_dns(const Value& value, Known& known, Dns& out) {
  Mapping block(value);
  out.identity = host_name();
  if (const auto identity = block.find("identity")) read_identity(*identity, out.identity);
  block.read("hide_identity", out.hide_identity);
  block.read("explain_stale", out.explain_stale);
  if (const auto version = block.find("version")) read_version(*version, out.version);
  if (const auto cookies = block.find("cookies")) read_cookies(*cookies, out.cookies);
  if (const auto limit = block.find("rate_limit")) read_rate_limit(*limit, out.rate_limit);
  if (const auto tcp = block.find("tcp")) read_tcp(*tcp, out.tcp);
  // No default: port 53 of the wrong address is a service taken away from somebody else.
  if (const auto list = block.require("listen", R"(addresses to answer on, ["192.0.2.1@53"])")) {
    const std::size_t before = list->findings().size();
    list->each([&](const Value& item) {
      const auto address = item.socket_address();
      if (!address) return;
      known.listen(item, *address);
      out.listen.push_back(*address);
    });
    if (out.listen.empty() && list->findings().size() == before) {
      list->reject("must have at least one ADDRESS@PORT to answer on");
    }
  }
  if (const auto workers = block.find("workers")) read_workers(*workers, out.workers);
  block.read("max_udp_payload", out.max_udp_payload, 512, 4096);
}

void read_store(const Value& value, Known& known, Store& out) {
  Mapping block(value);
  if (const auto directory = block.find("directory")) {
    if (const auto path = read_path(*directory, known.folder)) out.directory = *path;
  }
  if (const auto audit = block.find("audit")) {
    Mapping limits(*audit);
    limits.read("keep", out.audit_keep, 1h, 24h * 3650);
    limits.read("entries", out.audit_entries, 1'000, 10'000'000);
  }
  if (const auto etcd = block.find("etcd")) read_etcd(*etcd, known, out.etcd);
}

void read_memory_limit(const Value& value, std::uint64_t& out) {
  if (value.is("auto")) {
    out = 0;
    return;
  }
  // Less than what an empty daemon takes could only ever shed; more than any machine has means
  // none.
  constexpr std::uint64_t kLeast = 16ULL << 20;
  constexpr std::uint64_t kMost = 1ULL << 40;
  if (const auto octets = value.size(kLeast, kMost, "auto or ")) out = *octets;
}

void read_health(const Value& value, Health& out) {
  Mapping block(value);
  block.read("heartbeat", out.heartbeat, 100ms, 1min);
  const auto lease = block.find("lease");
  if (lease) {
    if (const auto duration = lease->duration(300ms, 10min)) out.lease = *duration;
  }
  if (const auto share = block.find("mass_loss")) {
    if (const auto percent = share->percentage(1, 100)) out.mass_loss = *percent;
  }
  block.read("mass_loss_hold", out.mass_loss_hold, 0s, 24h);
  block.read("resolver_min_ttl", out.resolver_min_ttl, 0s, 24h);
  block.read("horizon_margin", out.horizon_margin, 0s, 1h);
  block.refuse("confirm_timeout");
  // One lost heartbeat must not end a lease.
  if (out.lease >= 2 * out.heartbeat) return;
  const std::string least = base::to_text(2 * out.heartbeat);
  if (lease) {
    lease->reject("must be at least two heartbeats, " + least + ", is " + base::to_text(out.lease));
  } else {
    block.value().reject("lease must be at least two heartbeats, " + least + ", and is " +
                         base::to_text(out.lease) + " by default: give one");
  }
}

}  // namespace sluice::config
