#include "dns/answer/answer_set_ledger.h"

#include <algorithm>
#include <cassert>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "dns/wire/reader.h"

namespace sluice::dns {

namespace {

Name name_of(std::span<const std::uint8_t> octets) {
  WireReader reader(octets);
  const auto name = Name::read(reader);
  assert(name);  // a zone set wrote it
  return *name;
}

// The set under which an owner's figures are shown: an address set and an SRV set may share a name.
std::optional<health::AnswerSetId> set_of(const ZoneSet& zones, const Name& owner) {
  for (const RRType type : {RRType::A, RRType::SRV}) {
    const Lookup lookup = zones.find(owner, type);
    if (lookup.kind != Lookup::Kind::AnswerSet) continue;
    // Perhaps a wildcard's, which is another name.
    const auto found = zones.name_at(zones.answer_sets()[lookup.where].name);
    if (std::ranges::equal(found, owner.wire())) return lookup.where;
  }
  return std::nullopt;
}

std::string key_of(std::span<const std::uint8_t> octets) {
  return {octets.begin(), octets.end()};
}

std::span<const std::uint8_t> octets_of(const std::string& key) {
  return {reinterpret_cast<const std::uint8_t*>(key.data()), key.size()};
}

}  // namespace

std::uint64_t AnswerSetLedger::Page::total(health::AnswerSetId set) const noexcept {
  return counts->total(set) + (carried == nullptr ? 0 : (*carried)[set]);
}

// Adds what `from` says to the totals of `to`, name by name.
void AnswerSetLedger::carry(const Page& from, const ZoneSet& to, Totals& totals,
                            std::map<std::string, std::uint64_t>* dropped) {
  const auto plans = from.zones->answer_sets();
  for (health::AnswerSetId set = 0; set < plans.size(); ++set) {
    const std::uint64_t queries = from.total(set);
    if (queries == 0) continue;
    const auto owner = from.zones->name_at(plans[set].name);
    if (const auto now = set_of(to, name_of(owner))) {
      totals[*now] += queries;
    } else if (dropped != nullptr) {
      (*dropped)[key_of(owner)] += queries;
    }
  }
}

std::shared_ptr<AnswerSetCounts> AnswerSetLedger::open(std::shared_ptr<const ZoneSet> zones) {
  const std::size_t sets = zones->answer_sets().size();
  auto carried = std::make_shared<Totals>();
  for (auto dropped = dropped_.begin(); dropped != dropped_.end();) {
    const auto set = set_of(*zones, name_of(octets_of(dropped->first)));
    if (!set) {
      ++dropped;
      continue;
    }
    carried->resize(sets);
    (*carried)[*set] += dropped->second;
    dropped = dropped_.erase(dropped);
  }
  auto counts = std::make_shared<AnswerSetCounts>(sets, workers_);
  const std::lock_guard lock(mutex_);
  pages_.push_back({std::move(zones), counts, carried->empty() ? nullptr : std::move(carried)});
  return counts;
}

void AnswerSetLedger::close_before(const AnswerSetCounts& oldest) {
  // This thread alone changes pages_: it reads without the lock.
  const auto kept =
      std::ranges::find_if(pages_, [&](const Page& page) { return page.counts.get() == &oldest; });
  if (kept == pages_.begin() || kept == pages_.end()) return;
  const Page& newest = pages_.back();
  auto carried = newest.carried == nullptr ? std::make_shared<Totals>(newest.counts->sets())
                                           : std::make_shared<Totals>(*newest.carried);
  for (auto page = pages_.begin(); page != kept; ++page) {
    carry(*page, *newest.zones, *carried, &dropped_);
  }
  std::vector<Page> closed(pages_.begin(), kept);  // their memory is freed without the lock
  const std::lock_guard lock(mutex_);
  pages_.back().carried = std::move(carried);
  pages_.erase(pages_.begin(), kept);
}

std::vector<AnswerSetQueries> AnswerSetLedger::read() const {
  std::vector<Page> pages;
  {
    const std::lock_guard lock(mutex_);
    pages = pages_;
  }
  std::vector<AnswerSetQueries> read;
  if (pages.empty()) return read;
  const ZoneSet& zones = *pages.back().zones;
  Totals totals(zones.answer_sets().size());
  for (const Page& page : pages) carry(page, zones, totals, nullptr);
  for (health::AnswerSetId set = 0; set < totals.size(); ++set) {
    if (totals[set] == 0) continue;
    const auto owner = name_of(zones.name_at(zones.answer_sets()[set].name));
    read.push_back({owner.to_string(), totals[set]});
  }
  return read;
}

}  // namespace sluice::dns
