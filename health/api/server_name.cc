#include "health/api/server_name.h"

#include <algorithm>
#include <map>
#include <vector>

#include "config/base/nearest.h"
#include "health/api/replies.h"

namespace sluice::health {
namespace {

// Among more names a guess would keep the control thread for longer than a millisecond.
constexpr std::size_t kMostNames = 1'000;

// "; did you mean NAME?", of whole names or of first labels, as `typed` is one; empty: no guess.
template <class Named>
std::string hint(const std::string& typed, const std::vector<Named>& all,
                 std::string_view Named::*name) {
  if (all.size() > kMostNames) return {};
  const bool label = typed.find('.') == std::string::npos;
  std::vector<std::string_view> words;
  words.reserve(all.size());
  for (const Named& each : all) {
    const std::string_view whole = each.*name;
    words.push_back(label ? whole.substr(0, whole.find('.')) : whole);
  }
  return base::did_you_mean(typed, words);
}

// The one of `all` that has this first label.
template <class Named>
Outcome<std::string> resolve_label(const std::vector<Named>& all, const std::string& label,
                                   const std::string& what) {
  std::vector<std::string_view> candidates;
  if (!label.empty() && label.find('.') == std::string::npos) {
    for (const Named& each : all) {
      if (each.fqdn.size() > label.size() && each.fqdn.starts_with(label) &&
          each.fqdn[label.size()] == '.') {
        candidates.push_back(each.fqdn);
      }
    }
  }
  if (candidates.size() == 1) return std::string(candidates.front());
  if (candidates.empty()) {
    return base::Unexpected{
        not_found("no " + what + " of that name is configured" + hint(label, all, &Named::fqdn))};
  }
  constexpr std::size_t kNamed = 5;  // a label such as fe01 may be in every pool
  std::string detail = "the label is not unique; it may be";
  for (std::size_t i = 0; i < std::min(kNamed, candidates.size()); ++i) {
    detail.append(" ").append(candidates[i]);
  }
  if (candidates.size() > kNamed) {
    detail += " or one of " + std::to_string(candidates.size() - kNamed) + " more";
  }
  return base::Unexpected{not_found(std::move(detail))};
}

std::vector<std::string_view> labels_of(std::string_view name) {
  std::vector<std::string_view> labels;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    labels.push_back(name.substr(begin, end - begin));
    begin = end + 1;
  }
  return labels;
}

// The owners that `typed` may stand for: one label is mistyped, or it is the first label alone. Of
// whole names nearly all letters are alike in a zone, which says nothing.
std::vector<std::string_view> owners_meant(const std::vector<TopologyAnswerSet>& sets,
                                           std::string_view typed) {
  if (sets.size() > kMostNames) return {};
  const auto wanted = labels_of(typed);
  std::vector<std::string_view> meant;
  for (std::size_t at = 0; at < wanted.size(); ++at) {
    std::multimap<std::string_view, std::string_view> owners;  // by the label at that place
    for (const TopologyAnswerSet& set : sets) {
      auto labels = labels_of(set.owner);
      const std::string_view label = labels[at < labels.size() ? at : 0];
      if (wanted.size() > 1) {
        if (labels.size() != wanted.size()) continue;
        labels[at] = wanted[at];
        if (labels != wanted) continue;
      }
      owners.emplace(label, set.owner);
    }
    std::vector<std::string_view> words;
    for (const auto& [label, owner] : owners) words.push_back(label);
    for (const std::string_view label : base::nearest(wanted[at], words)) {
      const auto [first, last] = owners.equal_range(label);
      for (auto each = first; each != last; ++each) meant.push_back(each->second);
    }
  }
  return meant;
}

}  // namespace

std::string canonical(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return lower;
}

Outcome<std::string> resolve_server(const Topology& topology, std::string_view text) {
  std::string name = canonical(text);
  if (topology.server(name)) return name;
  return resolve_label(topology.servers(), name, "server");
}

Outcome<std::string> resolve_pool(const Topology& topology, std::string_view text) {
  std::string name = canonical(text);
  if (topology.pool(name)) return name;
  return resolve_label(topology.pools(), name, "pool");
}

std::string explain_hint(const Topology& topology, const std::string& owner) {
  if (const auto server = resolve_server(topology, owner)) {
    const PoolId pool = topology.servers()[*topology.server(*server)].pool;
    const std::string which = *server == owner ? "a server" : "the server " + *server;
    return "; it is " + which + " of " + std::string(topology.pools()[pool].fqdn);
  }
  return base::did_you_mean(owners_meant(topology.answer_sets(), owner));
}

}  // namespace sluice::health
