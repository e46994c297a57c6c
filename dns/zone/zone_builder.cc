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
  // What only a signed zone may say: answers here change with the servers' health and are not
  // signed. A ZONEMD would be wrong with the next serial.
  constexpr std::array kOfSignedZones = {
      std::pair{RRType::SIG, "SIG"},         std::pair{RRType::NXT, "NXT"},
      std::pair{RRType::RRSIG, "RRSIG"},     std::pair{RRType::NSEC, "NSEC"},
      std::pair{RRType::DNSKEY, "DNSKEY"},   std::pair{RRType::NSEC3, "NSEC3"},
      std::pair{RRType::CDS, "CDS"},         std::pair{RRType::NSEC3PARAM, "NSEC3PARAM"},
      std::pair{RRType::CDNSKEY, "CDNSKEY"}, std::pair{RRType::ZONEMD, "ZONEMD"},
  };
  const auto* found =
      std::ranges::find(kOfSignedZones, type, &std::pair<RRType, const char*>::first);
  if (found != kOfSignedZones.end()) {
    return std::string(found->second) +
           " records belong into a signed zone, and zones are not signed here: leave them out";
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
    if (const std::string why = wildcard_refusal(record); !why.empty()) {
      return zone_mistake(zone, record.place, owner + ": " + why);
    }
    if (record.type == RRType::DS && record.owner == apex) {
      return zone_mistake(zone, record.place,
                          owner + ": DS at the apex: it belongs to the parent zone");
    }
    if (draft_.zone_of(record.owner) == zone || is_ds_of_child(zone, record)) {
      draft_.add_record(draft_.touch(record.owner), record);
    }
  }

  static std::string wildcard_refusal(const Record& record) {
    if (!record.owner.is_wildcard()) return {};
    if (record.type == RRType::NS) return "NS at a wildcard (RFC 4592 section 4.2)";
    if (record.type == RRType::DNAME) return "DNAME at a wildcard (RFC 4592 section 4.4)";
    return {};
  }

  // The parent answers for the DS of a zone that is configured too (RFC 4035 section 3.1.4.1).
  bool is_ds_of_child(ZoneId zone, const Record& record) const {
    const std::uint32_t node = draft_.find(record.owner);
    return record.type == RRType::DS && node != kNone && draft_.node(node).apex &&
           draft_.zone_of(record.owner.parent()) == zone;
  }

  void check_rrset(const DraftRRset& rrset) {
    const DraftNode& node = draft_.node(rrset.node);
    const auto complain = [&](const std::string& what) {
      zone_mistake(node.zone, rrset.place, draft_.name(rrset.node).to_string() + ": " + what);
    };
    if (rrset.type == RRType::CNAME && rrset.count > 1) complain("more than one CNAME");
    if (rrset.type == RRType::CNAME && node.rrset_count > 1) complain("CNAME and other records");
    if (rrset.type == RRType::SOA && rrset.count > 1) complain("more than one SOA");
    if (rrset.type == RRType::DNAME && rrset.count > 1) complain("more than one DNAME");
    if (rrset.type == RRType::DNAME && node.is_cut) {
      complain("DNAME and NS at a name that is no apex (RFC 6672 section 2.3)");
    }
    if (rrset.type == RRType::DS && !node.is_cut && !node.apex) {
      complain("DS without NS: it belongs to a zone cut (RFC 4035 section 2.4)");
    }
  }

  void check_apex(ZoneId zone) {
    const auto apex = Name::parse(config_.zones[zone].name);
    if (!apex || draft_.node(draft_.find(*apex)).zone != zone) return;
    check_not_below_dname(zone, *apex);
    const std::uint32_t node = draft_.find(*apex);
    const std::string name = apex->to_string();
    if (draft_.find_rrset(node, RRType::SOA) == nullptr) {
      zone_mistake(zone, 0, name + ": no SOA record at the apex");
    }
    if (draft_.find_rrset(node, RRType::NS) == nullptr) {
      zone_mistake(zone, 0, name + ": no NS record at the apex");
    }
  }

  // RFC 6672 section 2.4: what the DNAME says of a name would be another thing than what is here.
  void check_not_below_dname(ZoneId zone, const Name& apex) {
    if (apex.labels() == 0) return;
    const std::uint32_t parent = draft_.find(apex.parent());
    if (parent == kNone) return;
    const std::uint32_t above =
        draft_.node(parent).has_dname ? parent : draft_.node(parent).occluded_by;
    if (above == kNone || !draft_.node(above).has_dname) return;
    zone_mistake(zone, 0, "zone " + apex.to_string() + " lies " + below(above));
  }

  // "below the DNAME d.example.org of zone example.org, ..."
  std::string below(std::uint32_t occluder) const {
    const DraftNode& node = draft_.node(occluder);
    const std::string name = draft_.name(occluder).to_string();
    const std::string& zone = config_.zones[node.zone].name;
    if (!node.has_dname) return "at or below the zone cut " + name + " of zone " + zone;
    return "below the DNAME " + name + " of zone " + zone +
           ", which leads all names there elsewhere";
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
      if (const std::uint32_t occluder = draft_.occluder_of(closest); occluder != kNone) {
        mistake(path(), what() + " lies " + below(occluder));
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
      if (closest.node == kNone) continue;
      if (const std::uint32_t occluder = draft_.occluder_of(closest); occluder != kNone) {
        // A zone cut hands the name to somebody else, a DNAME to nobody.
        if (draft_.node(occluder).has_dname) {
          mistake(path(), "server " + at.server->fqdn + " lies " + below(occluder));
        }
        continue;
      }
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
