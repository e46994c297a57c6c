#include "health/api/all_pools.h"

#include "health/api/view_json.h"

namespace sluice::health {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kPoolsAtOnce = 16;  // pools: half a millisecond, with a few servers each

std::string text_of(const ordered_json& value) {
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace

void AllPools::next_portion() {
  control_([self = shared_from_this()](Authority& authority) { self->gather(authority); });
}

void AllPools::gather(Authority& authority) {
  if (authority.topology() != topology_) {
    topology_ = authority.topology();
    next_ = 0;
    pools_.clear();
  }
  for (const PoolView& view : authority.pools(next_, kPoolsAtOnce)) {
    if (!pools_.empty()) pools_ += ',';
    pools_ += text_of(to_json(view));
    ++next_;
  }
  if (next_ < topology_->pools().size()) {
    next_portion();
  } else {
    reply(authority);
  }
}

void AllPools::reply(const Authority& authority) {
  ordered_json orphans = ordered_json::array();
  for (const OrphanView& view : authority.orphans()) orphans.push_back(to_json(view));
  // Shared, since a function is copied on its way, and hundreds of megabytes need not be.
  const auto body = std::make_shared<std::string>(
      "{\"generation\":" + std::to_string(authority.generation()) + ",\"pools\":[");
  *body += pools_;
  pools_ = std::string();  // {} would keep its memory
  *body += "],\"orphans\":" + text_of(orphans) + "}\n";
  exchange_.reply([body] {
    HttpResponse response;
    response.content_type = "application/json";
    response.body = std::move(*body);
    return response;
  });
}

}  // namespace sluice::health
