#include <algorithm>
#include <iterator>
#include <map>
#include <ostream>
#include <set>
#include <utility>

#include "tools/sluicectl/commands/commands.h"
#include "tools/sluicectl/render/progress.h"
#include "tools/sluicectl/verify/directory.h"
#include "tools/sluicectl/verify/expected.h"
#include "tools/sluicectl/verify/report.h"

namespace sluice::ctl {
namespace {

// What looks wrong is looked at again: an answer may have been sent before the change that the
// state has, or the other way round. Idle workers take a publication within milliseconds.
constexpr int kLooks = 3;
constexpr base::Duration kBetweenLooks = std::chrono::milliseconds(300);

struct State {
  Pool pool;
  std::vector<Question> questions;
  std::map<std::pair<std::string, RRType>, Expected> expected;

  const Expected* of(const Question& question) const {
    const auto found = expected.find({question.name, question.type});
    return found == expected.end() ? nullptr : &found->second;
  }
};

// The authority's word about one question, before and after it was asked.
bool changed(const Expected* before, const Expected* after) {
  return before == nullptr || after == nullptr || before->since != after->since;
}

class Verify {
 public:
  Verify(const Options& options, Context& context) : options_(options), context_(context) {}

  Exit run() {
    Request request;
    request.path = "/v1/responders";
    const auto responders = understood(context_.api.send(request), read_responders);
    if (!responders) return report(responders.error(), options_, context_);
    responders_ = responders->value;
    request.path = "/v1/cluster";
    const auto cluster = understood(context_.api.send(request), read_cluster);
    if (cluster) {
      others_ = cluster_targets(cluster->value);
    } else if (cluster.error().kind != ApiError::Kind::Problem) {
      return report(cluster.error(), options_, context_);
    }
    const auto pools = names();
    if (!pools) return report(pools.error(), options_, context_);
    const char* between = "";
    for (const std::string& name : *pools) {
      const auto check = check_pool(name);
      if (!check) {
        // A reload may drop a pool while the others are looked at.
        if (!options_.pool.empty() || check.error().kind != ApiError::Kind::Problem) {
          return report(check.error(), options_, context_);
        }
        continue;
      }
      tell(*check, between);
      between = "\n";
    }
    return finish();
  }

 private:
  base::Result<std::vector<std::string>, ApiError> names() {
    if (!options_.pool.empty()) return std::vector{options_.pool};
    Request request;
    request.path = "/v1/pools";
    const auto all = understood(context_.api.send(request), read_pools);
    if (!all) return base::Unexpected{all.error()};
    std::vector<std::string> names;
    for (const Pool& pool : all->value.pools) names.push_back(pool.name);
    return names;
  }

  base::Result<State, ApiError> look(const std::string& name) {
    Request request;
    request.path = "/v1/pools/" + percent_encode(name);
    auto got = understood(context_.api.send(request), read_pool);
    if (!got) return base::Unexpected{std::move(got).error()};
    State state{std::move(got->value), {}, {}};
    for (Expected& each : expectations(state.pool, context_.clock.now().wall)) {
      // A server may be outside of all zones.
      if (!zone_of(each.question.name, responders_)) continue;
      each.negative = negative_;
      state.questions.push_back(each.question);
      std::pair key{each.question.name, each.question.type};
      state.expected.emplace(std::move(key), std::move(each));
    }
    return state;
  }

  base::Result<PoolCheck, ApiError> check_pool(const std::string& name) {
    auto before = look(name);
    if (!before) return base::Unexpected{before.error()};
    PoolCheck check;
    check.pool = before->pool.name;
    find_targets(check);
    before = look(name);  // what the zone says of itself counts, too
    if (!before) return base::Unexpected{before.error()};
    check.questions = before->expected.size();
    plan_questions(check, *before);
    std::vector<Checked*> open;
    for (Checked& each : check.answers) open.push_back(&each);
    for (int looks = 1; !open.empty(); ++looks) {
      const auto replies = ask(check, open);
      const auto after = look(name);
      if (!after) return base::Unexpected{after.error()};
      std::vector<Checked*> still_open;
      for (std::size_t at = 0; at < open.size(); ++at) {
        Checked& each = *open[at];
        each.judgement = judge_both(*before, *after, check.targets[each.target], each, replies[at]);
        if (each.judgement.finding != Finding::Wrong) continue;
        const bool moved = changed(before->of(each.question), after->of(each.question));
        if (looks < kLooks && (moved || looks == 1)) {
          still_open.push_back(&each);
        } else if (moved) {
          each.judgement = {Finding::Changing, "changed while it was looked at", {}};
        }
      }
      open = std::move(still_open);
      before = after;
      check.generation = before->pool.generation;
      if (!open.empty()) context_.pause(kBetweenLooks);
    }
    settle(check);
    if (auto hint = port_hint(check)) check.notes.push_back(*std::move(hint));
    remember_silent(check);
    return check;
  }

  // Who said nothing at all about a pool is asked once about the next: a hundred pools do not take
  // a hundred times the patience.
  void plan_questions(PoolCheck& check, const State& state) {
    for (std::size_t target = 0; target < check.targets.size(); ++target) {
      bool first = true;
      for (const Question& question : state.questions) {
        for (const Transport transport : {Transport::Udp, Transport::Tcp}) {
          if (!first && silent_.contains({check.targets[target].address, transport})) continue;
          check.answers.push_back({target, question, transport, {}});
        }
        first = false;
      }
    }
  }

  void remember_silent(const PoolCheck& check) {
    std::set<std::pair<base::SocketAddress, Transport>> heard;
    for (const Checked& each : check.answers) {
      const std::pair who{check.targets[each.target].address, each.transport};
      if (each.judgement.finding == Finding::NoAnswer) {
        silent_.insert(who);
      } else {
        heard.insert(who);
      }
    }
    for (const auto& who : heard) silent_.erase(who);
  }

  void find_targets(PoolCheck& check) {
    const auto peer = context_.api.peer();
    check.targets = responder_targets(responders_, peer ? std::vector{*peer} : options_.endpoints);
    for (const Target& each : others_.targets) add_target(check.targets, each);
    const auto zone = zone_of(check.pool, responders_);
    if (zone && !check.targets.empty()) {
      auto known = zones_.find(*zone);
      if (known == zones_.end()) {
        auto facts = ask_zone(*zone, check.targets.front().address, context_.clock);
        known = zones_.emplace(*zone, std::move(facts)).first;
      }
      negative_ = known->second.negative;
      if (!options_.no_ns) {
        for (const Target& each : known->second.name_servers) add_target(check.targets, each);
        check.notes = known->second.notes;
      }
    }
    check.notes.insert(check.notes.end(), others_.notes.begin(), others_.notes.end());
    for (const base::SocketAddress& server : options_.servers) {
      add_target(check.targets, {server, Source::Resolver, "resolver"});
    }
  }

  std::vector<Reply> ask(const PoolCheck& check, const std::vector<Checked*>& open) {
    std::vector<Lookup> lookups;
    for (const Checked* each : open) {
      const Target& target = check.targets[each->target];
      Question question = each->question;
      question.recursion = target.source == Source::Resolver;
      lookups.push_back({target.address, std::move(question), each->transport});
    }
    Progress progress(context_.err, context_.err_surface);
    if (context_.err_surface.redraw) {
      progress.show(check.pool + ": asking " + std::to_string(check.targets.size()) + " servers, " +
                        std::to_string(lookups.size()) + " questions",
                    "");
    }
    return look_up(lookups, context_.clock);
  }

  Judgement judge_both(const State& before, const State& after, const Target& target,
                       const Checked& each, const Reply& reply) {
    const base::WallTime now = context_.clock.now().wall;
    const Expected* first = before.of(each.question);
    const Expected* second = after.of(each.question);
    if (first == nullptr || second == nullptr) {
      return {Finding::Changing, "a reload took it away", {}};
    }
    return better(judge(*second, reply, target.source, now),
                  judge(*first, reply, target.source, now));
  }

  // The TCP half, if it was asked, follows its UDP half.
  void settle(PoolCheck& check) {
    for (std::size_t at = 0; at + 1 < check.answers.size(); ++at) {
      Checked& udp = check.answers[at];
      const Checked& tcp = check.answers[at + 1];
      const bool halves = udp.target == tcp.target && udp.question == tcp.question &&
                          udp.transport == Transport::Udp;
      if (halves) udp.judgement = settle_truncated(std::move(udp.judgement), tcp.judgement);
    }
  }

  void tell(const PoolCheck& check, const char* between) {
    worst_ = std::max(worst_, check.worst());
    any_ = any_ || !check.answers.empty();
    if (options_.json) {
      documents_.push_back(check_json(check));
    } else {
      context_.out << between << check_view(check, context_.clock.now().wall, context_.out_surface)
                   << std::flush;
    }
  }

  Exit finish() {
    if (options_.json) {
      const Json document{{"result", to_string(worst_)}, {"pools", std::move(documents_)}};
      print_document(document.dump(-1, ' ', false, Json::error_handler_t::replace), context_);
    } else {
      context_.out << (is_fault(worst_)              ? "something is wrong\n"
                       : worst_ == Finding::Stale    ? "right, but for caches that may be stale\n"
                       : worst_ == Finding::Changing ? "right, but for what was changing\n"
                       : any_                        ? "all as it should be\n"
                                                     : "no pools\n");
    }
    if (is_fault(worst_)) return Exit::Failed;
    return options_.strict && worst_ != Finding::Right ? Exit::Refused : Exit::Done;
  }

  const Options& options_;
  Context& context_;
  std::vector<Responder> responders_;
  ClusterTargets others_;  // none with an embedded store
  std::map<std::string, ZoneFacts> zones_;
  std::set<std::pair<base::SocketAddress, Transport>> silent_;
  std::optional<base::Duration> negative_;
  Json documents_ = Json::array();
  Finding worst_ = Finding::Right;
  bool any_ = false;
};

}  // namespace

Exit verify(const Options& options, Context& context) {
  return Verify(options, context).run();
}

}  // namespace sluice::ctl
