#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/address.h"
#include "config/list_file.h"
#include "config/model.h"
#include "config/names.h"
#include "config/value.h"

// The readers of the blocks of sluice.yaml, for load.cc alone. Each reads its block into the
// configuration, says in the value's Findings what is wrong, and leaves in Known what the blocks
// that are read after it refer to. The order: dns, store, health, services, zones, pools, api.
namespace sluice::config {

struct Known {
  std::string folder;                            // relative paths are relative to it
  std::map<base::SocketAddress, int> listeners;  // the line of each; ports the kernel chooses: none
  NameTable services;  // components of consolidated services too, as "component"
  NameTable zones;
  bool all_zones = true;  // else a zone's name was not understood, and may be any
  NameTable owners;       // pools, servers, and the owner names of answer sets
  NameTable tokens;
  std::vector<base::Error> warnings;   // as Config has them
  std::deque<std::string> list_files;  // those of `list:`, to which `owners` refers

  // Takes a listener's address, or says that somebody has it already.
  void listen(const Value& at, const base::SocketAddress& address);
  // Whether a configured zone contains the name.
  bool in_zone(std::string_view name) const;
};

void read_dns(const Value& value, Known& known, Dns& out);
void read_api(const Value& value, Known& known, Api& out);
// api.tls, with its files; what is wrong leaves `out` empty.
void read_tls(const Value& value, Known& known, std::optional<ApiTls>& out);
void read_store(const Value& value, Known& known, Store& out);
// store.etcd, with its files.
void read_etcd(const Value& value, Known& known, std::optional<Etcd>& out);
void read_memory_limit(const Value& value, std::uint64_t& out);
void read_health(const Value& value, Health& out);
void read_services(const Value& value, Known& known, std::vector<Service>& out);
void read_zones(const Value& value, Known& known, std::vector<Zone>& out);
void read_pools(const Value& value, Known& known, std::vector<Pool>& out);

// The pieces of a pool.

// Where a pool names a service, beside its own `service`: of an entry of `srv` or `features`.
struct Mention {
  std::string service;
  int line = 0;
  std::string_view list;  // "srv", "features"
  std::size_t index = 0;
  int floor_line = 0;  // of its own min_accepting; 0: it has none
};
// Both take the names of the answer sets of `pool` and append to `mentions`.
void read_srv(const Value& list, Known& known, Pool& pool, std::vector<Mention>& mentions);
void read_features(const Value& list, Known& known, Pool& pool, std::vector<Mention>& mentions);

// What the pool names, in the order of first mention: what its servers may run, and run by default.
struct PoolServices {
  base::SharedList<std::string> names;
  bool complete = true;  // else one was not understood, and may be any
};
// `startup:` of a server that runs `out.services`.
void read_startup(const Value& value, const PoolServices& of_pool, Server& out);
void read_servers(const Value& list, Known& known, const PoolServices& services, Pool& pool);

// `min_accepting:` as it stands; how many servers there are is not looked at.
MinAccepting read_min_accepting(const Value& value);
// What is wrong with a floor that not even all servers that run the service would meet: "must be at
// most ...". Empty: nothing. Percentages can be met, and tables, whose numbers are at most their
// sizes.
std::string unmet(const MinAccepting& floor, const Pool& pool, const std::string& service);

// The file of a `list:` (config/list_file.h), in any order of records: its pools with their
// servers, each with its addresses and nothing else yet. Takes the names of both. The mistakes are
// told with the file's lines.
class ServerList {
 public:
  // The pools are put behind those that `out` has.
  ServerList(const Value& list, Known& known, std::vector<Pool>& out)
      : list_(list), known_(known), out_(out), first_pool_(out.size()) {}

  void read(std::chrono::seconds ttl);
  std::span<Pool> pools() const noexcept { return std::span(out_).subspan(first_pool_); }

  // What is only known once all of it is read: no pool has less servers than it or a feature of it
  // must keep, or a server at an address of the last resort. `common`: what the pools share.
  void check(const Pool& common);

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  // What a name of the list stands for.
  struct Place {
    std::uint32_t pool = kNone;    // in out_; none: something is wrong with it, which was told
    std::uint32_t server = kNone;  // none: the pool itself
  };

  void mistake(int line, std::string message);
  void add(const ListRecord& record);
  std::optional<Place> place_server(std::string_view fqdn, int line);
  std::optional<std::uint32_t> place_pool(std::string_view fqdn, int line);
  // Null: not a name of this list.
  const Place* known_place(std::string_view name) const;
  void check_addresses(const Pool& pool);
  void check_floors(const Pool& pool, const Pool& common);
  // The lines of the records with this address among the pool's servers, by a second reading.
  std::vector<int> lines_of(const Pool& pool, const base::IpAddress& address) const;

  const Value& list_;
  Known& known_;
  const std::string* file_ = nullptr;  // owned by `known_`
  std::string text_;
  std::chrono::seconds ttl_{0};
  std::vector<Pool>& out_;
  std::size_t first_pool_;
  std::uint32_t first_name_ = 0;  // the number of the list's first name in known_.owners
  std::vector<Place> places_;     // by the number behind that
  std::optional<Place> last_;     // of the record before, if it was understood
  std::size_t mistakes_ = 0;
};

// A reference to a service of `services:`.
std::optional<std::string> read_service(const Value& value, Known& known);

// A list of addresses that can be in an answer: at least one; none twice, neither here nor in
// `used`, to which they are added with their lines. `wanted` says what an empty list lacks.
std::vector<base::IpAddress> read_addresses(const Value& value,
                                            std::map<base::IpAddress, int>& used,
                                            std::string_view wanted);

}  // namespace sluice::config
