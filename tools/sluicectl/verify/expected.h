#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/clock.h"
#include "tools/sluicectl/api/answers.h"
#include "tools/sluicectl/lookup/message.h"

// What an answer may say, by the authority's state at one moment. Pure.
namespace sluice::ctl {

// A server of the pool in one RRset, or the host record of one.
struct Candidate {
  std::string server;                   // its name within the pool
  std::string name;                     // FQDN
  std::string state;                    // for people: "draining", or why it never is in this answer
  bool member = false;                  // answers name it now
  std::vector<std::string> data;        // what names it: its addresses of the type, or its FQDN
  bool cached = false;                  // not a member, but caches may still name it
  std::optional<base::WallTime> until;  // by then none does; absent: it is leaving just now
};

struct Expected {
  Question question;
  std::string service;                // empty: a host record follows none
  std::vector<Candidate> candidates;  // all servers of the pool; of a host record its own
  std::vector<Candidate> hosts;       // of SRV: their host records, as additional sections may be
  std::vector<std::string> last_resort;  // what names the pool's last resort
  bool by_last_resort = false;           // and it is what answers now
  std::size_t answer_size = 0;           // servers an answer shows; 0: all members
  std::optional<std::uint64_t> ttl;      // of an authoritative answer, at most
  // How long caches keep an answer at most, and by when all have one that began with the members of
  // now; absent: an authority that does not say.
  std::optional<base::Duration> kept;
  std::optional<base::WallTime> since;
  std::optional<base::WallTime> settled;
  // How long resolvers keep "there is none" in this zone; absent: not known.
  std::optional<base::Duration> negative;

  std::size_t members() const;  // that an answer of this type can name
};

// SRV for owners that begin with an underscore, as the configuration wants them; else A and AAAA.
bool is_srv_owner(std::string_view owner);

// Each RRset of the pool: of its answer sets, then of its servers' own names.
std::vector<Expected> expectations(const Pool& pool, base::WallTime now);
std::optional<Expected> expectation(const Pool& pool, const std::string& owner, RRType type,
                                    base::WallTime now);
// Of a server's own name: it stays while services are out, but for a hold that hides it.
std::optional<Expected> host_expectation(const Pool& pool, const std::string& name, RRType type,
                                         base::WallTime now);

}  // namespace sluice::ctl
