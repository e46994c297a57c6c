// How a responder starts: by what is shared, or by its own last copy of that.

#include "health/cluster/member.h"

#include <algorithm>
#include <utility>

#include "health/cluster/member_facet.h"
#include "health/cluster/own_records.h"

namespace sluice::cluster {
namespace {

// Between two listings that failed: the engine's endpoints change places in between.
constexpr base::Duration kListAgain = std::chrono::milliseconds(300);

// For whoever reads an alarm: responders have copies.
constexpr const char* kGiveBack =
    " `sluicectl import --to etcd` gives back what a responder has had";

// Not a secret: it tells clusters apart.
std::string random_id(std::mt19937_64& random) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string id;
  for (int i = 0; i < 32; ++i) id.push_back(kDigits[random() & 0xf]);
  return id;
}

}  // namespace

Member::Member(Settings settings, Ports ports, const base::Clock& clock, Kv& kv, Copy& copy,
               health::Publisher& local)
    : settings_(std::move(settings)),
      ports_(std::move(ports)),
      clock_(clock),
      kv_(kv),
      copy_(copy),
      local_(local),
      facet_(std::make_unique<Facet>(*this)),
      audit_(kv, settings_.about.run, ports_.notice),
      random_(settings_.seed),
      presence_(kv, settings_.about.name, settings_.about.run) {}

Member::~Member() = default;

health::Store& Member::store() noexcept {
  return facet_->store();
}
health::Publisher& Member::publisher() noexcept {
  return facet_->publisher();
}

void Member::open(Kept kept, std::function<void()> done) {
  kept_ = std::move(kept);
  opened_ = std::move(done);
  opening_until_ = clock_.now().mono + kOpenPatience;
  known_publication_ = read_image(kept_.entries).state.publication;
  list_for_start();
}

void Member::list_for_start() {
  listing_ = true;
  list_again_.reset();
  kv_.list("", guarded([](Member& member, const Reply<Listing>& reply) {
             member.listing_ = false;
             member.on_first_listing(reply);
           }));
}

void Member::on_first_listing(const Reply<Listing>& reply) {
  const base::Now now = clock_.now();
  if (!reply) {
    if (now.mono >= opening_until_) return start_by_copy(reply.error().text);
    list_again_ = now.mono + kListAgain;
    return;
  }
  Image image = read_image(reply->entries);
  if (!image.cluster && reply->entries.empty() && kept_.cluster.empty()) return found_cluster();
  if (const auto why = objection(*reply, image)) {
    alarm_ = *why;
    return start_by_copy(*why);
  }
  // The others must wait for it before it answers by what it was told here.
  const auto is_this = [&](const Record& record) {
    const auto* about = std::get_if<ResponderRecord>(&record);
    return about != nullptr && about->name == name();
  };
  if (std::ranges::none_of(image.others, is_this)) return announce();
  start_by(*reply, std::move(image));
}

void Member::announce() {
  Transaction transaction;
  transaction.writes = {write_of(settings_.about)};
  kv_.commit(std::move(transaction), guarded([](Member& member, const Reply<Committed>& reply) {
               member.list_soon(reply);
             }));
}

void Member::list_soon(const Reply<Committed>& written) {
  const base::MonoTime time = clock_.now().mono;
  list_again_ = written ? time : time + kListAgain;
  if (!written && role_ == Role::Opening && time >= opening_until_) {
    start_by_copy(written.error().text);
  }
}

// The first of all. Two may try: one succeeds, and the other finds what that one wrote.
void Member::found_cluster() {
  const base::Now now = clock_.now();
  Transaction transaction;
  transaction.conditions = {{"cluster", 0}};
  transaction.writes = {write_of(ClusterRecord{random_id(random_), now.wall}),
                        write_of(EditionRecord{0, 0, 0, name(), run(), 0})};
  kv_.commit(std::move(transaction), guarded([](Member& member, const Reply<Committed>& reply) {
               if (!reply) {
                 member.ports_.notice("the cluster could not be founded: " + reply.error().text);
               }
               member.list_soon(reply);
             }));
}

// Why what the engine has can't be followed. Nothing older ever replaces something newer.
std::optional<std::string> Member::objection(const Listing& listing, const Image& image) const {
  const std::string& known = cluster_.empty() ? kept_.cluster : cluster_;
  const std::int64_t revision = std::max(revision_, kept_.revision);
  const std::string where = "etcd under " + settings_.prefix;
  if (!image.cluster) {
    return listing.entries.empty()
               ? where + " is empty, though this responder knows a cluster there: it was emptied?" +
                     kGiveBack
               : where + " has keys, but none that says it is a cluster" +
                     (known.empty() ? "" : std::string(":") + kGiveBack);
  }
  if (!known.empty() && image.cluster->id != known) {
    return where + " has another cluster (" + image.cluster->id + ") than this responder knows (" +
           known + ")";
  }
  if (!known.empty() && listing.revision < revision) {
    return where + " went back in time: revision " + std::to_string(listing.revision) + " after " +
           std::to_string(revision) + " (restored from a backup?)";
  }
  const std::uint64_t publication = std::max(known_publication_, edition_.publication);
  if (!known.empty() && image.state.publication < publication) {
    return where + " went back in time: publication " + std::to_string(image.state.publication) +
           " after " + std::to_string(publication);
  }
  return std::nullopt;
}

// Takes what is not the authority's: revisions, the turn, who else there is.
void Member::note_shared(const std::vector<Change>& entries, std::int64_t revision) {
  const base::Now now = clock_.now();
  revision_ = revision;
  turn_ = {};
  turn_revision_ = 0;
  edition_ = {};
  edition_revision_ = 0;
  roster_.clear();
  reports_.clear();
  hold_values_.clear();
  mirror_.clear();
  buffer_.clear();
  uncopied_.clear();
  for (const Change& entry : entries) {
    const auto record = read_record(entry);
    if (!record) continue;
    if (part_of(*record) != CopyQueue::Part::Other) mirror_.take(entry);
    if (const auto* turn = std::get_if<TurnRecord>(&*record)) {
      turn_ = *turn;
      turn_revision_ = entry.revision;
      turn_since_ = now.mono;
    } else if (const auto* edition = std::get_if<EditionRecord>(&*record)) {
      edition_ = *edition;
      edition_revision_ = entry.revision;
    } else if (const auto* report = std::get_if<health::AgentReport>(&*record)) {
      reports_[report->server] = *report;
    } else if (!roster_.take(*record, now, Roster::Age::Listed) &&
               entry.key.starts_with("holds/") && entry.value) {
      hold_values_[entry.key] = *entry.value;
    }
  }
  turn_used_ = edition_revision_ > turn_revision_;
  watched_ = edition_.publication;
}

void Member::start_by(const Listing& listing, Image image) {
  cluster_ = image.cluster->id;
  note_shared(listing.entries, listing.revision);
  for (const std::string& line : image.unreadable) ports_.notice("not taken from etcd: " + line);
  found_ = std::move(image.state);
  add_own(kept_.own, found_);
  role_ = Role::Following;
  replace_copy(listing.entries);
  kept_ = {};
  std::exchange(opened_, nullptr)();
}

void Member::start_by_copy(const std::string& why) {
  const base::Now now = clock_.now();
  cluster_ = kept_.cluster;
  Image image = read_image(kept_.entries);
  note_shared(kept_.entries, kept_.revision);
  found_ = std::move(image.state);
  add_own(kept_.own, found_);
  copied_ = edition_.publication;
  role_ = Role::CutOff;
  list_again_ = now.mono + kListAgain;
  set_stale(Stale{now.wall, why});
  ports_.notice(cluster_.empty()
                    ? "the cluster can't be reached and was never seen from here: answering by the "
                      "configuration alone (" +
                          why + ")"
                    : "the cluster can't be reached: answering by this responder's own copy, as of "
                      "publication " +
                          std::to_string(edition_.publication) + " (" + why + ")");
  kept_ = {};
  std::exchange(opened_, nullptr)();
}

void Member::serve(health::Authority& authority) {
  authority_ = &authority;
  // Its own reports are of a run that is over.
  follow_anew(std::exchange(found_, {}));
  tell_confirmations();
}

}  // namespace sluice::cluster
