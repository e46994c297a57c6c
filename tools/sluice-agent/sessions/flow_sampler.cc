#include "tools/sluice-agent/sessions/flow_sampler.h"

#include <utility>

namespace sluice::agent {

struct FlowSampler::Work {
  uv_work_t request{};
  FlowSampler* owner = nullptr;  // null: it has gone. Touched by the loop's thread alone
  std::unique_ptr<FlowReader> reader;
  base::MonoTime begun;
  std::vector<base::SocketAddress> own;
  base::Checked<std::vector<FlowList::Key>> list = base::failure("not read");
};

FlowSampler::FlowSampler(uv_loop_t* loop, std::vector<std::uint16_t> ports, base::Duration limit)
    : loop_(loop) {
  if (!ports.empty()) reader_ = std::make_unique<FlowReader>(std::move(ports), limit);
}

FlowSampler::~FlowSampler() {
  if (work_ == nullptr) return;
  work_->owner = nullptr;
  // If it has not begun yet; it is told as all others.
  uv_cancel(reinterpret_cast<uv_req_t*>(&work_->request));
}

void FlowSampler::sample(base::MonoTime now, std::vector<base::SocketAddress> own) {
  if (!reader_) return;
  auto work = std::make_unique<Work>();
  work->request.data = work.get();
  work->owner = this;
  work->reader = std::move(reader_);
  work->begun = now;
  work->own = std::move(own);
  work_ = work.release();
  uv_queue_work(
      loop_, &work_->request,
      [](uv_work_t* request) {
        Work& mine = *static_cast<Work*>(request->data);
        mine.list = mine.reader->read(std::move(mine.own));
      },
      [](uv_work_t* request, int) {
        const std::unique_ptr<Work> mine(static_cast<Work*>(request->data));
        if (mine->owner != nullptr) mine->owner->finish(*mine);
      });
}

void FlowSampler::finish(Work& work) {
  work_ = nullptr;
  reader_ = std::move(work.reader);
  if (work.list) {
    failure_.clear();
    counts_.take(*std::move(work.list), work.begun);
  } else {
    failure_ = work.list.error().message;
    counts_.lose();
  }
}

}  // namespace sluice::agent
