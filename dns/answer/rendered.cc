#include "dns/answer/rendered.h"

#include <cassert>
#include <cstring>
#include <new>
#include <utility>

#include "dns/wire/writer.h"

namespace sluice::dns {

namespace {

// Clients that scale weights down by 256 (HAProxy) keep the configured resolution that way.
constexpr std::uint16_t kSrvWeightUnit = 256;
constexpr std::size_t kSrvNumbers = 6;  // priority, weight, port (RFC 2782)
constexpr std::size_t kSrvHead = kRecordHead + kSrvNumbers;

std::span<const std::uint8_t> octets_of(const ZoneSet& zones, std::uint32_t rrset) noexcept {
  return rrset == 0 ? std::span<const std::uint8_t>() : zones.rrset(rrset).octets;
}

// Of its address records, where they are ours to tell.
std::size_t host_octets(const ZoneSet& zones, const Host& host) noexcept {
  if (!host.in_zone) return 0;
  return octets_of(zones, host.a).size() + octets_of(zones, host.aaaa).size();
}

// As SRV records have it, and as answers are chosen by: they are to show the same shares. Fits 16
// bits.
std::uint32_t weight_of(const ZoneSet& zones, const health::Members& members,
                        health::ServerId server) {
  return zones.hosts()[server].weight * std::uint32_t{kSrvWeightUnit} * members.tenths(server) / 10;
}

// The servers' records among those of one type: where they end, and what they weigh.
struct Groups {
  std::vector<std::uint32_t> ends;
  std::vector<std::uint32_t> weights;

  void add(std::size_t octets, std::uint32_t weight) {
    if (octets == 0) return;
    ends.push_back(static_cast<std::uint32_t>(octets + (ends.empty() ? 0 : ends.back())));
    weights.push_back(weight);
  }
};

std::uint8_t* copy(std::uint8_t* to, std::span<const std::uint8_t> octets) noexcept {
  if (!octets.empty()) std::memcpy(to, octets.data(), octets.size());
  return to + octets.size();
}

}  // namespace

struct RenderedSet::Free {
  void operator()(RenderedSet* set) const noexcept {
    set->~RenderedSet();
    ::operator delete(set);
  }
};

RenderedSet::RenderedSet(const Extent& extent) noexcept
    : first_octets_(static_cast<std::uint32_t>(extent.first_octets)),
      second_octets_(static_cast<std::uint32_t>(extent.second_octets)),
      target_count_(static_cast<std::uint32_t>(extent.targets)),
      first_type_(extent.first_type) {}

std::shared_ptr<RenderedSet> RenderedSet::make(const Extent& extent, RenderRoom* room) {
  const std::size_t size = sizeof(RenderedSet) + extent.targets * sizeof(Target) +
                           extent.first_octets + extent.second_octets;
  if (room == nullptr) return {new (::operator new(size)) RenderedSet(extent), Free()};
  std::shared_ptr<std::byte> memory = room->take(size);
  auto* set = new (memory.get()) RenderedSet(extent);
  return {std::move(memory), set};
}

// Both kinds of addresses, or SRV records and additional ones, of all members.
RenderedSet::Extent RenderedSet::extent_of(const ZoneSet& zones, const AnswerSetPlan& plan,
                                           const health::Members& members) {
  Extent extent;
  if (plan.srv) {
    extent.first_type = RRType::SRV;
    extent.targets = members.servers.size();
    for (const health::ServerId server : members.servers) {
      const Host& host = zones.hosts()[server];
      extent.first_octets += kSrvHead + zones.name_at(host.name).size();
      extent.second_octets += host_octets(zones, host);
    }
    // Behind a question at the latest.
    constexpr std::size_t kReach = kPointerReach - kHeaderOctets - Name::kMaxOctets - 4;
    if (extent.first_octets > kReach) extent.second_octets = 0;
    return extent;
  }
  if (members.fallback == health::Fallback::Addresses) {
    const PoolAnswers& pool = zones.pools()[plan.pool];
    extent.first_octets = octets_of(zones, pool.last_resort_a).size();
    extent.second_octets = octets_of(zones, pool.last_resort_aaaa).size();
  }
  for (const health::ServerId server : members.servers) {
    extent.first_octets += octets_of(zones, zones.hosts()[server].a).size();
    extent.second_octets += octets_of(zones, zones.hosts()[server].aaaa).size();
  }
  return extent;
}

std::shared_ptr<const RenderedSet> render(const ZoneSet& zones, health::AnswerSetId id,
                                          const health::Members& members, RenderRoom* room) {
  const AnswerSetPlan& plan = zones.answer_sets()[id];
  const PoolAnswers& pool = zones.pools()[plan.pool];
  // What has choices to free can't lie where nothing is destroyed.
  auto set = RenderedSet::make(RenderedSet::extent_of(zones, plan, members),
                               pool.chooses() ? nullptr : room);
  set->rotates_ = pool.order == config::Order::Rotate;
  set->fallback_ = members.fallback;
  set->not_after_ = members.not_after;
  if (plan.srv) {
    set->render_srv(zones, plan, members);
  } else {
    set->render_addresses(zones, pool, members);
  }
  if (pool.chooses()) set->render_choices(zones, pool, members);
  return set;
}

// The last resort's addresses are no servers: without weights, and shown whole. SRV records do not
// rotate, their clients order them (RFC 2782).
void RenderedSet::render_choices(const ZoneSet& zones, const PoolAnswers& pool,
                                 const health::Members& members) {
  const bool srv = first_type_ == RRType::SRV;
  const bool last_resort = members.fallback == health::Fallback::Addresses;
  const auto choice_of = [&](const Groups& groups) -> std::optional<Choice> {
    const std::size_t count = groups.ends.size();
    const bool all = pool.answer_size == 0 || pool.answer_size >= count || last_resort;
    const bool as_is = pool.order == config::Order::Fixed || pool.order == config::Order::Rotate;
    // More than kMaxGroups fit no answer anyway.
    if (count < 2 || (all && as_is) || count > Selection::kMaxGroups) return std::nullopt;
    const auto order = srv && as_is ? config::Order::Fixed : pool.order;
    return Choice{Selection(order, all ? count : pool.answer_size, groups.weights), groups.ends};
  };
  Groups first;
  Groups aaaa;
  if (last_resort) {
    for (std::uint32_t at = 0; at < first_octets_; at += kARecord) first.add(kARecord, 1);
    for (std::uint32_t at = 0; at < second_octets_; at += kAaaaRecord) aaaa.add(kAaaaRecord, 1);
  }
  for (const health::ServerId server : members.servers) {
    const Host& host = zones.hosts()[server];
    const std::uint32_t weight = weight_of(zones, members, server);
    first.add(srv ? kSrvHead + zones.name_at(host.name).size() : octets_of(zones, host.a).size(),
              weight);
    if (!srv) aaaa.add(octets_of(zones, host.aaaa).size(), weight);
  }
  auto choices = std::make_unique<Choices>();
  choices->first = choice_of(first);
  choices->aaaa = choice_of(aaaa);
  if (choices->first || choices->aaaa) choices_ = std::move(choices);
}

// The records of a host are those of any answer set that it is in: owner and TTL are the same.
void RenderedSet::render_addresses(const ZoneSet& zones, const PoolAnswers& pool,
                                   const health::Members& members) {
  std::uint8_t* a_end = octets();
  std::uint8_t* aaaa_end = octets() + first_octets_;
  if (members.fallback == health::Fallback::Addresses) {
    a_end = copy(a_end, octets_of(zones, pool.last_resort_a));
    aaaa_end = copy(aaaa_end, octets_of(zones, pool.last_resort_aaaa));
  }
  for (const health::ServerId server : members.servers) {
    a_end = copy(a_end, octets_of(zones, zones.hosts()[server].a));
    aaaa_end = copy(aaaa_end, octets_of(zones, zones.hosts()[server].aaaa));
  }
}

void RenderedSet::render_srv(const ZoneSet& zones, const AnswerSetPlan& plan,
                             const health::Members& members) {
  auto* targets = reinterpret_cast<Target*>(this + 1);
  std::uint8_t* at = octets();
  for (std::size_t index = 0; index < members.servers.size(); ++index) {
    const Host& host = zones.hosts()[members.servers[index]];
    const std::span<const std::uint8_t> target = zones.name_at(host.name);
    store_u16(at, kPointerMark | kHeaderOctets);
    store_u16(at + 2, static_cast<std::uint16_t>(RRType::SRV));
    store_u16(at + 4, static_cast<std::uint16_t>(RRClass::IN));
    store_u32(at + 6, zones.pools()[plan.pool].ttl);
    store_u16(at + 10, static_cast<std::uint16_t>(kSrvNumbers + target.size()));
    store_u16(at + 12, plan.priority);
    store_u16(at + 14,
              static_cast<std::uint16_t>(weight_of(zones, members, members.servers[index])));
    store_u16(at + 16, plan.port);
    at += kSrvHead;
    new (targets + index) Target{static_cast<std::uint32_t>(at - octets()), members.servers[index]};
    at = copy(at, target);  // not compressed: RFC 2782
  }
  assert(at == octets() + first_octets_);
  if (second_octets_ > 0) render_additional(zones);
}

void RenderedSet::render_additional(const ZoneSet& zones) {
  std::uint8_t* at = octets() + first_octets_;
  for (const Target& target : targets()) {
    const Host& host = zones.hosts()[target.server];
    if (!host.in_zone) continue;
    std::uint8_t* const end = copy(copy(at, octets_of(zones, host.a)), octets_of(zones, host.aaaa));
    while (at < end) {
      store_u16(at, static_cast<std::uint16_t>(kPointerMark | target.position));
      at += kRecordHead + load_u16(at + kRecordHead - 2);
    }
  }
  assert(at == octets() + first_octets_ + second_octets_);
}

}  // namespace sluice::dns
