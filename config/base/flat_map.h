#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <initializer_list>
#include <utility>
#include <vector>

namespace sluice::base {

// A map of a handful of entries in one allocation, in the order of their keys. What arrives in that
// order, as most does, is appended. References last until the next entry comes or goes.
template <class Key, class Value>
class FlatMap {
 public:
  using key_type = Key;
  using mapped_type = Value;
  using value_type = std::pair<Key, Value>;
  using iterator = typename std::vector<value_type>::iterator;
  using const_iterator = typename std::vector<value_type>::const_iterator;

  FlatMap() = default;
  FlatMap(std::initializer_list<value_type> entries) {
    for (const value_type& entry : entries) try_emplace(entry.first, entry.second);
  }

  iterator begin() noexcept { return entries_.begin(); }
  iterator end() noexcept { return entries_.end(); }
  const_iterator begin() const noexcept { return entries_.begin(); }
  const_iterator end() const noexcept { return entries_.end(); }
  std::size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }
  void clear() noexcept { entries_.clear(); }
  void reserve(std::size_t count) { entries_.reserve(count); }

  // `K` is anything that compares with a Key.
  template <class K>
  const_iterator find(const K& key) const {
    const auto place = lower_bound(key);
    return place != end() && place->first == key ? place : end();
  }
  template <class K>
  iterator find(const K& key) {
    return begin() + (std::as_const(*this).find(key) - std::as_const(*this).begin());
  }
  template <class K>
  bool contains(const K& key) const {
    return find(key) != end();
  }
  // REQUIRES: there is one.
  template <class K>
  const Value& at(const K& key) const {
    const auto place = find(key);
    assert(place != end());
    return place->second;
  }
  template <class K>
  Value& at(const K& key) {
    return const_cast<Value&>(std::as_const(*this).at(key));
  }
  template <class K>
  Value& operator[](const K& key) {
    const auto place = find(key);
    return place != end() ? place->second : try_emplace(Key(key)).first->second;
  }

  // The entry of that key, and whether it is a new one; one that was there stays as it is.
  template <class... Arguments>
  std::pair<iterator, bool> try_emplace(Key key, Arguments&&... arguments) {
    auto place = entries_.end();
    if (!entries_.empty() && !(entries_.back().first < key)) {
      place = begin() + (std::as_const(*this).lower_bound(key) - std::as_const(*this).begin());
      if (place->first == key) return {place, false};
    }
    return {entries_.emplace(place, std::move(key), Value(std::forward<Arguments>(arguments)...)),
            true};
  }
  std::pair<iterator, bool> emplace(Key key, Value value) {
    return try_emplace(std::move(key), std::move(value));
  }
  template <class K>
  std::size_t erase(const K& key) {
    const auto place = find(key);
    if (place == end()) return 0;
    entries_.erase(place);
    return 1;
  }

  friend bool operator==(const FlatMap&, const FlatMap&) = default;

 private:
  template <class K>
  const_iterator lower_bound(const K& key) const {
    return std::lower_bound(entries_.begin(), entries_.end(), key,
                            [](const value_type& entry, const K& k) { return entry.first < k; });
  }

  std::vector<value_type> entries_;
};

}  // namespace sluice::base
