// Pools by the hundred thousand: the file that a `list:` names.

#include <algorithm>
#include <utility>

#include "config/blocks.h"
#include "config/files.h"
#include "config/mapping.h"

namespace sluice::config {
namespace {

// Who has more to mend has another problem, such as the wrong file.
constexpr std::size_t kMaxMistakes = 20;

// Addresses of one pool: few are compared each with each, many are sorted.
constexpr std::size_t kFew = 16;

// What makes room in one go for most lists; others take a little longer, or room that they don't
// touch.
constexpr std::size_t kUsualLine = 24;  // octets
constexpr std::size_t kUsualServers = 3;

std::string_view parent_of(std::string_view name) {
  const auto dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

}  // namespace

void ServerList::mistake(int line, std::string message) {
  list_.findings().add(base::Error{{*file_, line}, list_.path(), std::move(message)});
  ++mistakes_;
}

void ServerList::read(std::chrono::seconds ttl) {
  const auto path = read_path(list_, known_.folder);
  if (!path) return;
  auto text = read_file(*path);
  if (!text) return list_.reject(printable(*path) + " can't be read: " + text.error());
  file_ = &known_.list_files.emplace_back(*path);
  text_ = *std::move(text);
  ttl_ = ttl;
  first_name_ = known_.owners.size();
  out_.reserve(out_.size() + text_.size() / (kUsualServers * kUsualLine));
  known_.owners.reserve(text_.size() / kUsualLine);
  ListFile records(text_, ttl);
  for (;;) {
    auto step = records.next();
    if (!step.record && step.mistake.empty()) break;
    if (step.record) {
      add(*step.record);
    } else {
      mistake(step.line, std::move(step.mistake));
    }
    if (mistakes_ < kMaxMistakes) continue;
    return mistake(step.line, "the rest was not read: mend these " + std::to_string(mistakes_) +
                                  " mistakes first");
  }
  if (pools().empty() && mistakes_ == 0) list_.reject(printable(*path) + " has no server");
  for (const Pool& pool : pools()) {
    if (mistakes_ < kMaxMistakes) check_addresses(pool);
  }
}

void ServerList::add(const ListRecord& record) {
  if (!record.same_owner) last_ = place_server(record.owner, record.line);
  if (!last_) return;
  out_[last_->pool].servers[last_->server].addresses.push_back(record.address);
}

const ServerList::Place* ServerList::known_place(std::string_view name) const {
  const auto number = known_.owners.number(name);
  return number && *number >= first_name_ ? &places_[*number - first_name_] : nullptr;
}

std::optional<ServerList::Place> ServerList::place_server(std::string_view fqdn, int line) {
  if (!known_.owners.claim(fqdn, {line, "server", file_})) {
    const Place* known = known_place(fqdn);
    if (known != nullptr && known->pool == kNone) return {};
    if (known != nullptr && known->server != kNone) return *known;  // another address of it
    mistake(line, known_.owners.clash(fqdn));
    return {};
  }
  const std::size_t own = places_.size();
  places_.emplace_back();
  const auto pool = place_pool(parent_of(fqdn), line);
  if (!pool) return {};
  std::vector<Server>& servers = out_[*pool].servers;
  places_[own] = {*pool, static_cast<std::uint32_t>(servers.size())};
  servers.emplace_back().fqdn = fqdn;
  return places_[own];
}

std::optional<std::uint32_t> ServerList::place_pool(std::string_view fqdn, int line) {
  if (last_ && out_[last_->pool].fqdn == fqdn) return last_->pool;
  if (fqdn.empty()) {
    mistake(line, "must be a full name such as fe01.pool01.contoso.example, has one label");
    return {};
  }
  if (!known_.owners.claim(fqdn, {line, "pool", file_})) {
    const Place* known = known_place(fqdn);
    if (known != nullptr && known->pool != kNone && known->server == kNone) return known->pool;
    mistake(line, known_.owners.clash(fqdn));
    return {};
  }
  const auto pool = static_cast<std::uint32_t>(out_.size());
  places_.push_back({pool, kNone});
  Pool& made = out_.emplace_back();
  made.fqdn = fqdn;
  made.servers.reserve(kUsualServers);
  if (known_.all_zones && !known_.in_zone(fqdn)) {
    mistake(line, "the pool " + std::string(fqdn) +
                      " lies in no configured zone: add one to zones: that contains it");
  }
  return pool;
}

// An address twice in a pool: drained, one server's would stay in the answers by the other.
void ServerList::check_addresses(const Pool& pool) {
  std::vector<base::IpAddress> all;
  for (const Server& server : pool.servers) {
    all.insert(all.end(), server.addresses.begin(), server.addresses.end());
  }
  const auto complain = [&](const base::IpAddress& twice) {
    const std::vector<int> lines = lines_of(pool, twice);
    mistake(lines.back(), twice.to_string() + " is an address of the pool " + pool.fqdn +
                              " already, line " + std::to_string(lines.front()));
  };
  if (all.size() <= kFew) {
    for (auto address = all.begin(); address != all.end(); ++address) {
      if (std::find(all.begin(), address, *address) != address) return complain(*address);
    }
    return;
  }
  std::ranges::sort(all);
  const auto twice = std::ranges::adjacent_find(all);
  if (twice != all.end()) complain(*twice);
}

// Every server of a list runs all that the pool names, so that each could be in each answer set.
void ServerList::check_floors(const Pool& pool, const Pool& common) {
  const auto check = [&](const MinAccepting& floor, const std::string& of) {
    const unsigned least = floor.of(pool.servers.size());
    if (least <= pool.servers.size()) return;
    const base::IpAddress& any = pool.servers.front().addresses.front();
    mistake(lines_of(pool, any).front(),
            "the pool " + pool.fqdn + " has " + std::to_string(pool.servers.size()) +
                " servers, less than min_accepting" + of + " (" + std::to_string(least) +
                "): no drain would ever be accepted");
  };
  check(common.min_accepting, "");
  for (const Feature& feature : common.features) {
    if (feature.min_accepting) check(*feature.min_accepting, " of " + feature.name);
  }
}

void ServerList::check(const Pool& common) {
  const std::vector<base::IpAddress>& last_resort = common.last_resort;
  for (const Pool& pool : pools()) {
    if (mistakes_ > 0) return;
    check_floors(pool, common);
    if (last_resort.empty()) continue;
    for (const Server& server : pool.servers) {
      for (const base::IpAddress& address : server.addresses) {
        if (std::ranges::find(last_resort, address) == last_resort.end()) continue;
        mistake(lines_of(pool, address).front(),
                address.to_string() +
                    " answers as the last resort: a server that is held would "
                    "come back by it");
      }
    }
  }
}

std::vector<int> ServerList::lines_of(const Pool& pool, const base::IpAddress& address) const {
  std::vector<int> lines;
  ListFile records(text_, ttl_);
  for (;;) {
    const auto step = records.next();
    if (!step.record && step.mistake.empty()) return lines;
    if (step.record && step.record->address == address &&
        parent_of(step.record->owner) == pool.fqdn) {
      lines.push_back(step.line);
    }
  }
}

}  // namespace sluice::config
