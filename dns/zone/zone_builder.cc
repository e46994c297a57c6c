#include "dns/zone/zone_builder.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "dns/zone/master_file.h"
#include "dns/zone/zone_draft.h"
#include "dns/zone/zone_set_writer.h"

namespace sluice::dns {

namespace {

// Why records of this type can't be in a zone's text; empty: they can.
std::string refusal(RRType type) {
  constexpr std::array kUnsupported = {
      std::pair{RRType::SIG, "SIG"},     std::pair{RRType::KEY, "KEY"},
      std::pair{RRType::NXT, "NXT"},     std::pair{RRType::DNAME, "DNAME"},
      std::pair{RRType::DS, "DS"},       std::pair{RRType::RRSIG, "RRSIG"},
      std::pair{RRType::NSEC, "NSEC"},   std::pair{RRType::DNSKEY, "DNSKEY"},
      std::pair{RRType::NSEC3, "NSEC3"}, std::pair{RRType::NSEC3PARAM, "NSEC3PARAM"},
      std::pair{RRType::CDS, "CDS"},     std::pair{RRType::CDNSKEY, "CDNSKEY"},
  };
  const auto* found = std::ranges::find(kUnsupported, type, &std::pair<RRType, const char*>::first);
  if (found != kUnsupported.end()) {
    return std::string(found->second) + " records are not supported by this version yet";
  }
  const auto number = static_cast<std::uint16_t>(type);
  // Q and meta types (RFC 6895 section 3.1) exist in messages alone.
  if (type == RRType::OPT || number == 0 || (number >= 128 && number <= 255)) {
    return "a record of type " + std::to_string(number) + " can't be in a zone";
  }
  return {};
}

class ZoneBuilder {
 public:
  ZoneBuilder(const config::Config& config, const SerialBases& persisted)
      : config_(config),
        placed_{config::servers(config), config::answer_sets(config), {}, {}},
        persisted_(persisted),
        sources_(config.zones.size()) {}

  base::Result<std::shared_ptr<const ZoneSet>, std::vector<base::Error>> build() {
    add_apexes();
    for (ZoneId zone = 0; zone < config_.zones.size(); ++zone) add_records(zone);
    draft_.gather();
    for (const DraftRRset& rrset : draft_.rrsets()) check_rrset(rrset);
    for (ZoneId zone = 0; zone < config_.zones.size(); ++zone) check_apex(zone);
    draft_.reserve(placed_.servers.size() + placed_.answer_sets.size());
    add_answer_sets();
    add_hosts();
    if (!errors_.empty()) return base::Unexpected{std::move(errors_)};
    return ZoneSetWriter(config_, draft_, placed_, persisted_, sources_).write();
  }

 private:
  static std::string pool_path(std::uint32_t pool) { return "pools[" + std::to_string(pool) + "]"; }
  static std::string zone_path(ZoneId zone) { return "zones[" + std::to_string(zone) + "]"; }

  // `place` of the zone's text; 0: where it begins.
  void zone_mistake(ZoneId zone, int place, std::string message) {
    errors_.push_back({place == 0 ? config_.zones[zone].origin : sources_[zone].where(place),
                       zone_path(zone), std::move(message)});
  }

  void mistake(std::string path, std::string message) {
    errors_.push_back({{config_.file, 0}, std::move(path), std::move(message)});
  }

  void add_apexes() {
    for (ZoneId zone = 0; zone < config_.zones.size(); ++zone) {
      const std::string& text = config_.zones[zone].name;
      const auto apex = Name::parse(text);
      if (!apex) {
        zone_mistake(zone, 0, "\"" + text + "\" is not a domain name");
      } else if (!draft_.add_apex(*apex, zone)) {
        zone_mistake(zone, 0, "zone " + text + " is configured twice");
      }
    }
    // Where a zone hangs below another one of ours, the names between them exist in the upper one,
    // though they may have no records (RFC 4592 section 2.2.2).
    for (const config::Zone& zone : config_.zones) {
      const auto apex = Name::parse(zone.name);
      if (!apex || apex->labels() == 0) continue;
      if (draft_.zone_of(apex->parent())) draft_.touch(apex->parent());
    }
  }

  void add_records(ZoneId zone) {
    const auto apex = Name::parse(config_.zones[zone].name);
    if (!apex) return;
    auto mistakes =
        read_master_file(config_.zones[zone], zone_path(zone), sources_[zone],
                         [&](const Record& record) { add_record(zone, *apex, record); });
    errors_.insert(errors_.end(), std::make_move_iterator(mistakes.begin()),
                   std::make_move_iterator(mistakes.end()));
  }

  void add_record(ZoneId zone, const Name& apex, const Record& record) {
    const std::string owner = record.owner.to_string();
    if (!record.owner.is_within(apex)) {
      return zone_mistake(zone, record.place, owner + " is not within zone " + apex.to_string());
    }
    if (const std::string why = refusal(record.type); !why.empty()) {
      return zone_mistake(zone, record.place, owner + ": " + why);
    }
    if (record.type == RRType::SOA && !(record.owner == apex)) {
      return zone_mistake(zone, record.place, owner + ": SOA must be at the apex");
    }
    if (record.type == RRType::NS && record.owner.is_wildcard()) {
      return zone_mistake(zone, record.place, owner + ": NS at a wildcard (RFC 4592 section 4.2)");
    }
    if (draft_.zone_of(record.owner) == zone) draft_.add_record(draft_.touch(record.owner), record);
  }

  void check_rrset(const DraftRRset& rrset) {
    const DraftNode& node = draft_.node(rrset.node);
    const auto complain = [&](const std::string& what) {
      zone_mistake(node.zone, rrset.place, draft_.name(rrset.node).to_string() + ": " + what);
    };
    if (rrset.type == RRType::CNAME && rrset.count > 1) complain("more than one CNAME");
    if (rrset.type == RRType::CNAME && node.rrset_count > 1) complain("CNAME and other records");
    if (rrset.type == RRType::SOA && rrset.count > 1) complain("more than one SOA");
  }

  void check_apex(ZoneId zone) {
    const auto apex = Name::parse(config_.zones[zone].name);
    if (!apex || draft_.node(draft_.find(*apex)).zone != zone) return;
    const std::uint32_t node = draft_.find(*apex);
    const std::string name = apex->to_string();
    if (draft_.find_rrset(node, RRType::SOA) == nullptr) {
      zone_mistake(zone, 0, name + ": no SOA record at the apex");
    }
    if (draft_.find_rrset(node, RRType::NS) == nullptr) {
      zone_mistake(zone, 0, name + ": no NS record at the apex");
    }
  }

  // Static records of these types, or a CNAME, where `what()` answers.
  template <class What>
  void check_free_of_records(std::uint32_t node, std::span<const RRType> types, const What& what) {
    for (const DraftRRset& rrset : draft_.rrsets_of(node)) {
      const bool cname = rrset.type == RRType::CNAME;
      if (!cname && std::ranges::find(types, rrset.type) == types.end()) continue;
      zone_mistake(draft_.node(node).zone, rrset.place,
                   draft_.name(node).to_string() + ": " + (cname ? "CNAME" : "a static record") +
                       " collides with " + what());
    }
  }

  void add_answer_sets() {
    placed_.answer_set_nodes.resize(placed_.answer_sets.size(), kNone);
    for (std::uint32_t number = 0; number < placed_.answer_sets.size(); ++number) {
      const config::AnswerSet& set = placed_.answer_sets[number];
      // Of hundreds of thousands hardly any has a mistake to tell.
      const auto path = [&] { return pool_path(set.pool); };
      const auto what = [&] { return "the answer set " + set.owner; };
      const auto owner = Name::parse(set.owner);
      if (!owner) {
        mistake(path(), "\"" + set.owner + "\" is not a domain name");
        continue;
      }
      const SuffixHashes hashes(*owner);
      const ZoneDraft::Closest closest = draft_.closest(*owner, hashes);
      if (closest.node == kNone) {
        mistake(path(), what() + " lies in no configured zone");
        continue;
      }
      if (const std::uint32_t cut = draft_.node(closest.node).cut; cut != kNone) {
        mistake(path(), what() + " lies at or below the zone cut " + draft_.name(cut).to_string() +
                            " of zone " + config_.zones[draft_.node(closest.node).zone].name);
        continue;
      }
      const std::uint32_t node = draft_.touch(*owner, hashes, closest);
      std::uint32_t& place =
          set.srv != nullptr ? draft_.node(node).srv_set : draft_.node(node).address_set;
      if (place != kNone) {
        mistake(path(), what() + " is configured twice, in " +
                            pool_path(placed_.answer_sets[place].pool) + " too");
        continue;
      }
      place = number;
      placed_.answer_set_nodes[number] = node;
      constexpr std::array kAddresses = {RRType::A, RRType::AAAA};
      constexpr std::array kSrv = {RRType::SRV};
      const std::span<const RRType> types =
          set.srv != nullptr ? std::span<const RRType>(kSrv) : std::span<const RRType>(kAddresses);
      check_free_of_records(node, types, [&] { return what() + " of " + path(); });
    }
  }

  void add_hosts() {
    placed_.host_nodes.resize(placed_.servers.size(), kNone);
    for (std::uint32_t number = 0; number < placed_.servers.size(); ++number) {
      const config::ServerAt& at = placed_.servers[number];
      const auto path = [&] { return pool_path(at.pool) + ".servers"; };
      const auto name = Name::parse(at.server->fqdn);
      if (!name) {
        mistake(path(), "\"" + at.server->fqdn + "\" is not a domain name");
        continue;
      }
      const SuffixHashes hashes(*name);
      const ZoneDraft::Closest closest = draft_.closest(*name, hashes);
      if (closest.node == kNone || draft_.node(closest.node).cut != kNone) continue;
      const std::uint32_t node = draft_.touch(*name, hashes, closest);
      const auto what = [&] { return "the host record of server " + at.server->fqdn; };
      if (draft_.node(node).host != kNone) {
        mistake(path(), "server " + at.server->fqdn + " is configured twice");
      }
      if (draft_.node(node).address_set != kNone) {
        mistake(path(), what() + " collides with the answer set " + at.server->fqdn);
      }
      constexpr std::array kAddresses = {RRType::A, RRType::AAAA};
      check_free_of_records(node, kAddresses, [&] { return what() + " of " + path(); });
      draft_.node(node).host = number;
      placed_.host_nodes[number] = node;
    }
  }

  const config::Config& config_;
  PlacedNames placed_;
  const SerialBases& persisted_;
  std::vector<SourceMap> sources_;  // by zone
  ZoneDraft draft_;
  std::vector<base::Error> errors_;
};

}  // namespace

base::Result<std::shared_ptr<const ZoneSet>, std::vector<base::Error>> build_zones(
    const config::Config& config, const SerialBases& persisted) {
  return ZoneBuilder(config, persisted).build();
}

std::uint32_t later_serial(std::optional<std::uint32_t> persisted,
                           std::uint32_t configured) noexcept {
  if (!persisted) return configured;
  // RFC 1982 section 3.2: ahead by less than half of the number space.
  const std::uint32_t ahead = configured - *persisted;
  return ahead != 0 && ahead < 0x80000000 ? configured : *persisted;
}

}  // namespace sluice::dns
