#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "health/api/ports.h"
#include "health/view.h"

namespace sluice::health {

// The figures of the metrics page, counted in portions: of 100,000 pools they take a tenth of a
// second, and a drain must not wait for them. Owns itself while tasks of the control thread are on
// their way.
class AllFigures : public std::enable_shared_from_this<AllFigures> {
 public:
  // Called on the control thread, once, when all are counted.
  using Counted =
      std::function<void(const Authority& authority, std::shared_ptr<const Figures> figures)>;

  AllFigures(const ApiPorts& ports, Counted counted)
      : control_(ports.control), counted_(std::move(counted)) {}

  // Any thread. Returns at once; the last portion calls back.
  void next_portion();

 private:
  decltype(ApiPorts::control) control_;
  Counted counted_;
  std::shared_ptr<Figures> figures_ = std::make_shared<Figures>();
};

}  // namespace sluice::health
