#include "tools/sluiced/cluster_seat.h"

#include <random>
#include <utility>

#include "tools/sluiced/log.h"

namespace sluice {
namespace {

// While it looks for the others at the start: how often its deadlines are looked at.
constexpr std::uint64_t kFindingMs = 20;

std::string run_id(std::uint64_t number) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text.push_back(kDigits[(number >> shift) & 0xf]);
  return text;
}

std::uint64_t random_number() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

ClusterSeat::ClusterSeat(uv_loop_t* loop, Ports ports) : loop_(loop), ports_(std::move(ports)) {}

base::Checked<std::unique_ptr<ClusterSeat>> ClusterSeat::open(uv_loop_t* loop,
                                                              const base::Clock& clock,
                                                              const config::Config& config,
                                                              std::string digest, Ports ports) {
  std::unique_ptr<ClusterSeat> seat(new ClusterSeat(loop, std::move(ports)));
  const auto notice = [](const std::string& text) { log::warning(log::escaped(text)); };
  auto copy =
      health::ImageFile::open(config.store.directory, seat->ports_.post, notice, seat->kept_);
  if (!copy) return base::Unexpected{std::move(copy).error()};
  seat->copy_ = *std::move(copy);
  seat->kv_ = std::make_unique<etcd::EtcdKv>(loop, *config.store.etcd, notice);
  cluster::Member::Settings settings;
  settings.prefix = config.store.etcd->prefix;
  settings.about.name = config.dns.identity;
  settings.about.run = run_id(random_number());
  settings.about.since = clock.now().wall;
  settings.about.version = SLUICE_VERSION;
  settings.about.configuration = std::move(digest);
  settings.seed = random_number();
  cluster::Member::Ports member_ports;
  member_ports.later = seat->ports_.post;
  member_ports.notice = notice;
  member_ports.woken = seat->ports_.woken;
  member_ports.serial_base = seat->ports_.serial_base;
  seat->member_ = std::make_unique<cluster::Member>(std::move(settings), std::move(member_ports),
                                                    clock, *seat->kv_, *seat->copy_, seat->relay_);
  ClusterSeat* const self = seat.get();
  seat->member_->on_stale([self] { self->note_stale(); });
  return seat;
}

ClusterSeat::~ClusterSeat() {
  finding_.reset();
  member_.reset();
  kv_.reset();
  copy_.reset();
}

void ClusterSeat::find(std::function<void()> done) {
  auto timer = std::make_unique<uv_timer_t>();
  uv_timer_init(loop_, timer.get());
  timer->data = this;
  finding_ = base::UvHandle<uv_timer_t>(timer.release());
  uv_timer_start(
      finding_.get(),
      [](uv_timer_t* handle) { static_cast<ClusterSeat*>(handle->data)->member_->tick(); },
      kFindingMs, kFindingMs);
  member_->open(std::move(kept_), [this, done = std::move(done)] {
    finding_.reset();
    done();
  });
}

void ClusterSeat::note_stale() {
  {
    const std::lock_guard guard(mutex_);
    const auto& stale = member_->stale();
    stale_ = stale ? std::optional(health::Staleness{stale->since, stale->reason}) : std::nullopt;
  }
  ports_.stale_changed();
}

std::optional<health::Staleness> ClusterSeat::stale() const {
  const std::lock_guard guard(mutex_);
  return stale_;
}

}  // namespace sluice
