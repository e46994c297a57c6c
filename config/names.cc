#include "config/names.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "config/base/address.h"
#include "config/base/nearest.h"
#include "config/mapping.h"

namespace sluice::config {
namespace {

constexpr std::size_t kMaxHintNames = 10'000;  // a look at each takes about 5 ms
constexpr std::size_t kMaxToken = 64;          // a word in a log line

base::Unexpected<std::string> wrong(std::string message) {
  return base::Unexpected{std::move(message)};
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// `label` in lower case. Empty: nothing is wrong with it.
std::string label_fault(std::string_view label) {
  if (label.empty()) return "a label is empty (two dots in a row, or one at an end)";
  const std::string shown = '"' + printable(label) + '"';
  if (label.size() > kMaxLabel) {
    return "the label " + shown + " has " + std::to_string(label.size()) + " octets, 63 at most";
  }
  const bool known = std::all_of(label.begin(), label.end(), [](char c) {
    return is_letter_or_digit(c) || c == '-' || c == '_';
  });
  if (!known) return "the label " + shown + " has more than letters, digits, - and _";
  if (label.front() == '-' || label.back() == '-') return "the label " + shown + " has - at an end";
  return {};
}

std::uint32_t hash_of(std::string_view name) noexcept {
  return static_cast<std::uint32_t>(std::hash<std::string_view>{}(name));
}

CheckedName check_labels(std::string_view text) {
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(), lower);
  const std::string shown = ", is " + printable(text);
  if (name.size() > kMaxName) {
    return wrong("must be a DNS name of at most 253 octets, has " + std::to_string(name.size()));
  }
  std::string_view rest = name;
  for (;;) {
    const auto dot = rest.find('.');
    if (const std::string fault = label_fault(rest.substr(0, dot)); !fault.empty()) {
      return wrong("must be a DNS name: " + fault + shown);
    }
    if (dot == std::string_view::npos) return name;
    rest.remove_prefix(dot + 1);
  }
}

}  // namespace

CheckedName check_dns_name(std::string_view text) {
  if (base::IpAddress::parse(text)) {
    return wrong("must be a name, is the address " + printable(text));
  }
  return check_labels(text.size() > 1 && text.ends_with('.') ? text.substr(0, text.size() - 1)
                                                             : text);
}

CheckedName check_server_name(std::string_view text) {
  auto name = check_dns_name(text);
  if (name && name->find('.') == std::string::npos) {
    return wrong("must be a full name such as fe01.pool01.contoso.example, is " + *name);
  }
  return name;
}

CheckedName check_relative_name(std::string_view text) {
  if (text.ends_with('.')) {
    return wrong("must be relative to the pool, without a final dot, is " + printable(text));
  }
  return check_labels(text);
}

CheckedName check_srv_name(std::string_view text) {
  auto name = check_relative_name(text);
  if (!name) return name;
  const auto dot = name->find('.');
  const bool two = dot != std::string::npos && name->find('.', dot + 1) == std::string::npos;
  // A label that is only "_" names no service.
  if (!two || name->front() != '_' || (*name)[dot + 1] != '_' || dot < 2 ||
      name->size() < dot + 3) {
    return wrong("must be _service._proto such as _sip._tcp (RFC 2782), is " + printable(text));
  }
  return name;
}

CheckedName check_label(std::string_view text) {
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(), lower);
  if (const std::string fault = label_fault(name); !fault.empty()) {
    return wrong("must be one word, a DNS label: " + fault);
  }
  return name;
}

CheckedName check_domain(std::string_view text) {
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(), lower);
  const bool known = std::all_of(name.begin(), name.end(), [](char c) {
    return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
  });
  if (known && !name.empty() && name.size() <= kMaxLabel) return name;
  return wrong("must be one word such as rack-a, 1 to 63 letters, digits or any of -_., is " +
               printable(text));
}

CheckedName check_token_name(std::string_view text) {
  const bool known = std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter_or_digit(lower(c)) || std::string_view("._-@+").find(c) != std::string::npos;
  });
  if (known && !text.empty() && text.size() <= kMaxToken) return std::string(text);
  return wrong("must be 1 to 64 letters, digits or any of ._-@+, is " + printable(text));
}

std::optional<std::string> read_name(const Value& value, CheckedName (*check)(std::string_view)) {
  const auto text = value.text();
  if (!text) return {};
  auto name = check(*text);
  if (name) return *std::move(name);
  value.reject(name.error());
  return {};
}

std::optional<std::uint32_t> NameTable::claim(std::string_view name, Taken by) {
  if (2 * (entries_.size() + 1) > slots_.size()) {
    resize_slots(std::max<std::size_t>(64, 4 * slots_.size()));
  }
  const std::uint32_t hash = hash_of(name);
  Slot& slot = slots_[slot_of(name, hash)];
  if (slot.entry != 0) return {};
  const std::uint32_t number = size();
  entries_.push_back({octets_.size(), name.size(), by});
  octets_.insert(octets_.end(), name.begin(), name.end());
  slot = {hash, number + 1};
  return number;
}

bool NameTable::take(const Value& at, std::string_view name, const char* what) {
  if (claim(name, {at.line(), what, nullptr})) return true;
  at.reject(clash(name));
  return false;
}

std::optional<std::uint32_t> NameTable::number(std::string_view name) const {
  if (slots_.empty()) return {};
  const Slot& slot = slots_[slot_of(name, hash_of(name))];
  if (slot.entry == 0) return {};
  return slot.entry - 1;
}

const NameTable::Taken* NameTable::find(std::string_view name) const {
  const auto place = number(name);
  return place ? &entries_[*place].taken : nullptr;
}

std::string NameTable::clash(std::string_view name) const {
  const Taken& taken = *find(name);
  const std::string file = taken.file == nullptr ? std::string() : " of " + printable(*taken.file);
  return printable(name) + " is already the name of the " + taken.what + " in line " +
         std::to_string(taken.line) + file;
}

std::size_t NameTable::slot_of(std::string_view name, std::uint32_t hash) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].entry != 0 &&
         (slots_[at].hash != hash || name_of(entries_[slots_[at].entry - 1]) != name)) {
    at = (at + 1) & mask;
  }
  return at;
}

void NameTable::reserve(std::size_t names) {
  const std::size_t all = entries_.size() + names;
  // Room that nothing is written to costs nothing; what is longer grows.
  constexpr std::size_t kUsualName = 32;
  octets_.reserve(octets_.size() + kUsualName * names);
  entries_.reserve(all);
  std::size_t slots = 64;
  while (slots < 2 * all) slots *= 2;
  if (slots > slots_.size()) resize_slots(slots);
}

void NameTable::resize_slots(std::size_t slots) {
  const Large<Slot> old = std::exchange(slots_, Large<Slot>(slots));
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.entry == 0) continue;
    std::size_t at = slot.hash & mask;
    while (slots_[at].entry != 0) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

std::string NameTable::hint(std::string_view typo, std::string_view what) {
  if (hints_left_ == 0 || entries_.size() > kMaxHintNames) return {};
  --hints_left_;
  std::vector<std::string_view> words;
  words.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    if (entry.taken.what == what) words.push_back(name_of(entry));
  }
  std::sort(words.begin(), words.end());  // the same hint each time, where two are as near
  return base::did_you_mean(typo, words);
}

}  // namespace sluice::config
