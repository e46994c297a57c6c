#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/base/clock.h"
#include "health/authority.h"
#include "health/cluster/audit_log.h"
#include "health/cluster/copy.h"
#include "health/cluster/copy_queue.h"
#include "health/cluster/kv.h"
#include "health/cluster/mirror.h"
#include "health/cluster/presence.h"
#include "health/cluster/records.h"
#include "health/cluster/roster.h"
#include "health/histogram.h"
#include "health/shared.h"
#include "health/snapshot.h"
#include "health/store.h"
#include "health/view.h"

namespace sluice::cluster {

// One responder of several (README.md in this folder has the protocol). It stands between its
// authority and what they share: as the authority's Store and Publisher it brings what this
// responder decides to the others first and into the answers then; what others decide it has the
// authority follow. Control thread only; no input or output of its own, no clock but the given one:
// the simulation runs the same code.
class Member final : public health::Cluster {
 public:
  struct Settings {
    std::string prefix;  // for people
    // Who this is; `run` tells this process from its predecessors.
    ResponderRecord about;
    base::Duration confirm_timeout{2'000};
    // For the jitter of those who want the turn at once, and a cluster's id: another one for each
    // run.
    std::uint64_t seed = 1;
  };
  struct Ports {
    // Runs it on the control thread, after what runs now.
    std::function<void(std::function<void()>)> later;
    std::function<void(const std::string&)> notice;  // a sentence for the log
    std::function<void()> woken;  // a deadline may be nearer than it was; may be empty
    // Another responder's zones begin with other serials than before; may be empty.
    std::function<void(const health::PutSerialBase&)> serial_base;
  };

  // All must outlive it. `local`: this responder's answers.
  Member(Settings settings, Ports ports, const base::Clock& clock, Kv& kv, Copy& copy,
         health::Publisher& local);
  ~Member() override;
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  // What the authority stands on.
  health::Store& store() noexcept;
  health::Publisher& publisher() noexcept;

  // Finds out what is shared: from the engine, or (none answers for kOpenPatience) from the copy.
  // Then `done`, once; the authority is made and given to follow().
  static constexpr base::Duration kOpenPatience = std::chrono::seconds(3);
  void open(Kept kept, std::function<void()> done);
  // What it found, for whoever needs it before there is an authority.
  const health::SharedState& found() const noexcept { return found_; }
  // From here on it is this authority's; it follows what was found.
  void serve(health::Authority& authority);
  // Becomes known to the others, who wait for its confirmations from then on. Not before its
  // answers are its own: no process before it answers any more.
  // `dns`, `api`: where it listens, ADDRESS@PORT.
  void join(std::vector<std::string> dns, std::vector<std::string> api);

  // Every worker of this responder answers by this publication of `local`.
  void served(std::uint64_t local_publication);
  // Does `change` while this responder decides and nothing else can come between, or says why not:
  // a reload.
  void change(std::function<void()> change, std::function<void(const std::string& why)> refuse);
  // What it is configured to answer is another thing now.
  void configured(std::string digest);

  // It ends in good order: the others wait for its confirmations no more, and name it as one that
  // has not confirmed until it is back. `done` comes in a bounded time (Kv::kLimit). Nothing but
  // the destructor follows.
  void leave(std::function<void()> done);

  void tick();
  std::optional<base::MonoTime> next_deadline() const;

  void forget(const std::string& name, std::function<void(health::Outcome<base::Done>)> done);
  health::ClusterView view() const;
  // Its state may be old, since then and for that reason.
  struct Stale {
    base::WallTime since;
    std::string reason;
  };
  const std::optional<Stale>& stale() const noexcept { return stale_; }
  // Called when that has changed.
  void on_stale(std::function<void()> changed) { stale_changed_ = std::move(changed); }
  const AuditLog& audit() const noexcept { return audit_; }

  // health::Cluster
  void order(Order order) override;
  void settled(std::uint64_t order, std::function<void()> reply) override;
  void share(health::AgentReport report) override;
  bool is_stale() const override { return stale_.has_value(); }
  base::Duration clock_offset(const std::string& responder) const override {
    return roster_.clock_offset(responder).value_or(base::Duration(0));
  }

 private:
  // What failed, or was not answered, is tried again so much later.
  static constexpr base::Duration kRetry = std::chrono::milliseconds(200);

  // A callback that is none any more once this is gone.
  template <class F>
  auto guarded(F f) {
    return [weak = std::weak_ptr(self_),
            f = std::move(f)]<class... Arguments>(Arguments&&... arguments) mutable {
      const auto member = weak.lock();
      if (!member) return;
      f(**member, std::forward<Arguments>(arguments)...);
      if (!weak.expired() && (*member)->ports_.woken) (*member)->ports_.woken();
    };
  }

  class Facet;  // the authority's Store and Publisher

  enum class Role : std::uint8_t {
    Opening,
    Following,
    Deciding,
    CutOff,  // answers by what it has, and changes nothing
  };
  // A publication that this responder decided and the others can't have yet.
  struct Publication {
    std::uint64_t number = 0;
    std::shared_ptr<const health::MembershipSnapshot> snapshot;
    std::vector<health::AnswerSetId> changed;
    std::vector<health::ServerId> hosts;
    bool adjusts = false;
  };
  // What is written together, with one edition.
  struct Batch {
    std::uint64_t number = 0;
    std::map<std::string, Write> writes;
    std::set<health::PoolId> pools;
    std::set<health::ServerId> hosts;
    std::vector<Publication> publications;
    std::vector<std::function<void(health::Store::Stored)>> done;
    bool closes = false;  // an edition, though it have nothing in it
    bool renews = false;  // it has a reload
    base::MonoTime sent;
    EditionRecord edition;
    std::vector<Transaction> parts;  // to be carried out one after the other
    std::size_t next_part = 0;
    bool uncertain = false;  // no answer came: it may have been carried out
    bool lost = false;       // surely not: another one decides, as the watch is about to say

    bool empty() const noexcept {
      return writes.empty() && publications.empty() && done.empty() && !closes;
    }
  };
  struct Asked {
    Order order;
    bool acted = false;
    bool exclusive = false;       // nothing else may be on its way to the engine: a reload
    std::uint64_t batch = 0;      // in which it acted
    std::function<void()> reply;  // once that batch is with the engine
    unsigned attempts = 0;
    base::MonoTime since;
  };

  bool deciding() const noexcept { return role_ == Role::Deciding; }
  const std::string& name() const noexcept { return settings_.about.name; }
  const std::string& run() const noexcept { return settings_.about.run; }
  bool is_mine(const std::string& responder, const std::string& of_run) const {
    return responder == name() && of_run == run();
  }

  // --- a start (member.cc)
  void list_for_start();
  void on_first_listing(const Reply<Listing>& reply);
  void announce();
  void list_soon(const Reply<Committed>& written);
  void found_cluster();
  void start_by(const Listing& listing, Image image);
  void start_by_copy(const std::string& why);
  std::optional<std::string> objection(const Listing& listing, const Image& image) const;
  void note_shared(const std::vector<Change>& entries, std::int64_t revision);

  // --- life (member_life.cc)
  void beat(const base::Now& now);
  void register_self();
  // `anyway`: the canary.
  void tell_served(bool anyway = false);
  void contact_lost(const std::string& why);
  void cut_off(const std::string& why, bool alarm);
  void relist();
  void follow_anew(health::SharedState whole);
  void on_listing(const Reply<Listing>& reply);
  void resynchronise(const Listing& listing, Image image);
  void tell_confirmations();
  void flush_shares();
  void take_vacant_turn(const base::Now& now);
  void refuse_all(const std::string& why);
  void set_stale(std::optional<Stale> stale);

  // --- following (member_follow.cc)
  static CopyQueue::Part part_of(const Record& record);
  void watch();
  void changed(const std::vector<Change>& changes);
  void take(const Change& change, const base::Now& now);
  void on_turn(const TurnRecord& turn, std::int64_t revision);
  void on_edition(const EditionRecord& edition, std::int64_t revision);
  void on_report(const health::AgentReport& report);
  void on_roster(const Record& record, const base::Now& now);
  void note_own(const health::Change& change);
  void keep_copy();
  void replace_copy(std::vector<Change> entries);
  void on_copied(std::uint64_t publication, const Copy::Stored& stored);
  void answers_by(std::uint64_t publication);
  void apply_buffer(const EditionRecord& edition);

  // --- deciding (member_decide.cc)
  void want_turn();
  void become_decider();
  void lose_turn();
  bool has_undecided() const;
  void act_on_orders();
  void ask(Order order, bool exclusive);
  void reply_to_settled();
  void commit(std::vector<health::Change> changes, std::function<void(health::Store::Stored)> done);
  std::uint64_t publish(std::shared_ptr<const health::MembershipSnapshot> next,
                        std::span<const health::AnswerSetId> changed,
                        std::span<const health::ServerId> hosts, bool adjusts);
  void schedule_flush();
  void flush();
  void send();
  void on_sent(std::uint64_t number, const Reply<Committed>& reply);
  void find_out();
  void act_alone(const Order& order);
  void keep_alone(const health::Hold& hold, std::vector<Write>& own) const;
  void reply_alone();
  void complete(std::int64_t revision);
  void roll_back();
  void begin_anew();
  void void_batches();
  void on_found_out(const Reply<Listing>& reply);

  Settings settings_;
  Ports ports_;
  const base::Clock& clock_;
  Kv& kv_;
  Copy& copy_;
  health::Publisher& local_;
  std::unique_ptr<Facet> facet_;
  health::Authority* authority_ = nullptr;

  Role role_ = Role::Opening;
  std::function<void()> opened_;
  base::MonoTime opening_until_;
  std::optional<base::MonoTime> list_again_;  // at the start, or while it is cut off
  bool listing_ = false;
  health::SharedState found_;
  Kept kept_;  // until it serves

  std::string cluster_;        // its id
  std::int64_t revision_ = 0;  // as of which everything is known
  TurnRecord turn_;
  std::int64_t turn_revision_ = 0;
  base::MonoTime turn_since_;
  bool turn_used_ = false;  // an edition of it was seen
  EditionRecord edition_;
  std::int64_t edition_revision_ = 0;
  Roster roster_;
  std::map<std::string, health::AgentReport> reports_;  // by server, of others
  std::map<std::string, std::string> hold_values_;      // as shared, by key
  Mirror mirror_;                                       // what is decided, as the watch brought it
  std::vector<Record> buffer_;                          // until their edition comes
  CopyQueue uncopied_;

  // Local publications and the shared ones that they are; ascending.
  std::deque<std::pair<std::uint64_t, std::uint64_t>> local_publications_;
  std::uint64_t last_local_ = 0;
  std::uint64_t served_local_ = 0;
  std::uint64_t following_publication_ = 0;  // that follow() publishes now
  std::uint64_t served_ = 0;                 // by the workers
  std::uint64_t copied_ = 0;                 // durable in the copy
  std::uint64_t told_served_ = 0;
  std::uint64_t confirmed_generation_ = 0;
  bool telling_served_ = false;

  std::uint64_t watched_ = 0;  // the publication of the newest edition that the watch brought

  std::uint64_t publication_ = 0;        // the newest that this responder decided or follows
  std::uint64_t known_publication_ = 0;  // of the copy that it started with
  std::shared_ptr<const health::MembershipSnapshot> answered_;  // what was given to `local_` last
  std::uint64_t batches_ = 0;
  std::uint64_t completed_ = 0;  // batches
  Batch outgoing_;
  std::optional<Batch> in_flight_;
  bool flush_scheduled_ = false;
  bool sending_ = false;  // a part of in_flight_ is with the engine
  std::optional<base::MonoTime> send_again_;
  AuditLog audit_;

  // Of what this responder did alone: what its workers must have served, and the reply.
  std::vector<std::pair<std::uint64_t, std::function<void()>>> alone_replies_;
  std::optional<std::uint64_t> alone_order_;  // the one that is carried out now
  std::map<std::uint64_t, Order> alone_orders_;

  std::map<std::uint64_t, Asked> orders_;
  std::uint64_t order_number_ = 0;
  bool acting_ = false;
  bool taking_turn_ = false;
  unsigned passed_over_ = 0;  // so often another one was faster
  std::optional<base::MonoTime> take_turn_at_;
  std::optional<base::MonoTime> refused_until_;  // the engine takes no changes of ours
  std::string refused_why_;
  std::optional<base::MonoTime> vacant_since_;  // nobody who is alive has the turn
  std::mt19937_64 random_;
  bool renew_ = false;  // as soon as it decides

  bool joined_ = false;
  Presence presence_;
  base::MonoTime next_beat_;
  base::MonoTime ticked_;
  base::MonoTime seen_;                  // when the watch last brought something of our own
  base::MonoTime rewatched_;             // when it was made anew for lack of that
  std::map<std::string, Write> shares_;  // by key, of agents that push here
  bool sharing_ = false;
  std::optional<base::MonoTime> share_again_;
  std::optional<Stale> stale_;
  std::string alarm_;
  std::function<void()> stale_changed_;
  health::Histogram commit_seconds_;
  // Callbacks hold it weakly.
  std::shared_ptr<Member*> self_ = std::make_shared<Member*>(this);
};

}  // namespace sluice::cluster
