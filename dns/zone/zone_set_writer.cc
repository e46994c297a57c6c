#include "dns/zone/zone_set_writer.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <functional>
#include <limits>
#include <string>
#include <type_traits>

#include "dns/wire/writer.h"
#include "dns/zone/zone_builder.h"

namespace sluice::dns {

namespace {

// What a message can hold besides header, the longest question and OPT.
constexpr std::size_t kMaxAnswerOctets = 65'535 - kHeaderOctets - Name::kMaxOctets - 4 - 11;

std::uint32_t soa_minimum(std::span<const std::uint8_t> rdata) noexcept {
  return load_u32(rdata.data() + rdata.size() - 4);
}
std::size_t labels_of(std::span<const std::uint8_t> name) noexcept {
  std::size_t labels = 0;
  for (std::size_t at = 0; name[at] != 0; at += 1U + name[at]) ++labels;
  return labels;
}
std::uint32_t soa_serial(std::span<const std::uint8_t> rdata) noexcept {
  return load_u32(rdata.data() + rdata.size() - kSoaNumbers);
}

}  // namespace

ZoneSetWriter::ZoneSetWriter(const config::Config& config, const ZoneDraft& draft,
                             const PlacedNames& placed, const SerialBases& persisted,
                             std::span<const SourceMap> sources)
    : config_(config),
      draft_(draft),
      placed_(placed),
      persisted_(persisted),
      sources_(sources),
      set_(std::make_unique<ZoneSet>()) {}

template <class T>
void ZoneSetWriter::put(const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::array<std::uint8_t, sizeof value> octets;
  std::memcpy(octets.data(), &value, sizeof value);
  set_->arena_.insert(set_->arena_.end(), octets.begin(), octets.end());
}

base::Result<std::shared_ptr<const ZoneSet>, std::vector<base::Error>> ZoneSetWriter::write() {
  write_static_rrsets();
  reserve();
  write_hosts();
  write_pools();
  write_nodes();
  write_zones();
  check_answer_sizes();
  if (!errors_.empty()) return base::Unexpected{std::move(errors_)};
  write_slots();
  return std::shared_ptr<const ZoneSet>(std::move(set_));
}

void ZoneSetWriter::write_static_rrsets() {
  rrset_at_.reserve(draft_.rrsets().size());
  for (const DraftRRset& rrset : draft_.rrsets()) rrset_at_.push_back(write_rrset(rrset));
}

std::uint32_t ZoneSetWriter::write_rrset(const DraftRRset& rrset) {
  RRsetRenderer renderer(draft_.name(rrset.node), rrset.type, rrset.ttl);
  for (const DraftRecord& record : draft_.records_of(rrset)) renderer.add(draft_.rdata_of(record));
  if (renderer.too_large()) {
    const ZoneId zone = draft_.node(rrset.node).zone;
    errors_.push_back({sources_[zone].where(rrset.place), "zones[" + std::to_string(zone) + "]",
                       draft_.name(rrset.node).to_string() +
                           ": its records of one type are more than a DNS message can hold"});
    return 0;
  }
  return write_rrset(renderer, rrset.type, rrset.ttl, additional_names(rrset, renderer));
}

std::uint32_t ZoneSetWriter::write_rrset(const RRsetRenderer& renderer, RRType type,
                                         std::uint32_t ttl,
                                         std::span<const AdditionalName> additional) {
  const std::uint32_t at = end();
  const auto octets = renderer.octets();
  const auto pointers = renderer.pointers();
  ZoneSet::RRsetHead head;
  head.type = type;
  head.count = renderer.count();
  head.octets = static_cast<std::uint16_t>(octets.size());
  head.pointers = static_cast<std::uint16_t>(pointers.size());
  head.additional = static_cast<std::uint16_t>(additional.size());
  head.ttl = ttl;
  put(head);
  set_->arena_.insert(set_->arena_.end(), octets.begin(), octets.end());
  for (const std::uint16_t pointer : pointers) put(pointer);
  for (const AdditionalName& name : additional) {
    unresolved_.push_back(end());
    put(name);
  }
  return at;
}

std::vector<AdditionalName> ZoneSetWriter::additional_names(const DraftRRset& rrset,
                                                            const RRsetRenderer& renderer) const {
  std::vector<AdditionalName> names;
  const DraftNode& owner = draft_.node(rrset.node);
  for (const RRsetRenderer::Target& target : renderer.targets()) {
    const std::uint32_t node = draft_.find(target.name);
    if (node == kNone || std::ranges::find(names, node, &AdditionalName::node) != names.end()) {
      continue;
    }
    const DraftNode& there = draft_.node(node);
    // What lies below a zone cut is not ours to tell, but as the glue of a referral; what lies
    // below a DNAME is nobody's.
    const bool occluded = there.occluded_by != kNone;
    const bool glue = occluded && owner.is_cut && draft_.node(there.occluded_by).is_cut;
    if (occluded && !glue) continue;
    const bool has_addresses = there.address_set != kNone || there.host != kNone ||
                               draft_.find_rrset(node, RRType::A) != nullptr ||
                               draft_.find_rrset(node, RRType::AAAA) != nullptr;
    const bool same_type = target.alias && draft_.find_rrset(node, rrset.type) != nullptr;
    if (!has_addresses && !same_type) continue;
    const bool required = glue && there.occluded_by == owner.occluded_by;
    names.push_back({.node = node,
                     .position = target.position,
                     .required = std::uint8_t{required},
                     .same_type = std::uint8_t{same_type}});
  }
  // What must be there comes first, before room runs out.
  std::ranges::stable_sort(names, std::ranges::greater(), &AdditionalName::required);
  return names;
}

// Without names in RDATA there is nothing to render: heads and addresses. (Three quarters of a
// large arena are written here.)
std::uint32_t ZoneSetWriter::write_addresses(RRType type, std::uint32_t ttl,
                                             std::span<const base::IpAddress> addresses) {
  const bool v4 = type == RRType::A;
  const auto of_type = [v4](const base::IpAddress& address) { return address.is_v4() == v4; };
  const auto count = static_cast<std::size_t>(std::ranges::count_if(addresses, of_type));
  if (count == 0) return 0;
  const std::uint32_t at = end();
  ZoneSet::RRsetHead head;
  head.type = type;
  head.count = static_cast<std::uint16_t>(count);
  head.octets = static_cast<std::uint16_t>(count * (v4 ? kARecord : kAaaaRecord));
  head.ttl = ttl;
  put(head);
  for (const base::IpAddress& address : addresses) {
    if (!of_type(address)) continue;
    const auto octets = address.octets();
    std::array<std::uint8_t, kRecordHead> record{};
    store_u16(record.data(), kPointerMark | kHeaderOctets);
    store_u16(record.data() + 2, static_cast<std::uint16_t>(type));
    store_u16(record.data() + 4, static_cast<std::uint16_t>(RRClass::IN));
    store_u32(record.data() + 6, ttl);
    store_u16(record.data() + 10, static_cast<std::uint16_t>(octets.size()));
    put(record);
    set_->arena_.insert(set_->arena_.end(), octets.begin(), octets.end());
  }
  return at;
}

void ZoneSetWriter::reserve() {
  const auto octets_of = [](std::span<const base::IpAddress> addresses) {
    std::size_t octets = 2 * sizeof(ZoneSet::RRsetHead);
    for (const base::IpAddress& address : addresses) {
      octets += address.is_v4() ? kARecord : kAaaaRecord;
    }
    return octets;
  };
  std::size_t octets = set_->arena_.size();
  for (const config::ServerAt& server : placed_.servers) {
    octets += octets_of(server.server->addresses);
  }
  for (const config::Pool& pool : config_.pools) octets += octets_of(pool.last_resort);
  constexpr std::size_t kEntries = 3 * sizeof(Entry);  // mostly two: A and AAAA
  for (std::uint32_t number = 0; number < draft_.size(); ++number) {
    octets += sizeof(Node) + kEntries + draft_.wire(number).size();
  }
  set_->arena_.reserve(octets);
}

void ZoneSetWriter::write_hosts() {
  set_->hosts_.reserve(placed_.servers.size());
  for (std::size_t index = 0; index < placed_.servers.size(); ++index) {
    const auto& [pool, server] = placed_.servers[index];
    const auto ttl = static_cast<std::uint32_t>(config_.pools[pool].ttl.count());
    const std::uint32_t node = placed_.host_nodes[index];
    Host host;
    host.a = write_addresses(RRType::A, ttl, server->addresses);
    host.aaaa = write_addresses(RRType::AAAA, ttl, server->addresses);
    host.weight = server->weight;
    host.in_zone = node != kNone;
    host.name = end();
    if (host.in_zone) {
      host.zone = draft_.node(node).zone;  // its name: write_nodes()
    } else {
      const Name name = *Name::parse(server->fqdn);
      set_->arena_.insert(set_->arena_.end(), name.wire().begin(), name.wire().end());
    }
    set_->hosts_.push_back(host);
  }
}

void ZoneSetWriter::write_pools() {
  set_->pools_.reserve(config_.pools.size());
  for (const config::Pool& pool : config_.pools) {
    PoolAnswers answers;
    answers.ttl = static_cast<std::uint32_t>(pool.ttl.count());
    answers.answer_size = static_cast<std::uint16_t>(pool.answer_size);
    answers.order = pool.order;
    answers.last_resort_a = write_addresses(RRType::A, answers.ttl, pool.last_resort);
    answers.last_resort_aaaa = write_addresses(RRType::AAAA, answers.ttl, pool.last_resort);
    set_->pools_.push_back(answers);
  }
  set_->answer_sets_.reserve(placed_.answer_sets.size());
  for (const config::AnswerSet& configured : placed_.answer_sets) {
    const auto number = static_cast<std::uint32_t>(set_->answer_sets_.size());
    AnswerSetPlan plan;
    plan.pool = configured.pool;
    plan.zone = draft_.node(placed_.answer_set_nodes[number]).zone;
    plan.srv = configured.srv != nullptr;
    if (plan.srv) {
      plan.port = configured.srv->port;
      plan.priority = configured.srv->priority;
    }
    const bool first = number == 0 || set_->answer_sets_.back().pool != plan.pool;
    if (first) set_->pools_[plan.pool].first_answer_set = number;
    set_->answer_sets_.push_back(plan);
  }
}

// In the order of their types, so that what is asked for most comes first.
std::span<const ZoneSet::Entry> ZoneSetWriter::entries_of(std::uint32_t node) {
  const DraftNode& draft = draft_.node(node);
  entries_.clear();
  for (std::uint32_t index = draft.first_rrset; index < draft.first_rrset + draft.rrset_count;
       ++index) {
    const RRType type = draft_.rrsets()[index].type;
    if (type == RRType::SOA) {
      entries_.push_back({type, Lookup::Kind::Soa, 0});
    } else {
      entries_.push_back({type, Lookup::Kind::RRset, rrset_at_[index]});
    }
  }
  const auto put_both = [&](Lookup::Kind kind, std::uint32_t number) {
    entries_.push_back({RRType::A, kind, number});
    entries_.push_back({RRType::AAAA, kind, number});
  };
  if (draft.address_set != kNone) put_both(Lookup::Kind::AnswerSet, draft.address_set);
  if (draft.host != kNone) put_both(Lookup::Kind::Host, draft.host);
  if (draft.srv_set != kNone) {
    entries_.push_back({RRType::SRV, Lookup::Kind::AnswerSet, draft.srv_set});
  }
  std::ranges::sort(entries_, {}, &Entry::type);
  return entries_;
}

void ZoneSetWriter::write_nodes() {
  // A wildcard may be met before or after what it hangs on; nodes point to each other by place, so
  // the places come first.
  std::vector<std::uint32_t> wildcards(draft_.size(), kNone);
  node_at_.resize(draft_.size());
  std::size_t next = set_->arena_.size();
  for (std::uint32_t number = 0; number < draft_.size(); ++number) {
    const auto name = draft_.wire(number);
    const std::uint32_t parent = draft_.node(number).parent;
    if (parent != kNone && name[0] == 1 && name[1] == '*') wildcards[parent] = number;
    node_at_[number] = static_cast<std::uint32_t>(next);
    next += sizeof(Node) + entries_of(number).size() * sizeof(Entry) + name.size();
  }
  // Places are 32 bits wide; those that are written already may be wrong too.
  if (next > std::numeric_limits<std::uint32_t>::max()) {
    errors_.push_back({{config_.file, 0}, "zones", "more than 4 GiB of zone data"});
    return;
  }
  for (std::uint32_t number = 0; number < draft_.size(); ++number) {
    const DraftNode& draft = draft_.node(number);
    const auto name = draft_.wire(number);
    const std::span<const Entry> entries = entries_of(number);
    Node node;
    node.zone = draft.zone;
    // A DNAME's owner occludes what does not exist below it, too.
    const bool own_dname = draft.occluded_by == kNone && draft.has_dname;
    if (const std::uint32_t by = own_dname ? number : draft.occluded_by; by != kNone) {
      const RRType type = draft_.node(by).has_dname ? RRType::DNAME : RRType::NS;
      const DraftRRset* rrset = draft_.find_rrset(by, type);
      node.occluder = rrset_at_[static_cast<std::size_t>(rrset - draft_.rrsets().data())];
      node.occluder_octets = static_cast<std::uint8_t>(draft_.wire(by).size());
    }
    if (wildcards[number] != kNone) node.wildcard = node_at_[wildcards[number]];
    node.entries = static_cast<std::uint16_t>(entries.size());
    node.name_octets = static_cast<std::uint8_t>(name.size());
    assert(end() == node_at_[number]);
    put(node);
    for (const Entry& entry : entries) put(entry);
    if (draft.host != kNone) set_->hosts_[draft.host].name = end();
    for (const std::uint32_t set : {draft.address_set, draft.srv_set}) {
      if (set != kNone) set_->answer_sets_[set].name = end();
    }
    set_->arena_.insert(set_->arena_.end(), name.begin(), name.end());
    set_->deepest_ = std::max(set_->deepest_, labels_of(name));
  }
  resolve_additional();
}

void ZoneSetWriter::resolve_additional() {
  for (const std::uint32_t at : unresolved_) {
    auto additional = load<AdditionalName>(set_->at(at));
    additional.node = node_at_[additional.node];
    std::memcpy(set_->arena_.data() + at, &additional, sizeof additional);
  }
}

void ZoneSetWriter::write_zones() {
  for (const config::Zone& configured : config_.zones) {
    const Name apex = *Name::parse(configured.name);
    const DraftRRset* soa = draft_.find_rrset(draft_.find(apex), RRType::SOA);
    const auto rdata = draft_.rdata_of(draft_.records_of(*soa).front());
    const auto persisted = persisted_.find(configured.name);
    Zone zone;
    zone.name = configured.name;
    zone.apex_octets = static_cast<std::uint8_t>(apex.size());
    zone.soa = rrset_at_[static_cast<std::size_t>(soa - draft_.rrsets().data())];
    zone.negative_ttl = std::min(soa->ttl, soa_minimum(rdata));
    zone.serial_base = later_serial(
        persisted == persisted_.end() ? std::nullopt : std::optional(persisted->second),
        soa_serial(rdata));
    set_->zones_.push_back(std::move(zone));
  }
}

void ZoneSetWriter::write_slots() {
  std::size_t slots = 2;
  while (slots < 2 * std::size_t{draft_.size()}) slots *= 2;
  set_->slots_.assign(slots, {});
  for (std::uint32_t number = 0; number < draft_.size(); ++number) {
    const std::uint64_t hash = draft_.hash(number);
    std::size_t slot = hash & (slots - 1);
    while (set_->slots_[slot].node != 0) slot = (slot + 1) & (slots - 1);
    set_->slots_[slot] = {static_cast<std::uint32_t>(hash >> 32), node_at_[number]};
  }
}

// An answer that not even TCP can carry would leave its clients without any server.
void ZoneSetWriter::check_answer_sizes() {
  std::vector<std::size_t> addresses(config_.pools.size());  // of A or AAAA, whichever is more
  std::vector<std::size_t> targets(config_.pools.size());    // of SRV records
  std::vector<std::size_t> v4(config_.pools.size());
  for (const auto& [pool, server] : placed_.servers) {
    for (const base::IpAddress& address : server->addresses) {
      (address.is_v4() ? v4 : addresses)[pool] += address.is_v4() ? kARecord : kAaaaRecord;
    }
    targets[pool] += kRecordHead + 6 + server->fqdn.size() + 2;
  }
  const auto refuse = [&](std::size_t pool, const char* member) {
    errors_.push_back({{config_.file, 0},
                       "pools[" + std::to_string(pool) + "]." + member,
                       "an answer that names them all is more than a DNS message can hold"});
  };
  for (std::size_t pool = 0; pool < config_.pools.size(); ++pool) {
    std::size_t last_v4 = 0;
    std::size_t last_v6 = 0;
    for (const base::IpAddress& address : config_.pools[pool].last_resort) {
      (address.is_v4() ? last_v4 : last_v6) += address.is_v4() ? kARecord : kAaaaRecord;
    }
    if (std::max(last_v4, last_v6) > kMaxAnswerOctets) refuse(pool, "when_all_held");
    const std::size_t srv = config_.pools[pool].srv.empty() ? 0 : targets[pool];
    if (std::max({v4[pool], addresses[pool], srv}) <= kMaxAnswerOctets) continue;
    refuse(pool, "servers");
  }
}

}  // namespace sluice::dns
