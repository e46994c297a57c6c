// What the watch brings: who decides, what was decided, who else there is.

#include <algorithm>
#include <utility>

#include "health/cluster/member.h"
#include "health/cluster/own_records.h"

namespace sluice::cluster {

CopyQueue::Part Member::part_of(const Record& record) {
  if (std::holds_alternative<EditionRecord>(record)) return CopyQueue::Part::Edition;
  const bool decided = std::holds_alternative<health::Change>(record) ||
                       std::holds_alternative<health::SharedPool>(record) ||
                       std::holds_alternative<health::SharedHost>(record);
  return decided ? CopyQueue::Part::Decided : CopyQueue::Part::Other;
}

void Member::watch() {
  Kv::WatchCalls calls;
  calls.changed =
      guarded([](Member& member, const std::vector<Change>& changes) { member.changed(changes); });
  calls.compacted = guarded([](Member& member) {
    member.ports_.notice("what came next from etcd was compacted: listing everything anew");
    member.relist();
  });
  seen_ = clock_.now().mono;
  kv_.watch(revision_, std::move(calls));
}

void Member::changed(const std::vector<Change>& changes) {
  // A listing is to say it all.
  if (listing_ || role_ == Role::Opening || role_ == Role::CutOff) return;
  const base::Now now = clock_.now();
  const auto is_end = [](const Change& change) { return change.key == "cluster" && !change.value; };
  if (std::ranges::any_of(changes, is_end)) {
    return cut_off("etcd under " + settings_.prefix + " was emptied", true);
  }
  const std::int64_t known = revision_;
  for (const Change& change : changes) {
    if (change.revision <= known) continue;  // from the listing
    revision_ = std::max(revision_, change.revision);
    take(change, now);
    if (role_ == Role::CutOff || listing_) return;
  }
  authority_->judge_heard();
  if (uncopied_.urgent()) keep_copy();
  act_on_orders();
}

void Member::take(const Change& change, const base::Now& now) {
  const auto record = read_record(change);
  if (!record) {
    uncopied_.add(change, CopyQueue::Part::Other);
    return ports_.notice("not taken from etcd: " + record.error());
  }
  const CopyQueue::Part part = part_of(*record);
  uncopied_.add(change, part);
  if (part != CopyQueue::Part::Other) mirror_.take(change);
  if (const auto* turn = std::get_if<TurnRecord>(&*record)) return on_turn(*turn, change.revision);
  if (const auto* edition = std::get_if<EditionRecord>(&*record)) {
    return on_edition(*edition, change.revision);
  }
  if (const auto* report = std::get_if<health::AgentReport>(&*record)) return on_report(*report);
  if (const auto* gone = std::get_if<ForgottenAgent>(&*record)) {
    reports_.erase(gone->server);
    return;
  }
  if (change.key.starts_with("holds/")) {
    if (change.value) {
      hold_values_[change.key] = *change.value;
    } else {
      hold_values_.erase(change.key);
    }
  }
  if (part == CopyQueue::Part::Decided) {
    if (const auto* shared = std::get_if<health::Change>(&*record)) note_own(*shared);
    // While this responder decides they are its own.
    if (!deciding()) buffer_.push_back(*record);
    return;
  }
  on_roster(*record, now);
}

// What this responder keeps for itself of what others changed.
void Member::note_own(const health::Change& change) {
  if (const auto* erased = std::get_if<health::EraseHold>(&change)) {
    copy_.keep_own({own_hold_erase(erased->key), own_erase(erased->key)}, [](const auto&) {});
  } else if (const auto* base = std::get_if<health::PutSerialBase>(&change)) {
    if (ports_.serial_base) ports_.serial_base(*base);
  }
}

// --- who decides

void Member::on_turn(const TurnRecord& turn, std::int64_t revision) {
  turn_ = turn;
  turn_revision_ = revision;
  turn_since_ = clock_.now().mono;
  turn_used_ = false;
  if (is_mine(turn.responder, turn.run)) {
    taking_turn_ = false;
    if (!deciding()) become_decider();
  } else if (deciding()) {
    lose_turn();
  }
}

void Member::on_edition(const EditionRecord& edition, std::int64_t revision) {
  turn_used_ = true;
  watched_ = edition.publication;
  if (in_flight_ && is_mine(edition.by, edition.run) && edition.number == in_flight_->number) {
    complete(revision);  // the watch was faster than the answer
    return;
  }
  if (revision <= edition_revision_) return;
  edition_revision_ = revision;
  if (is_mine(edition.by, edition.run) && deciding()) {
    edition_ = edition;
    return;
  }
  apply_buffer(edition);
}

void Member::apply_buffer(const EditionRecord& edition) {
  edition_ = edition;
  publication_ = std::max(publication_, edition.publication);
  health::SharedEdition shared;
  shared.publication = edition.publication;
  shared.generation = edition.generation;
  shared.renewed = edition.renewed;
  for (Record& record : std::exchange(buffer_, {})) {
    if (auto* change = std::get_if<health::Change>(&record)) {
      shared.changes.push_back(std::move(*change));
    } else if (auto* pool = std::get_if<health::SharedPool>(&record)) {
      shared.pools.push_back(std::move(*pool));
    } else if (auto* host = std::get_if<health::SharedHost>(&record)) {
      shared.hosts.push_back(std::move(*host));
    }
  }
  following_publication_ = edition.publication;
  const std::uint64_t before = last_local_;
  authority_->follow(shared);
  // Nothing of it shows in answers: whoever answers by the publication before answers by this one.
  if (last_local_ == before) answers_by(edition.publication);
  served(served_local_);
  tell_confirmations();
}

// --- what agents of others say

void Member::on_report(const health::AgentReport& report) {
  reports_[report.server] = report;
  if (is_mine(report.responder, report.run)) return;
  authority_->hear(report, roster_.lives(report.responder, report.run));
}

void Member::on_roster(const Record& record, const base::Now& now) {
  if (const auto* alive = std::get_if<AliveRecord>(&record)) {
    const Roster::Responder* known = roster_.find(alive->name);
    const std::string before = known == nullptr ? "" : known->run;
    roster_.take(record, now, Roster::Age::News);
    if (!before.empty() && before != alive->run) {
      if (!is_mine(alive->name, before)) authority_->orphan(alive->name, before);
      if (alive->run.empty()) ports_.notice("responder " + alive->name + " is not alive any more");
    }
    if (!alive->run.empty() && before != alive->run && !is_mine(alive->name, alive->run)) {
      // Reports may have come before it.
      for (const auto& [server, report] : reports_) {
        if (report.responder == alive->name && report.run == alive->run) {
          authority_->hear(report, true);
        }
      }
    }
    if (alive->name == name() && alive->run.empty() && joined_) presence_.forget();
    return tell_confirmations();
  }
  if (const auto* served = std::get_if<ServedRecord>(&record)) {
    if (is_mine(served->name, served->run)) seen_ = now.mono;
  }
  if (const auto* forgotten = std::get_if<ForgottenResponder>(&record)) {
    if (forgotten->name == name() && joined_) {
      ports_.notice("an operator had this responder forgotten: it registers anew");
      roster_.take(record, now, Roster::Age::News);
      return register_self();
    }
  }
  roster_.take(record, now, Roster::Age::News);
  tell_confirmations();
}

// --- the copy

// At once what is to be confirmed; with each beat what else came.
void Member::keep_copy() {
  std::optional<CopyQueue::Batch> batch = uncopied_.take();
  if (!batch) return;
  copy_.keep(batch->revision, std::move(batch->changes),
             guarded([publication = watched_](Member& member, const Copy::Stored& stored) {
               member.on_copied(publication, stored);
             }));
}

void Member::replace_copy(std::vector<Change> entries) {
  copy_.replace(cluster_, revision_, std::move(entries),
                guarded([publication = watched_](Member& member, const Copy::Stored& stored) {
                  member.on_copied(publication, stored);
                }));
}

void Member::on_copied(std::uint64_t publication, const Copy::Stored& stored) {
  if (!stored) return ports_.notice("this responder's copy of the cluster: " + stored.error());
  copied_ = std::max(copied_, publication);
  tell_served();
}

}  // namespace sluice::cluster
