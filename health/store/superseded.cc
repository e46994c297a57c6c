#include "health/store/superseded.h"

#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <variant>

namespace sluice::health {

std::size_t drop_superseded(const KeptChanges& changes, std::size_t most_audit) {
  // From the newest on: who comes second is the older one.
  std::set<std::pair<std::string, std::string>> services;
  std::size_t audit = 0;
  std::size_t left = 0;
  for (auto list = changes.rbegin(); list != changes.rend(); ++list) {
    std::vector<Change> kept;
    for (auto change = (*list)->rbegin(); change != (*list)->rend(); ++change) {
      const auto* health = std::get_if<PutHealth>(&*change);
      if (health != nullptr && !services.emplace(health->server, health->service).second) continue;
      if (std::holds_alternative<AppendAudit>(*change) && ++audit > most_audit) continue;
      kept.push_back(std::move(*change));
    }
    left += kept.size();
    (*list)->assign(std::make_move_iterator(kept.rbegin()), std::make_move_iterator(kept.rend()));
  }
  return left;
}

}  // namespace sluice::health
