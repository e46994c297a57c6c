#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <sys/stat.h>

#include "config/base/address.h"
#include "config/base/certificate.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/shared_list.h"
#include "config/base/tls_context.h"

// What the operator wrote in sluice.yaml, checked: plain structs, every default. Names (FQDNs,
// services) are in lower case without a final dot. Paths are absolute: the loader resolved relative
// ones against the file's folder.
namespace sluice::config {

using base::Duration;

// DNS Cookies (RFC 7873, RFC 9018).
struct Cookies {
  using Secret = std::array<std::uint8_t, 16>;
  static constexpr std::size_t kMostSecrets = 4;

  bool enabled = true;
  // The first makes server cookies, all verify; responders of one service share them. None: a
  // random one for each start.
  std::vector<Secret> secrets;
  // Over UDP, who sends a COOKIE option without a good server cookie gets BADCOOKIE and no answer.
  bool required = false;

  friend bool operator==(const Cookies&, const Cookies&) = default;
};

// Response rate limiting (dns/answer/limit.h), for each worker by itself.
struct RateLimit {
  unsigned responses_per_second = 0;  // of one kind, about one name, to one block; 0: off
  unsigned burst = 0;                 // as many at once; default: those of five seconds
  unsigned slip = 2;                  // each so many of the limited answers is sent, empty; 0: none
  std::uint8_t ipv4_prefix = 24;      // bits of the address that are a block, 8..32
  std::uint8_t ipv6_prefix = 56;      // 16..128
  unsigned accounts = 65'536;         // that are remembered, 16 octets each
  std::vector<base::Prefix> exempt{};  // blocks that are never limited

  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

// TCP clients (RFC 7766); dns/server/tcp_clients.h has the reasons.
struct Tcp {
  Duration idle = std::chrono::seconds(10);    // without a query, 100ms..1h; clients are told
  Duration message = std::chrono::seconds(5);  // from a message's first octet to its last, likewise
  unsigned connections = 0;  // of all workers, 1..1000000; 0 (`auto`): by the limit of open files

  friend bool operator==(const Tcp&, const Tcp&) = default;
};

struct Dns {
  // NSID, CH TXT id.server, confirmed_by; 1..255 octets; default: the host name
  std::string identity;
  bool hide_identity = false;  // not in NSID, nor in class CH
  // A responder that is cut off from the others says so in its answers (EDE 3, RFC 8914).
  bool explain_stale = false;
  // CH TXT version.bind and version.server, at most 255 octets; empty (`hidden`): REFUSED
  std::string version = "Sluice " SLUICE_VERSION;
  Cookies cookies;
  RateLimit rate_limit;
  Tcp tcp;
  std::vector<base::SocketAddress> listen;  // at least one; UDP and TCP; port 0: the kernel chooses
  unsigned workers = 0;                     // threads, 0..64; 0 (`auto`) = one for each CPU
  std::uint16_t max_udp_payload = 1232;     // octets, 512..4096 (RFC 6891 section 6.2.5)

  friend bool operator==(const Dns&, const Dns&) = default;
};

// A listening unix socket; its file permissions decide who may talk.
struct UnixSocket {
  std::string path;   // empty: none
  std::string group;  // empty: the process's
  mode_t mode = 0660;

  friend bool operator==(const UnixSocket&, const UnixSocket&) = default;
};

enum class Role : std::uint8_t { Reader, Operator, Agent };

// Who may ask over TCP: whoever has the token, or the certificate.
struct Token {
  std::string name;
  Role role = Role::Reader;
  std::string server;                     // FQDN; agents only
  std::array<std::uint8_t, 32> sha256{};  // of the token's octets; zeroes: none
  // A subject alternative name of a certificate that api.tls.client_ca signed.
  std::optional<base::SubjectName> certificate = {};
  std::vector<std::string> pools{};  // FQDNs, on whose servers an operator acts; empty: all

  friend bool operator==(const Token&, const Token&) = default;
};

// TLS of `listen`; never of the unix socket.
struct ApiTls {
  base::TlsFiles files;
  base::ClientCertificates clients = base::ClientCertificates::Required;  // with a client_ca
  // What the files said when they were read; never null once it is loaded.
  std::shared_ptr<const base::TlsContext> context;

  // Of what is written; what the files say is another matter.
  friend bool operator==(const ApiTls& a, const ApiTls& b) {
    return a.files == b.files && a.clients == b.clients;
  }
};

struct Api {
  std::vector<base::SocketAddress> listen;  // HTTP; loopback alone unless there is TLS
  std::optional<ApiTls> tls;
  UnixSocket socket;
  std::vector<Token> tokens;
  std::optional<unsigned> connections_per_address;  // 1..1000000; none: most of all

  friend bool operator==(const Api&, const Api&) = default;
};

// The engine that several responders share, by its JSON gateway.
struct Etcd {
  std::vector<std::string> endpoints;  // "http://127.0.0.1:2379", at least one
  std::string prefix = "/sluice";      // of all keys; no slash at its end
  // Of https; paths of PEM files, empty: none. Certificate and key come together.
  std::string ca;
  std::string certificate;
  std::string key;
  // etcd's own users: both or none.
  std::string user;
  std::string password;
  // How long a drain waits for other responders.
  Duration confirm_timeout = std::chrono::seconds(2);  // 100ms..1m

  friend bool operator==(const Etcd&, const Etcd&) = default;
};

struct Store {
  std::string directory = "/var/lib/sluice";
  // The audit (who held, forced, planned, reloaded) keeps an entry for so long, and so many of them
  // at most: the oldest go first. What the disk must have room for is known that way.
  Duration audit_keep = std::chrono::hours(24 * 90);  // 1h..3650d
  unsigned audit_entries = 1'000'000;                 // 1000..10000000, some 200 octets each
  std::optional<Etcd> etcd;                           // nothing: this responder is alone

  friend bool operator==(const Store&, const Store&) = default;
};

struct Health {
  Duration heartbeat = std::chrono::seconds(2);         // 100ms..1m
  Duration lease = std::chrono::seconds(6);             // 300ms..10m, at least 2 heartbeats
  unsigned mass_loss = 50;                              // percent, 1..100
  Duration mass_loss_hold = std::chrono::minutes(10);   // 0s..1d
  Duration resolver_min_ttl = std::chrono::seconds(0);  // 0s..1d
  Duration horizon_margin = std::chrono::seconds(2);    // 0s..1h

  friend bool operator==(const Health&, const Health&) = default;
};

struct Service {
  std::string name;
  std::string title;                      // default: the name
  std::vector<std::string> consolidates;  // components: names that can't be drained alone

  friend bool operator==(const Service&, const Service&) = default;
};

// Static records of one zone, as master-file text (RFC 1035 section 5).
struct Zone {
  std::string name;
  std::string records;    // the text, from `records:` or read from `file:`
  base::Location origin;  // where the text's first line stands, for messages

  friend bool operator==(const Zone&, const Zone&) = default;
};

enum class Startup : std::uint8_t { Automatic, Manual };

struct Server {
  std::string fqdn;
  std::string domain;  // what fails together (a rack, a site): one label; empty: none
  std::vector<base::IpAddress> addresses;  // at least one, no duplicates
  std::uint8_t weight = 100;               // SRV weight = weight x 256
  base::SharedList<std::string> services;  // never empty: default all that the pool names
  std::map<std::string, Startup, std::less<>> startup;  // by service; others: automatic

  friend bool operator==(const Server&, const Server&) = default;
};

struct Srv {
  std::string name;  // relative to the pool: "_sip._tcp"
  std::string service;
  std::uint16_t port = 0;
  std::uint16_t priority = 0;

  friend bool operator==(const Srv&, const Srv&) = default;
};

// How many accepting members a drain must leave an answer set (semantics.md section 3, rule 1), by
// the number of servers that could be in it: those that run the service that it follows.
struct MinAccepting {
  enum class Kind : std::uint8_t { Number, Percentage, Table };

  MinAccepting(unsigned servers = 1) : number(servers) {}  // as most people write it

  // Never more than `servers` as a percentage; as a number or by a table it may be.
  unsigned of(std::size_t servers) const noexcept;

  Kind kind = Kind::Number;
  unsigned number = 1;                   // of servers, 0..65535; or percent, 0..100
  std::map<unsigned, unsigned> by_size;  // Table: from this number of servers on; below: 1

  friend bool operator==(const MinAccepting&, const MinAccepting&) = default;
};

struct Feature {
  std::string name;  // relative to the pool: "attendant"
  std::string service;
  std::optional<MinAccepting> min_accepting = {};  // of its own; absent: the pool's

  friend bool operator==(const Feature&, const Feature&) = default;
};

// What answers when every member of an answer set is held or forced down.
enum class WhenAllHeld : std::uint8_t { NoData, ServeHeld, Addresses };

// The order of the servers in an answer (dns/answer/selection.h).
enum class Order : std::uint8_t {
  Rotate,    // the configuration's, beginning with another one each time
  Random,    // any order, each as likely as the others
  Weighted,  // random; the chance to be first follows the weight
  Fixed,     // the configuration's
};

struct Pool {
  std::string fqdn;
  std::string service;
  std::chrono::seconds ttl{30};  // 0s..7d (RFC 2181 section 8 allows more; nobody drains for weeks)
  MinAccepting min_accepting;
  WhenAllHeld when_all_held = WhenAllHeld::NoData;
  std::vector<base::IpAddress> last_resort;  // of WhenAllHeld::Addresses
  bool dns_load_balancing = true;
  Order order = Order::Rotate;
  unsigned answer_size = 0;  // servers an answer, 1..65535, chosen by weight; 0 (`all`) = all
  // 0s..1h: for so long the weight of a server that comes back grows from a tenth; 0s: at once.
  Duration slow_start = std::chrono::seconds(0);
  std::vector<Server> servers;
  std::vector<Srv> srv;
  std::vector<Feature> features;

  friend bool operator==(const Pool&, const Pool&) = default;
};

struct Config {
  std::string file;  // as it was named to the loader
  std::string user;  // whom to become when started as root; empty: nobody
  // Octets of resident memory that the process may have before it sheds its least important
  // clients, 16MiB..1024GiB; 0 (`auto`): what its cgroup is limited to, if it is
  std::uint64_t memory_limit = 0;
  Dns dns;
  Api api;
  Store store;
  Health health;
  std::vector<Service> services;
  std::vector<Zone> zones;
  std::vector<Pool> pools;
  // What is right, and yet may not be meant or not work for long; in line order.
  std::vector<base::Error> warnings;

  friend bool operator==(const Config&, const Config&) = default;
};

// An answer set of a configuration: an owner name and the service that it follows (semantics.md
// section 1). The one numbering of answer sets: health decides about number i, dns answers for
// number i. It is the order of answer_sets(): pool by pool, each its FQDN, its srv, its features.
struct AnswerSet {
  std::string owner;
  std::string service;
  std::uint32_t pool = 0;    // index in Config::pools
  const Srv* srv = nullptr;  // null: an address set (A and AAAA)
};

// The pointers live as long as `config`.
std::vector<AnswerSet> answer_sets(const Config& config);

// The numbering of servers: pool by pool, in the order of the file.
struct ServerAt {
  std::uint32_t pool = 0;
  const Server* server = nullptr;
};
std::vector<ServerAt> servers(const Config& config);

// The zone with the longest name that contains `name`, or null.
const Zone* zone_of(const Config& config, std::string_view name);

}  // namespace sluice::config
