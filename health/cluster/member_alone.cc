// What an operator orders of this responder alone, while it is cut off: kept in its own copy, and
// told to the others once they can be reached.

#include <utility>

#include "health/cluster/member.h"
#include "health/cluster/own_records.h"

namespace sluice::cluster {

void Member::act_alone(const Order& order) {
  const std::uint64_t number = ++order_number_;
  alone_orders_.emplace(number, order);
  alone_order_ = number;
  authority_->act_alone(true);
  order.act(number);
  authority_->act_alone(false);
  alone_order_.reset();
}

void Member::keep_alone(const health::Hold& hold, std::vector<Write>& own) const {
  own.push_back(own_hold(hold));
  own.push_back(own_generation(authority_->generation_alone()));
}

// Its own workers at least answer by it.
void Member::reply_alone() {
  std::vector<std::function<void()>> replies;
  std::erase_if(alone_replies_, [&](auto& waiting) {
    if (waiting.first > served_local_) return false;
    replies.push_back(std::move(waiting.second));
    return true;
  });
  for (const auto& reply : replies) reply();
}

}  // namespace sluice::cluster
