// What is told of what happens, and what of it goes to disk.

#include <utility>

#include "health/authority_state.h"

namespace sluice::health {

Event Authority::State::event_of(EventType type, std::string_view server, std::string_view service,
                                 const Actor& actor, std::string text) const {
  Event event;
  event.at = clock_.now().wall;
  event.type = type;
  event.server = server;
  event.service = service;
  event.by = actor.by;
  event.origin = actor.origin;
  event.text = std::move(text);
  event.generation = membership_ == nullptr ? 0 : membership_->generation;
  return event;
}

void Authority::State::say(EventType type, std::string_view server, std::string_view service,
                           const Actor& actor, std::string text) {
  tell(event_of(type, server, service, actor, std::move(text)));
}

void Authority::State::tell(Event event) {
  if (is_durable(event.type)) unaudited_.emplace_back(AppendAudit{event});
  if (events_) events_(event);
}

// Who asks in a loop is refused in a loop: an agent pushes its host's pause with each heartbeat
// until it hears of the refusal. Those that are alike are told once a minute, with their number.
void Authority::State::tell_refusal(std::string_view server, std::string_view service,
                                    const Actor& actor, const Refusal& refusal) {
  ++refusals_total_;
  const auto repeated = refusals_.note(
      {std::string(server), std::string(service), actor.by, refusal.rule}, clock_.now().mono);
  if (!repeated) return;
  Event event = event_of(EventType::Refusal, server, service, actor, refusal.detail);
  if (*repeated > 0) event.text += "; " + std::to_string(*repeated) + " more like it before";
  event.rule = refusal.rule;
  event.answer_set = refusal.answer_set;
  event.numbers = refusal.numbers;
  tell(std::move(event));
}

// A status that differs from the one that was told last.
void Authority::State::tell_statuses(ServerId id, const base::Now& now) {
  for (std::size_t slot = 0; slot < slot_count(id); ++slot) {
    const Status is = status(id, slot, now);
    const Status was = at(id, slot).service->told;
    if (is == was) continue;
    at(id, slot).service.edit().told = is;
    if (!events_) continue;
    Event event = event_of(EventType::Status, name(id), service_name(id, slot), {},
                           std::string(to_string(was)) + " -> " + to_string(is));
    event.was = to_string(was);
    event.status = to_string(is);
    events_(event);
  }
}

bool Authority::State::statuses_differ(ServerId id, const base::Now& now) const {
  for (std::size_t slot = 0; slot < slot_count(id); ++slot) {
    if (status(id, slot, now) != at(id, slot).service->told) return true;
  }
  return false;
}

// To the store, with whatever there is to audit: what was done and that it was done are one
// transaction. `done` may be empty; it is not called once the authority is gone.
void Authority::State::commit(std::vector<Change> changes, Store::Urgency urgency, Done done) {
  std::vector<Change> audit = std::exchange(unaudited_, {});
  changes.insert(changes.end(), audit.begin(), audit.end());
  store_.commit(std::move(changes), urgency,
                [self = std::weak_ptr(self_), audit = std::move(audit),
                 done = std::move(done)](const Store::Stored& stored) {
                  const auto state = self.lock();
                  if (!state) return;
                  (*state)->note_store(stored, audit);
                  if (done) done(stored);
                });
}

// What was told without anything else to store: behind, nobody waits for it.
void Authority::State::flush_audit() {
  if (!unaudited_.empty()) commit({}, Store::Urgency::Behind);
}

// A store that fails keeps no audit: what it did not take waits for the next time, within bounds.
void Authority::State::note_store(const Store::Stored& stored, const std::vector<Change>& audit) {
  constexpr std::size_t kMostWaiting = 1'000;
  if (!stored) {
    ++store_failures_total_;
    if (unaudited_.size() < kMostWaiting) {
      unaudited_.insert(unaudited_.begin(), audit.begin(), audit.end());
    }
  }
  if (store_failing_ == !stored.has_value()) return;
  store_failing_ = !stored.has_value();
  say(EventType::Store, "", "", {},
      stored ? "the store works again" : "the store failed: " + stored.error());
  if (stored) write_what_waits();
}

}  // namespace sluice::health
