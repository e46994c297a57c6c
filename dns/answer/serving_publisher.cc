#include "dns/answer/serving_publisher.h"

#include <algorithm>
#include <cassert>

#include "dns/answer/rendered.h"
#include "dns/zone/zone_set.h"

namespace sluice::dns {

namespace {

std::shared_ptr<const ServingSnapshot> nothing_served() {
  auto snapshot = std::make_shared<ServingSnapshot>();
  snapshot->zones = std::make_shared<const ZoneSet>();
  snapshot->settings = std::make_shared<const ResponseSettings>();
  snapshot->counts = std::make_shared<AnswerSetCounts>();
  return snapshot;
}

void renew_serial(ServingSnapshot& snapshot, ZoneId zone) {
  const auto generation = static_cast<std::uint32_t>(snapshot.generation);
  const std::uint32_t serial = snapshot.zones->zones()[zone].serial_base + generation;
  const std::uint32_t* current = snapshot.soa_serials.find(zone);
  if (current != nullptr && *current == serial) return;  // another set of the zone did it
  snapshot.soa_serials.set(zone, std::make_shared<const std::uint32_t>(serial));
}

// REQUIRES: the pool FQDN's set, whose number is lower than those of the pool's others, is up to
// date. Features mostly have the members of their pool: then they share its octets, which leave the
// owner open.
void renew_set(ServingSnapshot& snapshot, const health::MembershipSnapshot& members,
               health::AnswerSetId id, RenderRoom* room = nullptr) {
  const AnswerSetPlan& plan = snapshot.zones->answer_sets()[id];
  const health::AnswerSetId first = snapshot.zones->pools()[plan.pool].first_answer_set;
  const health::Members& wanted = members.answer_sets[id];
  const bool alike = id != first && !plan.srv && wanted.same_answer(members.answer_sets[first]);
  const RenderedSet* before = snapshot.answer_sets.find(id);
  if (before != nullptr && before->is_capped()) --snapshot.capped_sets;
  snapshot.answer_sets.set(
      id, alike ? snapshot.answer_sets.share(first) : render(*snapshot.zones, id, wanted, room));
  if (snapshot.answer_sets[id].is_capped()) ++snapshot.capped_sets;
}

std::vector<health::AnswerSetId> ascending(std::span<const health::AnswerSetId> sets) {
  std::vector<health::AnswerSetId> sorted(sets.begin(), sets.end());
  std::ranges::sort(sorted);
  return sorted;
}

}  // namespace

ServingPublisher::ServingPublisher(std::shared_ptr<const ZoneSet> zones, ResponseSettings settings,
                                   std::size_t workers)
    : prepared_(std::move(zones)),
      settings_(std::make_shared<const ResponseSettings>(std::move(settings))),
      current_(nothing_served()),
      cell_(current_),
      ledger_(workers) {
  assert(prepared_ != nullptr);
}

void ServingPublisher::prepare(std::shared_ptr<const ZoneSet> zones, ResponseSettings settings) {
  assert(zones != nullptr);
  prepared_ = std::move(zones);
  settings_ = std::make_shared<const ResponseSettings>(std::move(settings));
}

std::uint64_t ServingPublisher::publish(std::shared_ptr<const health::MembershipSnapshot> next,
                                        std::span<const health::AnswerSetId> changed,
                                        std::span<const health::ServerId> changed_hosts) {
  return serve(prepared_ != nullptr ? everything(*next)
                                    : differences(*next, changed, changed_hosts));
}

std::uint64_t ServingPublisher::adjust(std::shared_ptr<const health::MembershipSnapshot> next,
                                       std::span<const health::AnswerSetId> changed) {
  assert(next->generation == current_->generation);
  auto snapshot = std::make_shared<ServingSnapshot>(*current_);
  snapshot->leaving_hosts = next->leaving_hosts;
  for (const health::AnswerSetId id : ascending(changed)) {
    const AnswerSetPlan& plan = snapshot->zones->answer_sets()[id];
    const bool weighs = plan.srv || snapshot->zones->pools()[plan.pool].weighs();
    const bool other_end = snapshot->answer_sets[id].not_after() != next->answer_sets[id].not_after;
    if (weighs || other_end) renew_set(*snapshot, *next, id);
  }
  return serve(std::move(snapshot));
}

std::uint64_t ServingPublisher::serve(std::shared_ptr<const ServingSnapshot> snapshot) {
  current_ = snapshot;
  std::shared_ptr<const ServingSnapshot> replaced = cell_.publish(std::move(snapshot));
  const std::uint64_t publication = cell_.publication();
  retired_.push_back({publication, std::move(replaced)});
  if (wake_) wake_();
  return publication;
}

std::shared_ptr<ServingSnapshot> ServingPublisher::everything(
    const health::MembershipSnapshot& members) {
  auto snapshot = std::make_shared<ServingSnapshot>();
  snapshot->generation = members.generation;
  snapshot->zones = std::move(prepared_);
  prepared_ = nullptr;
  snapshot->settings = settings_;
  snapshot->counts = ledger_.open(snapshot->zones);
  snapshot->hidden_hosts = members.hidden_hosts;
  snapshot->leaving_hosts = members.leaving_hosts;
  const std::size_t sets = snapshot->zones->answer_sets().size();
  const std::size_t zones = snapshot->zones->zones().size();
  assert(members.answer_sets.size() == sets);
  snapshot->answer_sets = base::PagedTable<RenderedSet>(sets);
  snapshot->soa_serials = base::PagedTable<std::uint32_t>(zones);
  RenderRoom room(sets);
  for (health::AnswerSetId id = 0; id < sets; ++id) renew_set(*snapshot, members, id, &room);
  for (ZoneId zone = 0; zone < zones; ++zone) renew_serial(*snapshot, zone);
  return snapshot;
}

std::shared_ptr<ServingSnapshot> ServingPublisher::differences(
    const health::MembershipSnapshot& members, std::span<const health::AnswerSetId> changed,
    std::span<const health::ServerId> changed_hosts) {
  auto snapshot = std::make_shared<ServingSnapshot>(*current_);
  snapshot->generation = members.generation;
  snapshot->hidden_hosts = members.hidden_hosts;
  snapshot->leaving_hosts = members.leaving_hosts;
  for (const health::AnswerSetId id : ascending(changed)) {
    renew_set(*snapshot, members, id);
    renew_serial(*snapshot, snapshot->zones->answer_sets()[id].zone);
  }
  for (const health::ServerId server : changed_hosts) {
    const Host& host = snapshot->zones->hosts()[server];
    if (host.in_zone) renew_serial(*snapshot, host.zone);
  }
  return snapshot;
}

void ServingPublisher::served(std::uint64_t publication) {
  std::erase_if(retired_, [&](const Retired& old) { return old.replaced_by <= publication; });
  // Whoever counts still does so by the oldest that is left, or a later one.
  const ServingSnapshot& oldest = retired_.empty() ? *current_ : *retired_.front().snapshot;
  ledger_.close_before(*oldest.counts);
}

}  // namespace sluice::dns
