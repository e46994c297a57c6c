#include "config/mapping.h"

#include <algorithm>
#include <string>

#include "config/base/nearest.h"

namespace sluice::config {
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

bool Mapping::all_known() const noexcept {
  return std::all_of(entries_.begin(), entries_.end(),
                     [](const Entry& entry) { return entry.known; });
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
  if (const std::string hint = base::did_you_mean(entry.key, asked_); !hint.empty()) {
    return key.reject("is not a known key" + hint);
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
