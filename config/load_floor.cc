// What a drain must leave: min_accepting, of a pool and of a feature.

#include <algorithm>
#include <charconv>

#include "config/blocks.h"
#include "config/mapping.h"

namespace sluice::config {
namespace {

constexpr unsigned kMostServers = 65'535;  // of a pool; more fit no answer

// The key of a table. Quoted or not: who writes JSON has no other keys.
std::optional<unsigned> read_size(const Value& key) {
  const auto text = key.text();
  if (!text) return {};
  unsigned size = 0;
  const auto [end, status] = std::from_chars(text->data(), text->data() + text->size(), size);
  const bool whole = status == std::errc() && end == text->data() + text->size();
  // A zero in front, and 3 and 03 would be two keys.
  if (whole && text->front() != '0' && size <= kMostServers) return size;
  key.reject("must be a number of servers, 1..65535, is " + key.shown());
  return {};
}

MinAccepting read_table(const Value& value) {
  MinAccepting floor;
  floor.kind = MinAccepting::Kind::Table;
  const std::size_t before = value.findings().size();
  Mapping block(value);
  block.each([&](const Value& key, const Value& entry) {
    const auto size = read_size(key);
    if (!size) return;
    // No more than there are, or no drain would ever be accepted.
    if (const auto number = entry.number(0, *size)) {
      floor.by_size.emplace(*size, static_cast<unsigned>(*number));
    }
  });
  if (floor.by_size.empty() && value.findings().size() == before) {
    value.reject("must have at least one size, such as {3: 2, 5: 3}");
  }
  return floor;
}

// How many could be in an answer set that follows the service.
std::size_t servers_that_run(const Pool& pool, std::string_view service) {
  return static_cast<std::size_t>(
      std::count_if(pool.servers.begin(), pool.servers.end(), [&](const Server& server) {
        return std::find(server.services.begin(), server.services.end(), service) !=
               server.services.end();
      }));
}

}  // namespace

MinAccepting read_min_accepting(const Value& value) {
  if (value.kind() == Document::Kind::Mapping) return read_table(value);
  MinAccepting floor;
  if (value.kind() == Document::Kind::Scalar && value.shown().find('%') != std::string::npos) {
    if (const auto percent = value.percentage(0, 100)) {
      floor.kind = MinAccepting::Kind::Percentage;
      floor.number = *percent;
    }
    return floor;
  }
  constexpr std::string_view kInstead =
      "a percentage such as 50%, a table such as {3: 2, 5: 3} or ";
  if (const auto number = value.number(0, kMostServers, kInstead)) {
    floor.number = static_cast<unsigned>(*number);
  }
  return floor;
}

std::string unmet(const MinAccepting& floor, const Pool& pool, const std::string& service) {
  const std::size_t could = servers_that_run(pool, service);
  const unsigned least = floor.of(could);
  if (least <= could || could == 0) return {};  // that nobody runs it is told by itself
  std::string text =
      "must be at most the pool's " + std::to_string(could) + (could == 1 ? " server" : " servers");
  if (could < pool.servers.size()) text += (could == 1 ? " that runs " : " that run ") + service;
  return text + ", is " + std::to_string(least) + ": no drain would ever be accepted";
}

}  // namespace sluice::config
