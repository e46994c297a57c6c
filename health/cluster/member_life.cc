// A responder's life among the others: known to them, alive, cut off, back again.

#include <algorithm>
#include <utility>

#include "health/cluster/member.h"
#include "health/cluster/own_records.h"

namespace sluice::cluster {
namespace {

// How often it shows that it is alive, and has its own watch show that it lives: three times within
// the lease.
constexpr base::Duration kBeat = std::chrono::milliseconds(1'000);
// Who hears nothing of itself for so long is cut off.
constexpr base::Duration kSilence = Presence::kLease;
// While it is cut off it looks so often whether it still is.
constexpr base::Duration kLookAgain = std::chrono::milliseconds(500);
// Nobody decides: the first by name takes the turn, the next one so much later, and so on.
constexpr base::Duration kRankGap = std::chrono::milliseconds(700);

}  // namespace

void Member::join(std::vector<std::string> dns, std::vector<std::string> api) {
  settings_.about.dns = std::move(dns);
  settings_.about.api = std::move(api);
  joined_ = true;
  next_beat_ = clock_.now().mono;
  if (role_ == Role::Following) {
    watch();
    register_self();
    for (const auto& [server, report] : reports_) {
      if (roster_.lives(report.responder, report.run)) authority_->hear(report, true);
    }
    authority_->judge_heard();
  }
  tick();
}

void Member::register_self() {
  const auto known = roster_.find(name());
  const bool changed = known != nullptr && !known->about.name.empty() &&
                       known->about.configuration != settings_.about.configuration;
  if (changed) renew_ = true;
  Transaction transaction;
  transaction.writes = {write_of(settings_.about)};
  kv_.commit(std::move(transaction), guarded([](Member& member, const Reply<Committed>& reply) {
               if (reply) return;
               member.ports_.notice("could not be registered: " + reply.error().text);
             }));
  presence_.renew();
  tell_served(true);
}

void Member::tick() {
  if (acting_) return;  // a reload is in the middle
  const base::Now now = clock_.now();
  // Whoever was stopped, or busy, finds what came meanwhile first.
  if (now.mono - ticked_ > 2 * kBeat && role_ == Role::Following) {
    seen_ = std::max(seen_, now.mono - kSilence + kBeat);
  }
  ticked_ = now.mono;
  if (role_ == Role::Opening) {
    if (list_again_ && *list_again_ <= now.mono && !listing_) list_for_start();
    return;
  }
  if (!joined_) return;
  if (role_ == Role::CutOff) {
    if (list_again_ && *list_again_ <= now.mono && !listing_) relist();
  } else {
    if (now.mono - seen_ > kSilence) {
      cut_off("etcd has not answered for " + std::to_string(Presence::kLease.count()) + " s",
              false);
    } else if (now.mono - seen_ > 2 * kBeat && now.mono - rewatched_ > 2 * kBeat) {
      rewatched_ = now.mono;  // half open, perhaps
      kv_.renew_watch();
    }
  }
  if (next_beat_ <= now.mono) beat(now);
  if (role_ == Role::CutOff) return;
  if (send_again_ && *send_again_ <= now.mono && !sending_) {
    send_again_.reset();
    find_out();
  }
  if (share_again_ && *share_again_ <= now.mono) {
    share_again_.reset();
    flush_shares();
  }
  if (take_turn_at_ && *take_turn_at_ <= now.mono) {
    take_turn_at_.reset();
    act_on_orders();
  }
  take_vacant_turn(now);
}

std::optional<base::MonoTime> Member::next_deadline() const {
  if (role_ == Role::Opening) return list_again_;
  if (!joined_) return std::nullopt;
  std::optional<base::MonoTime> next = next_beat_;
  const auto consider = [&](const std::optional<base::MonoTime>& at) {
    if (at) next = std::min(*next, *at);
  };
  // What tick() does not look at now must wake nobody.
  if (role_ == Role::CutOff) {
    if (!listing_) consider(list_again_);
    return next;
  }
  if (!sending_) consider(send_again_);
  consider(share_again_);
  consider(take_turn_at_);
  return next;
}

void Member::beat(const base::Now& now) {
  next_beat_ = now.mono + kBeat;
  if (role_ == Role::CutOff) return;
  presence_.renew();
  tell_served(true);
  audit_.flush();
  keep_copy();
  roster_.judge(publication_, now.wall);
  tell_confirmations();
}

void Member::leave(std::function<void()> done) {
  if (role_ == Role::CutOff) return done();
  presence_.leave(std::move(done));
}

// --- confirmations

void Member::served(std::uint64_t local_publication) {
  served_local_ = std::max(served_local_, local_publication);
  while (!local_publications_.empty() && local_publications_.front().first <= served_local_) {
    served_ = std::max(served_, local_publications_.front().second);
    local_publications_.pop_front();
  }
  reply_alone();
  tell_served();
}

// What this responder promises: its workers answer by it, and so will its next run, even one that
// starts from the copy alone.
void Member::tell_served(bool anyway) {
  const std::uint64_t is = std::min(served_, copied_);
  if (is >= edition_.publication) confirmed_generation_ = edition_.generation;
  tell_confirmations();
  if (!joined_ || role_ == Role::CutOff || telling_served_) return;
  if (is <= told_served_ && !anyway) return;
  telling_served_ = true;
  Transaction transaction;
  transaction.writes = {
      write_of(ServedRecord{name(), run(), is, confirmed_generation_, clock_.now().wall})};
  kv_.commit(std::move(transaction), guarded([is](Member& member, const Reply<Committed>& reply) {
               member.telling_served_ = false;
               if (!reply) return;  // with the next beat, or what is served next
               member.told_served_ = is;
               member.tell_served();
             }));
}

void Member::tell_confirmations() {
  if (authority_ == nullptr) return;
  authority_->confirm(roster_.confirmations(name(), std::min(served_, copied_)));
}

// --- cut off, and back

void Member::set_stale(std::optional<Stale> stale) {
  stale_ = std::move(stale);
  if (stale_changed_) stale_changed_();
}

void Member::cut_off(const std::string& why, bool alarm) {
  if (alarm) alarm_ = why;
  ports_.notice((alarm ? "ALARM: " : "cut off from the others: ") + why +
                "; answering by what was decided last");
  const base::Now now = clock_.now();
  if (!stale_) set_stale(Stale{now.wall, why});
  role_ = Role::CutOff;
  authority_->take_turn(false);
  void_batches();
  // What it had decided and could not tell is in no answer.
  if (answered_) authority_->answers_are(answered_);
  taking_turn_ = false;
  buffer_.clear();
  uncopied_.clear();
  list_again_ = now.mono + kLookAgain;
  refuse_all(why);
}

void Member::refuse_all(const std::string& why) {
  health::Refusal refusal = health::refuse(
      health::Refusal::Kind::Unavailable,
      "this responder is cut off from the others (" + why +
          "): nothing can be decided here; ask another one, or (--local-force) hold it for this "
          "responder alone");
  for (auto& [number, asked] : std::exchange(orders_, {})) {
    if (asked.acted) {
      refusal.detail = "this responder was cut off from the others meanwhile (" + why +
                       "): it may be in force or not; asking again is harmless";
    }
    asked.order.refuse(refusal);
  }
}

// Everything anew: it was cut off, or missed something.
void Member::relist() {
  if (listing_) return;
  listing_ = true;
  list_again_.reset();
  kv_.list("", guarded([](Member& member, const Reply<Listing>& reply) {
             member.listing_ = false;
             member.on_listing(reply);
           }));
}

void Member::on_listing(const Reply<Listing>& reply) {
  const base::Now now = clock_.now();
  if (!reply) {
    if (role_ != Role::CutOff) return cut_off(reply.error().text, false);
    list_again_ = now.mono + kLookAgain;
    return;
  }
  Image image = read_image(reply->entries);
  // It started before there was a cluster.
  if (!image.cluster && reply->entries.empty() && cluster_.empty()) return found_cluster();
  if (const auto why = objection(*reply, image)) {
    if (alarm_ != *why || role_ != Role::CutOff) cut_off(*why, true);
    list_again_ = now.mono + 2 * kLookAgain;
    return;
  }
  resynchronise(*reply, std::move(image));
}

// What this responder decided beyond that came to nothing.
void Member::follow_anew(health::SharedState whole) {
  publication_ = edition_.publication;
  following_publication_ = whole.publication = std::max<std::uint64_t>(edition_.publication, 1);
  const std::uint64_t before = last_local_;
  authority_->follow(whole);
  if (last_local_ == before) answers_by(following_publication_);
}

void Member::resynchronise(const Listing& listing, Image image) {
  if (deciding()) authority_->take_turn(false);
  void_batches();
  cluster_ = image.cluster->id;
  note_shared(listing.entries, listing.revision);
  role_ = Role::Following;
  taking_turn_ = false;
  for (const std::string& line : image.unreadable) ports_.notice("not taken from etcd: " + line);
  std::erase_if(image.state.agents, [&](const health::AgentReport& report) {
    return is_mine(report.responder, report.run);
  });
  replace_copy(listing.entries);
  if (ports_.serial_base) {
    for (const auto& [zone, base] : image.state.stored.serial_bases) {
      ports_.serial_base({zone, base});
    }
  }
  if (authority_->holds_alone()) {
    // What others hold as well is everybody's.
    std::vector<Write> own;
    for (const health::Hold& hold : image.state.stored.holds) {
      own.push_back(own_hold_erase(hold.key));
    }
    if (!own.empty()) copy_.keep_own(std::move(own), [](const auto&) {});
  }
  for (auto& [number, order] : std::exchange(alone_orders_, {})) {
    order.refuse(health::refuse(health::Refusal::Kind::Unavailable,
                                "the others can be reached again: ask again"));
  }
  follow_anew(std::move(image.state));
  for (const auto& [server, report] : reports_) {
    if (is_mine(report.responder, report.run)) continue;
    if (roster_.lives(report.responder, report.run)) authority_->hear(report, true);
  }
  authority_->judge_heard();
  if (stale_) {
    ports_.notice("the others can be reached again");
    alarm_.clear();
    set_stale(std::nullopt);
  }
  watch();
  served(served_local_);
  if (!joined_) return;
  // It took the turn while it was listed: the watch says nothing of it any more.
  if (is_mine(turn_.responder, turn_.run) &&
      (!refused_until_ || *refused_until_ <= clock_.now().mono)) {
    become_decider();
  }
  presence_.forget();
  register_self();
  shares_.clear();
  authority_->share_all();
  tell_confirmations();
  act_on_orders();
}

// --- what is told of agents

void Member::share(health::AgentReport report) {
  report.responder = name();
  report.run = run();
  Write write = write_of(report);
  const std::string key = write.key;
  shares_.insert_or_assign(key, std::move(write));
  if (sharing_ || share_again_) return;
  share_again_ = clock_.now().mono;
  ports_.later(guarded([](Member& member) {
    member.share_again_.reset();
    member.flush_shares();
  }));
}

void Member::flush_shares() {
  if (sharing_ || shares_.empty() || !joined_ || role_ == Role::CutOff) return;
  sharing_ = true;
  Transaction transaction;
  while (!shares_.empty() && transaction.writes.size() < Transaction::kMostWrites) {
    transaction.writes.push_back(std::move(shares_.begin()->second));
    shares_.erase(shares_.begin());
  }
  const std::vector<Write> sent = transaction.writes;
  kv_.commit(std::move(transaction), guarded([sent](Member& member, const Reply<Committed>& reply) {
               member.sharing_ = false;
               if (!reply) {
                 for (const Write& write : sent) member.shares_.try_emplace(write.key, write);
                 member.share_again_ = member.clock_.now().mono + kRetry;
                 return;
               }
               member.flush_shares();
             }));
}

// --- nobody decides

// What time does (leases that end, plans whose time comes) somebody must decide.
void Member::take_vacant_turn(const base::Now& now) {
  if (role_ != Role::Following || taking_turn_) return;
  if (renew_ || authority_->undecided() || authority_->holds_alone()) return want_turn();
  if (turn_revision_ != 0 && roster_.lives(turn_.responder, turn_.run)) {
    vacant_since_.reset();
    return;
  }
  if (!vacant_since_) vacant_since_ = now.mono;
  const auto rank = roster_.rank(name());
  if (rank && now.mono - *vacant_since_ >= static_cast<int>(*rank) * kRankGap) want_turn();
}

// --- for people

void Member::forget(const std::string& who, std::function<void(health::Outcome<base::Done>)> done) {
  using health::Refusal;
  const auto refuse = [&](Refusal::Kind kind, std::string text, const char* rule) {
    Refusal refusal = health::refuse(kind, std::move(text));
    refusal.rule = rule;
    done(base::Unexpected{std::move(refusal)});
  };
  if (role_ == Role::CutOff || role_ == Role::Opening) {
    return refuse(Refusal::Kind::Unavailable,
                  "this responder is cut off from the others: ask another one", "");
  }
  const Roster::Responder* known = roster_.find(who);
  if (known == nullptr) {
    std::string all;
    for (const auto& [each, responder] : roster_.all()) all += (all.empty() ? "" : ", ") + each;
    return refuse(Refusal::Kind::NotFound,
                  "no responder " + who + " in this cluster: it has " + all, "");
  }
  if (who == name()) {
    return refuse(Refusal::Kind::Rule,
                  who + " is the one that was asked, and alive: stop it, and ask another one",
                  "alive");
  }
  if (!known->run.empty()) {
    return refuse(Refusal::Kind::Rule, who + " is alive: stop it first", "alive");
  }
  Transaction transaction;
  transaction.conditions = {{"alive/" + who, 0}};
  transaction.writes = {{"responders/" + who, std::nullopt, 0}, {"served/" + who, std::nullopt, 0}};
  kv_.commit(std::move(transaction), [who, done = std::move(done)](const Reply<Committed>& reply) {
    if (!reply) {
      return done(base::Unexpected{
          health::refuse(Refusal::Kind::Unavailable, "etcd: " + reply.error().text)});
    }
    if (!reply->met) {
      Refusal refusal = health::refuse(Refusal::Kind::Rule, who + " is alive again");
      refusal.rule = "alive";
      return done(base::Unexpected{std::move(refusal)});
    }
    done(base::Done{});
  });
}

health::ClusterView Member::view() const {
  health::ClusterView view;
  view.id = cluster_;
  view.prefix = settings_.prefix;
  view.state = deciding()                 ? health::ClusterState::Deciding
               : role_ == Role::Following ? health::ClusterState::Following
               : cluster_.empty()         ? health::ClusterState::Alone
                                          : health::ClusterState::CutOff;
  if (stale_) view.stale_since = stale_->since;
  view.revision = revision_;
  view.alarm = alarm_;
  view.decider = turn_.responder;
  view.generation = authority_->generation();
  view.publication = publication_;
  for (const auto& [each, responder] : roster_.all()) {
    if (responder.about.name.empty()) continue;
    health::ClusterResponderView shown;
    shown.name = each;
    shown.self = each == name();
    shown.alive = shown.self ? joined_ && role_ != Role::CutOff : !responder.run.empty();
    shown.decides = each == turn_.responder && shown.alive;
    shown.publication = shown.self         ? std::min(served_, copied_)
                        : responder.served ? responder.served->publication
                                           : 0;
    shown.generation = responder.served ? responder.served->generation : 0;
    shown.behind = publication_ > shown.publication ? publication_ - shown.publication : 0;
    shown.unconfirmed_since = responder.behind_since;
    if (!shown.self) shown.clock_offset = roster_.clock_offset(each);
    shown.since = responder.about.since;
    shown.version = responder.about.version;
    shown.dns = responder.about.dns;
    shown.api = responder.about.api;
    shown.configuration = responder.about.configuration;
    shown.same_configuration = responder.about.configuration == settings_.about.configuration;
    if (!shown.same_configuration) {
      view.warnings.push_back(each + " has another configuration than " + name());
    }
    // What is planned by the clock happens by that of the responder which decides then.
    constexpr base::Duration kMuch = std::chrono::seconds(2);
    if (shown.clock_offset && shown.alive &&
        (*shown.clock_offset > kMuch || *shown.clock_offset < -kMuch)) {
      view.warnings.push_back(
          "the clock of " + each + " differs by " +
          std::to_string(
              std::chrono::duration_cast<std::chrono::seconds>(*shown.clock_offset).count()) +
          " s");
    }
    view.responders.push_back(std::move(shown));
  }
  return view;
}

}  // namespace sluice::cluster
