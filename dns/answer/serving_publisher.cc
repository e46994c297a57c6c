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

// Brings the zone's serial to that of `generation`, unless a later one has been there.
void raise_serial(ServingSnapshot& snapshot, ZoneId zone, std::uint64_t generation) {
  const std::uint32_t serial =
      snapshot.zones->zones()[zone].serial_base + static_cast<std::uint32_t>(generation);
  const std::uint32_t* current = snapshot.soa_serials.find(zone);
  // RFC 1982 section 3.2: less than half the numbers ahead is greater.
  if (current != nullptr && static_cast<std::int32_t>(serial - *current) <= 0) return;
  snapshot.soa_serials.set(zone, std::make_shared<const std::uint32_t>(serial));
}

void raise_all_serials(ServingSnapshot& snapshot, std::uint64_t generation) {
  for (ZoneId zone = 0; zone < snapshot.zones->zones().size(); ++zone) {
    raise_serial(snapshot, zone, generation);
  }
}

void raise_host_serial(ServingSnapshot& snapshot, const health::HostChange& change) {
  const Host& host = snapshot.zones->hosts()[change.server];
  if (host.in_zone) raise_serial(snapshot, host.zone, change.generation);
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
  take(std::move(settings));
}

void ServingPublisher::take(ResponseSettings settings) {
  settings.stale = stale_;
  settings_ = std::make_shared<const ResponseSettings>(std::move(settings));
}

void ServingPublisher::mark_stale(bool stale) {
  if (stale == stale_) return;
  stale_ = stale;
  take(*settings_);
  if (prepared_ != nullptr) return;  // it comes with the next publication
  auto snapshot = std::make_shared<ServingSnapshot>(*current_);
  snapshot->settings = settings_;
  serve(std::move(snapshot));
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
  renewed_ = members.renewed;
  raise_all_serials(*snapshot, renewed_);
  for (health::AnswerSetId id = 0; id < sets; ++id) {
    raise_serial(*snapshot, snapshot->zones->answer_sets()[id].zone,
                 members.answer_sets[id].generation);
  }
  for (const health::HostChange& change : members.host_changes) {
    raise_host_serial(*snapshot, change);
  }
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
    raise_serial(*snapshot, snapshot->zones->answer_sets()[id].zone,
                 members.answer_sets[id].generation);
  }
  for (const health::ServerId server : changed_hosts) {
    const auto change =
        std::ranges::lower_bound(members.host_changes, server, {}, &health::HostChange::server);
    assert(change != members.host_changes.end() && change->server == server);
    raise_host_serial(*snapshot, *change);
  }
  if (members.renewed != renewed_) {
    renewed_ = members.renewed;
    raise_all_serials(*snapshot, renewed_);
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
