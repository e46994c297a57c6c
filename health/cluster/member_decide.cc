// The turn, and what this responder decides while it has it: to the others first, into the answers
// then.

#include <algorithm>
#include <cassert>
#include <utility>

#include "health/cluster/member.h"
#include "health/cluster/own_records.h"

namespace sluice::cluster {
namespace {

// Who just took the turn may carry out what it took it for before another one takes it: it hears of
// the turn, and writes an edition, each of them a round trip to etcd's majority, 100 ms where that
// is on another continent.
constexpr base::Duration kUndisturbed = std::chrono::milliseconds(150);
// Others had taken the turn so often before this responder knew of the last time: it is far from
// etcd, and takes it from whoever has it.
constexpr unsigned kMostPassedOver = 3;
// An order that came to nothing so often, each time since another responder had taken the turn, is
// refused: somebody is very busy there.
constexpr unsigned kMostAttempts = 8;
// An engine that refuses changes (rights, a full quota) is asked again so much later.
constexpr base::Duration kRefusedPause = std::chrono::seconds(5);
// Of an order that waits for the turn.
constexpr base::Duration kPatience = std::chrono::seconds(5);

health::Refusal busy() {
  return health::refuse(health::Refusal::Kind::Unavailable,
                        "the other responders decide one thing after the other: ask again");
}

}  // namespace

// --- orders

void Member::order(Order order) {
  if (role_ == Role::CutOff || role_ == Role::Opening || !joined_) {
    if (order.alone && role_ == Role::CutOff) return act_alone(order);
    order.refuse(health::refuse(
        health::Refusal::Kind::Unavailable,
        "this responder is cut off from the others" +
            (stale_ ? " (" + stale_->reason + ")" : std::string()) +
            ": nothing can be decided here; ask another one, or (--local-force) hold it for this "
            "responder alone"));
    return;
  }
  if (refused_until_ && *refused_until_ > clock_.now().mono) {
    return order.refuse(health::refuse(health::Refusal::Kind::Unavailable,
                                       "etcd takes no changes: " + refused_why_));
  }
  ask(std::move(order), false);
}

void Member::ask(Order order, bool exclusive) {
  Asked& asked = orders_[++order_number_];
  asked.order = std::move(order);
  asked.exclusive = exclusive;
  asked.since = clock_.now().mono;
  act_on_orders();
}

// A reply from memory alone could be that of somebody who does not decide any more and has not
// heard of it: what others resumed since would be called held.
void Member::settled(std::uint64_t order, std::function<void()> reply) {
  if (alone_orders_.erase(order) > 0) {  // of this responder alone
    alone_replies_.emplace_back(last_local_, std::move(reply));
    return reply_alone();
  }
  const auto found = orders_.find(order);
  if (found == orders_.end() || !found->second.acted) return;  // it was told something else
  found->second.reply = std::move(reply);
  reply_to_settled();
}

void Member::reply_to_settled() {
  std::vector<std::function<void()>> replies;
  for (auto each = orders_.begin(); each != orders_.end();) {
    Asked& asked = each->second;
    if (asked.reply && asked.acted && asked.batch <= completed_) {
      replies.push_back(std::move(asked.reply));
      each = orders_.erase(each);
    } else {
      ++each;
    }
  }
  for (const auto& reply : replies) reply();
}

void Member::act_on_orders() {
  if (role_ == Role::Following) {
    const base::MonoTime now = clock_.now().mono;
    std::vector<Order> late;
    for (auto each = orders_.begin(); each != orders_.end();) {
      Asked& asked = each->second;
      const bool over = asked.attempts > kMostAttempts || now - asked.since > kPatience;
      if (over && !asked.acted) {
        late.push_back(std::move(asked.order));
        each = orders_.erase(each);
      } else {
        ++each;
      }
    }
    for (const Order& order : late) order.refuse(busy());
    const bool waits =
        std::ranges::any_of(orders_, [](const auto& each) { return !each.second.acted; });
    if (waits) want_turn();
    return;
  }
  if (!deciding() || listing_ || acting_ || (in_flight_ && in_flight_->lost)) return;
  std::vector<std::uint64_t> waiting;
  for (const auto& [number, asked] : orders_) {
    if (!asked.acted) waiting.push_back(number);
  }
  for (const std::uint64_t number : waiting) {
    const auto found = orders_.find(number);
    if (found == orders_.end() || found->second.acted) continue;
    // It changes numbers that what is under way is told in: that first.
    if (found->second.exclusive && has_undecided()) continue;
    found->second.acted = true;
    found->second.reply = nullptr;
    found->second.batch = batches_ + 1;
    ++found->second.attempts;
    // Whatever comes of it: an edition, which shows that this responder does decide.
    outgoing_.closes = true;
    schedule_flush();
    const auto act = found->second.order.act;
    acting_ = true;
    act(number);
    acting_ = false;
    if (!deciding()) return;
  }
}

// --- the turn

void Member::want_turn() {
  if (taking_turn_ || role_ != Role::Following || listing_ || !joined_) return;
  const base::MonoTime now = clock_.now().mono;
  if (refused_until_ && *refused_until_ > now) {
    take_turn_at_ = refused_until_;
    return;
  }
  refused_until_.reset();
  const bool other = turn_revision_ != 0 && !is_mine(turn_.responder, turn_.run);
  if (other && !turn_used_ && roster_.lives(turn_.responder, turn_.run) &&
      now - turn_since_ < kUndisturbed) {
    const auto jitter = base::Duration(static_cast<std::int64_t>(random_() % 8));
    take_turn_at_ = turn_since_ + kUndisturbed + jitter;
    return;
  }
  taking_turn_ = true;
  Transaction transaction;
  // That spares whoever has just taken it. What is decided stands on its revision in any case.
  if (passed_over_ < kMostPassedOver) transaction.conditions = {{"turn", turn_revision_}};
  transaction.writes = {write_of(TurnRecord{name(), run()})};
  kv_.commit(std::move(transaction), guarded([](Member& member, const Reply<Committed>& reply) {
               if (reply && reply->met) return;  // the watch brings it, after all that came before
               member.taking_turn_ = false;
               if (reply) ++member.passed_over_;
               // Another one has it: its turn comes by the watch. Or nobody knows.
               const base::Duration pause = reply ? base::Duration(5) : kRetry;
               member.take_turn_at_ = member.clock_.now().mono + pause;
             }));
}

void Member::become_decider() {
  authority_->judge_heard();
  role_ = Role::Deciding;
  vacant_since_.reset();
  take_turn_at_.reset();
  passed_over_ = 0;
  if (!buffer_.empty()) {
    // Whoever decided before ended amid an edition: it counts, and is closed.
    EditionRecord open = edition_;
    ++open.publication;  // nobody has confirmed what is in it
    for (const Record& record : buffer_) {
      const auto* pool = std::get_if<health::SharedPool>(&record);
      if (pool == nullptr) continue;
      for (const health::SharedSet& set : pool->sets) {
        open.generation = std::max(open.generation, set.generation);
      }
    }
    apply_buffer(open);
  }
  // An edition in any case: the others see that the turn was used.
  outgoing_.closes = true;
  authority_->take_turn(true);
  if (std::exchange(renew_, false)) authority_->renew();
  if (authority_->holds_alone()) authority_->adopt_local();
  act_on_orders();
  schedule_flush();
}

bool Member::has_undecided() const {
  return in_flight_.has_value() || !outgoing_.empty();
}

// Another one has the turn, says the watch. What was with the engine before that was carried out
// and came by the watch; what is left comes to nothing.
void Member::lose_turn() {
  authority_->take_turn(false);
  role_ = Role::Following;
  if (has_undecided()) roll_back();
}

// What this responder did and nobody else has comes to nothing: it is where the watch is, and who
// asked for it is served once more.
void Member::roll_back() {
  void_batches();
  follow_anew(read_image(mirror_.entries()).state);
  served(served_local_);
}

// Likewise, where the watch may not have brought yet what this responder had decided before.
void Member::begin_anew() {
  authority_->take_turn(false);
  role_ = Role::Following;
  void_batches();
  relist();
}

void Member::void_batches() {
  renew_ = renew_ || outgoing_.renews || (in_flight_ && in_flight_->renews);
  in_flight_.reset();
  outgoing_ = {};
  send_again_.reset();
  sending_ = false;
  // Under new numbers: what still comes of the first attempt is no reply to the second.
  std::map<std::uint64_t, Asked> again;
  for (auto each = orders_.begin(); each != orders_.end();) {
    if (each->second.acted && each->second.batch <= completed_) {
      ++each;
      continue;
    }
    each->second.acted = false;
    each->second.reply = nullptr;
    again.emplace(++order_number_, std::move(each->second));
    each = orders_.erase(each);
  }
  orders_.merge(again);
}

void Member::change(std::function<void()> change,
                    std::function<void(const std::string& why)> refuse) {
  Order order;
  // It can't be undone. Should it come to nothing with the others, they are told with the next
  // turn.
  order.act = [this, change = std::move(change)](std::uint64_t number) {
    change();
    orders_.erase(number);
  };
  order.refuse = [refuse = std::move(refuse)](const health::Refusal& refusal) {
    refuse(refusal.detail);
  };
  if (role_ == Role::CutOff || role_ == Role::Opening || !joined_) {
    return this->order(std::move(order));
  }
  ask(std::move(order), true);
}

void Member::configured(std::string digest) {
  settings_.about.configuration = std::move(digest);
  Write about = write_of(settings_.about);
  outgoing_.writes.insert_or_assign(about.key, about);
  outgoing_.renews = true;
  schedule_flush();
}

// --- what the authority decides

void Member::commit(std::vector<health::Change> changes,
                    std::function<void(health::Store::Stored)> done) {
  std::vector<Write> own;
  bool shared = false;
  for (const health::Change& change : changes) {
    if (const auto* hold = std::get_if<health::PutHold>(&change)) {
      own.push_back(own_write(hold->hold));
      if (hold->hold.local) {
        keep_alone(hold->hold, own);
        continue;
      }
      if (hold->hold.forced && deciding()) {
        // Everybody's, once the others can have it.
        outgoing_.done.push_back(
            guarded([key = hold->hold.key](Member& member, const health::Store::Stored& stored) {
              if (stored) member.copy_.keep_own({own_hold_erase(key)}, [](const auto&) {});
            }));
      }
    } else if (const auto* erased = std::get_if<health::EraseHold>(&change)) {
      own.push_back(own_erase(erased->key));
      own.push_back(own_hold_erase(erased->key));
    } else if (const auto* old = std::get_if<health::PruneAudit>(&change)) {
      if (deciding()) audit_.prune(*old);
    } else if (const auto* ttl = std::get_if<health::PutPoolTtl>(&change)) {
      own.push_back(own_write(*ttl));
    } else if (const auto* entry = std::get_if<health::AppendAudit>(&change)) {
      audit_.append(*entry);
      continue;
    }
    if (!deciding()) continue;
    const std::optional<Write> write = write_of(change, {});
    if (!write) continue;
    if (std::holds_alternative<health::PutHold>(change)) {
      // Its horizons are each responder's own: often nothing else has changed.
      const auto known = hold_values_.find(write->key);
      const bool queued = outgoing_.writes.contains(write->key) ||
                          (in_flight_ && in_flight_->writes.contains(write->key));
      if (!queued && known != hold_values_.end() && known->second == *write->value) continue;
    }
    outgoing_.writes.insert_or_assign(write->key, *write);
    shared = true;
  }
  if (!own.empty()) {
    // Of what is done alone its copy is all that there is: that is waited for.
    auto waits = alone_order_ ? std::exchange(done, nullptr) : nullptr;
    copy_.keep_own(std::move(own),
                   guarded([waits = std::move(waits)](Member& member, const Copy::Stored& stored) {
                     if (!stored) member.ports_.notice("this responder's copy: " + stored.error());
                     if (!waits) return;
                     if (stored) return waits(base::Done{});
                     waits(base::Unexpected{stored.error()});
                   }));
  }
  if (!audit_.empty()) schedule_flush();
  if (deciding() && (shared || has_undecided())) {
    if (done) outgoing_.done.push_back(std::move(done));
    schedule_flush();
  } else if (done) {
    ports_.later([done = std::move(done)] { done(base::Done{}); });
  }
}

std::uint64_t Member::publish(std::shared_ptr<const health::MembershipSnapshot> next,
                              std::span<const health::AnswerSetId> changed,
                              std::span<const health::ServerId> hosts, bool adjusts) {
  if (!deciding()) {
    answered_ = std::move(next);
    last_local_ =
        adjusts ? local_.adjust(answered_, changed) : local_.publish(answered_, changed, hosts);
    answers_by(following_publication_);
    return following_publication_;
  }
  Publication publication;
  publication.number = ++publication_;
  publication.snapshot = std::move(next);
  publication.changed.assign(changed.begin(), changed.end());
  publication.hosts.assign(hosts.begin(), hosts.end());
  publication.adjusts = adjusts;
  const auto topology = authority_->topology();
  for (const health::AnswerSetId set : changed) {
    const auto pool = topology->answer_sets()[set].service_pool;
    outgoing_.pools.insert(topology->service_pools()[pool].pool);
  }
  outgoing_.hosts.insert(hosts.begin(), hosts.end());
  outgoing_.publications.push_back(std::move(publication));
  schedule_flush();
  return publication_;
}

// What the newest local publication is to the others.
void Member::answers_by(std::uint64_t publication) {
  local_publications_.emplace_back(last_local_, publication);
}

// --- to the others

// What is decided in one go is written in one go.
void Member::schedule_flush() {
  if (flush_scheduled_) return;
  flush_scheduled_ = true;
  ports_.later(guarded([](Member& member) {
    member.flush_scheduled_ = false;
    member.flush();
    if (member.joined_ && member.role_ != Role::CutOff) member.audit_.flush();
  }));
}

void Member::flush() {
  if (!deciding() || in_flight_ || outgoing_.empty() || listing_) return;
  in_flight_ = std::move(outgoing_);
  outgoing_ = {};
  Batch& batch = *in_flight_;
  batch.number = ++batches_;
  batch.sent = clock_.now().mono;
  batch.edition = {publication_, authority_->generation(), authority_->renewed(), name(), run(),
                   batch.number};
  for (const health::PoolId pool : batch.pools) {
    Write write = write_of(authority_->shared_pool(pool));
    batch.writes.insert_or_assign(write.key, write);
  }
  for (const health::ServerId server : batch.hosts) {
    Write write = write_of(authority_->shared_host(server));
    batch.writes.insert_or_assign(write.key, write);
  }
  Transaction part;
  for (auto& [key, write] : batch.writes) {
    part.writes.push_back(write);
    if (part.writes.size() == Transaction::kMostWrites - 1) {
      batch.parts.push_back(std::exchange(part, {}));
    }
  }
  part.writes.push_back(write_of(batch.edition));
  // Whether it was done shows in the edition's revision: a second try does nothing.
  part.conditions.push_back({"edition", edition_revision_});
  batch.parts.push_back(std::move(part));
  for (Transaction& each : batch.parts) each.conditions.push_back({"turn", turn_revision_});
  send();
}

void Member::send() {
  sending_ = true;
  const std::uint64_t number = in_flight_->number;
  kv_.commit(in_flight_->parts[in_flight_->next_part],
             guarded([number](Member& member, const Reply<Committed>& reply) {
               member.on_sent(number, reply);
             }));
}

void Member::on_sent(std::uint64_t number, const Reply<Committed>& reply) {
  if (!in_flight_ || in_flight_->number != number) {
    sending_ = in_flight_ && sending_;
    return;  // the watch was faster, or it came to nothing
  }
  sending_ = false;
  if (!reply) {
    if (reply.error().kind == Failure::Kind::Refused) {
      ports_.notice("etcd refused a change: " + reply.error().text);
      refused_until_ = clock_.now().mono + kRefusedPause;
      refused_why_ = reply.error().text;
      const health::Refusal refusal =
          health::refuse(health::Refusal::Kind::StoreFailed, "etcd refused it: " + refused_why_);
      std::vector<Order> refused;
      for (auto each = orders_.begin(); each != orders_.end();) {
        if (each->second.acted && each->second.batch <= completed_) {
          ++each;
          continue;
        }
        refused.push_back(std::move(each->second.order));
        each = orders_.erase(each);
      }
      for (const Order& order : refused) order.refuse(refusal);
      return begin_anew();
    }
    in_flight_->uncertain = true;
    send_again_ = clock_.now().mono + kRetry;
    return;
  }
  if (!reply->met) {
    if (in_flight_->uncertain) return find_out();
    in_flight_->lost = true;
    send_again_ = clock_.now().mono + kRetry;  // should the watch be slow
    return;
  }
  if (++in_flight_->next_part < in_flight_->parts.size()) return send();
  complete(reply->revision);
}

// Whether it was carried out is not known: the edition says so.
void Member::find_out() {
  if (!in_flight_ || sending_) return;
  sending_ = true;
  const std::uint64_t number = in_flight_->number;
  kv_.list("edition", guarded([number](Member& member, const Reply<Listing>& reply) {
             if (!member.in_flight_ || member.in_flight_->number != number) return;
             member.sending_ = false;
             member.on_found_out(reply);
           }));
}

void Member::on_found_out(const Reply<Listing>& reply) {
  if (!reply) {
    send_again_ = clock_.now().mono + kRetry;
    return;
  }
  for (const Change& entry : reply->entries) {
    const auto record = read_record(entry);
    const auto* edition = record ? std::get_if<EditionRecord>(&*record) : nullptr;
    if (edition == nullptr) continue;
    if (is_mine(edition->by, edition->run) && edition->number == in_flight_->number) {
      return complete(entry.revision);
    }
    // Nothing came of it, and perhaps nothing is in its way.
    if (entry.revision == edition_revision_ && std::exchange(in_flight_->uncertain, false)) {
      return send();
    }
  }
  begin_anew();  // the turn went, and the watch has not said so
}

void Member::complete(std::int64_t revision) {
  Batch batch = *std::exchange(in_flight_, std::nullopt);
  send_again_.reset();
  sending_ = false;
  edition_ = batch.edition;
  edition_revision_ = std::max(edition_revision_, revision);
  turn_used_ = true;
  for (auto& [key, write] : batch.writes) {
    if (!key.starts_with("holds/")) continue;
    if (write.value) {
      hold_values_[key] = *write.value;
    } else {
      hold_values_.erase(key);
    }
  }
  completed_ = batch.number;
  commit_seconds_.observe(clock_.now().mono - batch.sent);
  for (Publication& publication : batch.publications) {
    answered_ = publication.snapshot;
    last_local_ = publication.adjusts
                      ? local_.adjust(std::move(publication.snapshot), publication.changed)
                      : local_.publish(std::move(publication.snapshot), publication.changed,
                                       publication.hosts);
    answers_by(publication.number);
  }
  if (batch.publications.empty()) answers_by(batch.edition.publication);
  served(served_local_);
  for (const auto& done : batch.done) done(base::Done{});
  reply_to_settled();
  flush();
  act_on_orders();
}

}  // namespace sluice::cluster
