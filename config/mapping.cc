#include "config/mapping.h"

#include <algorithm>
#include <array>
#include <string>

namespace sluice::config {
namespace {

// The keys of this project have at most 22 letters; what is far longer is no typo of one.
constexpr std::size_t kLongestTypo = 40;

// Letters to add, drop, change or swap with the next (the typing mistakes) to come from `a` to `b`.
std::size_t edits(std::string_view a, std::string_view b) {
  std::array<std::array<std::size_t, kLongestTypo + 1>, 3> rows{};
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    const auto& before_last = rows[(i + 1) % 3];
    const auto& last = rows[(i + 2) % 3];
    auto& row = rows[i % 3];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, changed});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
  }
  return rows[a.size() % 3][b.size()];
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view typo,
                                        const std::vector<std::string_view>& words) {
  if (typo.size() > kLongestTypo) return {};
  std::optional<std::string_view> best;
  // A third of the letters wrong is a typo, more is another word.
  std::size_t fewest = std::max<std::size_t>(typo.size() / 3, 1) + 1;
  for (const std::string_view word : words) {
    if (word.size() > kLongestTypo) continue;
    const std::size_t count = edits(typo, word);
    if (count >= fewest) continue;
    fewest = count;
    best = word;
  }
  return best;
}

Mapping::Mapping(const Value& value)
    : self_(value),
      is_mapping_(value.kind() == Document::Kind::Mapping || value.kind() == Document::Kind::Null) {
  if (!is_mapping_) {
    self_.reject("must be a mapping (KEY: VALUE), is " + self_.shown());
    return;
  }
  const Document& document = *self_.document_;
  auto key = document.first_child(self_.id_);
  while (key) {
    const auto item = document.next(*key);
    if (!item) break;  // cannot be: the parser gives every key a value
    entries_.push_back({document.text(*key), *key, *item, false});
    key = document.next(*item);
  }
  find_duplicates();
}

Mapping::~Mapping() {
  for (const Entry& entry : entries_) {
    if (!entry.known) complain_unknown(entry);
  }
}

void Mapping::find_duplicates() {
  // Most mappings have a handful of keys, but `services` may have thousands: sorted, not compared
  // each with each.
  std::vector<Entry*> sorted;
  sorted.reserve(entries_.size());
  for (Entry& entry : entries_) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(), [](const Entry* a, const Entry* b) {
    return a->key != b->key ? a->key < b->key : a->key_node < b->key_node;
  });
  const Entry* first = nullptr;
  for (Entry* entry : sorted) {
    if (first == nullptr || first->key != entry->key) {
      first = entry;
      continue;
    }
    entry->known = true;
    at_key(*entry).reject("is given twice: first in line " + std::to_string(at_key(*first).line()));
  }
}

void Mapping::complain_unknown(const Entry& entry) const {
  const Value key = at_key(entry);
  if (entry.key == "<<") return key.reject("merge keys are not part of YAML 1.2: write them out");
  if (const auto meant = nearest(entry.key, asked_)) {
    return key.reject("is not a known key; did you mean \"" + std::string(*meant) + "\"?");
  }
  std::string known;
  for (const std::string_view word : asked_) {
    if (!known.empty()) known += ", ";
    known += word;
  }
  key.reject("is not a known key; known here: " + known);
}

std::optional<Value> Mapping::find(std::string_view key) {
  asked_.push_back(key);
  // The first that is not known: of a key that is given twice, the later ones are.
  for (Entry& entry : entries_) {
    if (entry.known || entry.key != key) continue;
    entry.known = true;
    return Value(self_, entry.key, 0, entry.value);
  }
  return {};
}

std::optional<Value> Mapping::require(std::string_view key, std::string_view wanted) {
  auto value = find(key);
  if (!value && is_mapping_) {
    const Value missing(self_, key, 0, self_.id_);
    missing.reject("is missing: " + std::string(wanted));
  }
  return value;
}

void Mapping::refuse(std::string_view key) {
  const auto value = find(key);
  // Not among the keys that are worth proposing.
  asked_.pop_back();
  if (value) value->reject("is not supported by this version yet: leave it out");
}

void Mapping::read(std::string_view key, base::Duration& out, base::Duration min,
                   base::Duration max) {
  if (const auto value = find(key)) {
    if (const auto duration = value->duration(min, max)) out = *duration;
  }
}

void Mapping::read(std::string_view key, bool& out) {
  if (const auto value = find(key)) {
    if (const auto flag = value->flag()) out = *flag;
  }
}

}  // namespace sluice::config
