#include <algorithm>
#include <filesystem>
#include <functional>
#include <iterator>
#include <optional>
#include <ostream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "config/load.h"
#include "health/store/directory_lock.h"
#include "health/store/image_file.h"
#include "tools/sluicectl/commands/commands.h"
#include "tools/sluicectl/import/contents.h"
#include "tools/sluicectl/import/embedded.h"
#include "tools/sluicectl/import/engine.h"
#include "tools/sluicectl/import/owner.h"
#include "tools/sluicectl/import/report.h"
#include "tools/sluicectl/render/text.h"
#include "tools/sluicectl/token.h"

namespace sluice::ctl {
namespace {

using cluster::Condition;
using cluster::Write;

// Why it ends; nothing: all is well so far.
struct Ended {
  Exit exit = Exit::Failed;
  std::string why;
};
using Going = std::optional<Ended>;

Ended failed(std::string why) {
  return {Exit::Failed, std::move(why)};
}
Ended refused(std::string why) {
  return {Exit::Refused, std::move(why)};
}

constexpr std::string_view kCluster = "cluster";  // the key

class Importing {
 public:
  Importing(const Options& options, Context& context, const config::Store& store)
      : options_(options),
        context_(context),
        engine_(*store.etcd),
        import_{.to_etcd = options.to == "etcd",
                .dry_run = options.dry_run,
                .directory = store.directory,
                .prefix = store.etcd->prefix,
                .cluster = {},
                .put_away = {},
                .contents = {}} {}

  Exit run() {
    const Going ended = import_.to_etcd ? to_etcd() : to_embedded();
    if (ended) return report(ended->exit, "no import", ended->why, options_, context_);
    if (options_.json) {
      print_document(document_of(import_), context_);
    } else {
      context_.out << words_of(import_, context_.clock.now().wall);
    }
    return Exit::Done;
  }

 private:
  std::string where() const { return "etcd below " + import_.prefix; }

  // Of the two that a directory may have, the copy of a cluster is what its sluiced had last: a
  // store from before the cluster is put back by nobody but an import.
  Going to_etcd() {
    cluster::Kept kept;
    if (auto ended = read_copy(kept)) return ended;
    return kept.cluster.empty() ? store_to_etcd() : copy_to_etcd(kept);
  }

  Going read_copy(cluster::Kept& kept) {
    std::error_code code;
    if (!std::filesystem::exists(health::image_path(import_.directory), code)) return {};
    std::vector<std::string> notices;
    const auto file = health::ImageFile::open(
        import_.directory, [](const std::function<void()>& task) { task(); },
        [&](const std::string& notice) { notices.push_back(notice); }, kept);
    if (!file) return failed(base::to_string(file.error()));
    if (notices.empty()) return {};
    return refused(joined(notices, "; ") +
                   "; repeat it to take the store from before the cluster, if there is one");
  }

  Going copy_to_etcd(const cluster::Kept& kept) {
    import_.cluster = kept.cluster;
    import_.copied = kept.revision;
    Found found = contents_of(kept.entries, kept.entries.size());
    import_.contents = std::move(found.contents);
    // The audit is no part of a copy, and stays as it is.
    const auto there = engine_.list();
    if (!there) return failed(where() + ": " + there.error());
    if (auto ended = object_to(in_the_way(*there))) return ended;
    if (options_.dry_run) return count_anew(kept);
    if (auto ended = empty(*there)) return ended;
    if (auto ended = commit_all(writes_of(kept.entries))) return ended;
    cluster::ClusterRecord record{kept.cluster, context_.clock.now().wall};
    if (found.image.cluster) record = *found.image.cluster;
    if (auto ended = commit_all({cluster::write_of(record)})) return ended;
    return count_anew(kept);
  }

  // An engine that was made anew counts from one: whoever knows the higher revision that the former
  // one had, this directory's next sluiced, too, would take it for an older state.
  Going count_anew(const cluster::Kept& kept) {
    if (engine_.revision() >= kept.revision) return {};
    import_.counts_anew = engine_.revision();
    if (options_.dry_run) return {};
    const auto lock = health::DirectoryLock::take(import_.directory);
    if (!lock) return failed(base::to_string(lock.error()));
    return put_away();
  }

  Going store_to_etcd() {
    if (!Embedded::is_there(import_.directory)) {
      return refused(import_.directory +
                     " has no store that could be moved; a responder that joins a "
                     "cluster needs no import");
    }
    auto store = Embedded::open(import_.directory);
    if (!store) return failed(base::to_string(store.error()));
    warn(store->notices(), context_);
    auto audit = store->audit(kMostAudit);
    if (!audit) return failed(import_.directory + ": " + audit.error());
    import_.contents = contents_of(store->state(), std::move(*audit));
    const auto there = list_all();
    if (!there) return failed(where() + ": " + there.error());
    if (auto ended = object_to(*there)) return ended;
    if (options_.dry_run) return {};
    if (auto ended = empty(*there)) return ended;
    if (auto ended = fill()) return ended;
    return put_away();
  }

  Engine::Listed list_all() {
    auto entries = engine_.list();
    if (!entries) return entries;
    auto audit = engine_.list_audit();
    if (!audit) {
      return base::Unexpected{"the audit (" + import_.prefix + "-audit/): " + audit.error()};
    }
    std::ranges::move(*audit, std::back_inserter(*entries));
    return entries;
  }

  // Whoever is alive there would lose all that he shares.
  Going object_to(const std::vector<cluster::Change>& there) {
    if (there.empty() || options_.force) return {};
    const Found found = contents_of(there, 0);
    std::string alive;
    if (!found.alive.empty()) {
      alive = ". Alive: " + printable(joined(found.alive, ", ")) +
              ", who would lose it; a responder that joins them needs no import";
    }
    return refused(where() + " there is something already: " + counted(there) +
                   "; --force deletes it first" + alive);
  }

  // Once `cluster` is gone it is no cluster: nobody takes half of what is left for the whole.
  Going empty(const std::vector<cluster::Change>& entries) {
    std::vector<Write> writes;
    Condition as_listed{std::string(kCluster), 0};
    for (const cluster::Change& entry : entries) {
      if (entry.key == kCluster) as_listed.revision = entry.revision;
    }
    if (as_listed.revision != 0) {
      const Going ended = commit({{as_listed}, {{std::string(kCluster), {}, 0}}});
      if (ended) return ended;
    }
    for (const cluster::Change& entry : entries) {
      if (entry.key != kCluster) writes.push_back({entry.key, {}, 0});
    }
    return commit_all(std::move(writes));
  }

  Going fill() {
    auto random = make_token();
    if (!random) return failed(base::to_string(random.error()));
    constexpr std::size_t kIdDigits = 32;
    import_.cluster = random->substr(0, kIdDigits);
    if (auto ended = commit_all(writes_of(import_.contents))) return ended;
    return commit_all(
        {cluster::write_of(cluster::ClusterRecord{import_.cluster, context_.clock.now().wall})});
  }

  // While nobody has made a cluster there.
  Going commit_all(std::vector<Write> writes) {
    auto transactions = in_transactions(std::move(writes));
    for (auto& some : transactions) {
      if (auto ended = commit({{{std::string(kCluster), 0}}, std::move(some)})) return ended;
    }
    return {};
  }

  Going commit(cluster::Transaction transaction) {
    const auto met = engine_.commit(std::move(transaction));
    if (!met) {
      return failed(where() + ": " + met.error() +
                    "; what is there now is no cluster, or not certainly: repeat it with --force");
    }
    if (!*met) return failed("somebody else made a cluster in " + where() + " meanwhile");
    return {};
  }

  Going to_embedded() {
    const auto there = list_all();
    if (!there) return failed(where() + ": " + there.error());
    Found found = contents_of(*there, kMostAudit);
    if (auto ended = object_to(found)) return ended;
    import_.cluster = found.image.cluster->id;
    import_.contents = std::move(found.contents);
    if (options_.dry_run && !Embedded::is_there(import_.directory)) return {};
    auto store = Embedded::open(import_.directory);
    if (!store) return failed(base::to_string(store.error()));
    warn(store->notices(), context_);
    if (const std::string held = counted(store->state()); !held.empty() && !options_.force) {
      return refused(import_.directory + " has a store already, with " + held +
                     "; --force puts what is in etcd in their place");
    }
    if (options_.dry_run) return {};
    return fill(*store);
  }

  Going object_to(const Found& found) {
    if (!found.image.cluster) return refused(where() + " there is no cluster");
    if (!found.image.unreadable.empty() && !options_.force) {
      return refused(where() + " there is what can't be read, and would be lost: " +
                     printable(joined(found.image.unreadable, "; ")) + "; --force leaves it out");
    }
    if (!found.alive.empty() && !options_.force) {
      return refused("alive: " + printable(joined(found.alive, ", ")) +
                     "; stop them, or what they do from now on is not moved (--force)");
    }
    return {};
  }

  Going fill(Embedded& store) {
    // More than ever comes along, so that what is there already is seen.
    const auto before = store.audit(2 * kMostAudit);
    if (!before) return failed(import_.directory + ": " + before.error());
    const auto stored = store.commit(changes_of(import_.contents, store.state(), before->events));
    if (!stored) return failed(import_.directory + ": " + stored.error());
    return put_away();
  }

  // A responder that knows another cluster would refuse to join this one, or a later one.
  Going put_away() {
    auto away = health::put_image_away(import_.directory, context_.clock.now().wall);
    if (!away) return failed(base::to_string(away.error()));
    import_.put_away = away->value_or("");
    return {};
  }

  const Options& options_;
  Context& context_;
  Engine engine_;
  Import import_;
};

}  // namespace

Exit import_state(const Options& options, Context& context) {
  const auto config = config::load(options.config);
  if (!config) {
    return report(Exit::Failed, "no configuration", base::to_string(config.error()), options,
                  context);
  }
  if (!config->store.etcd) {
    return report(Exit::Failed, "no etcd", printable(options.config) + " has no store.etcd",
                  options, context);
  }
  if (auto owner = become_owner(config->store.directory); !owner) {
    return report(Exit::Failed, "no import", base::to_string(owner.error()), options, context);
  }
  return Importing(options, context, config->store).run();
}

}  // namespace sluice::ctl
