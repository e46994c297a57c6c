#include "tools/sluiced/config_reading.h"

#include <memory>
#include <optional>
#include <thread>
#include <utility>

namespace sluice {
namespace {

struct Reading {
  uv_work_t work{};
  std::string file;
  dns::SerialBases serial_bases;
  std::optional<base::Result<Blueprint, std::vector<base::Error>>> result;
  std::function<void(base::Result<Blueprint, std::vector<base::Error>>)> done;
};

}  // namespace

base::Result<config::Config, std::vector<base::Error>> read_alone(const std::string& file) {
  std::optional<base::Result<config::Config, std::vector<base::Error>>> config;
  std::thread([&] { config = read_config(file); }).join();
  return *std::move(config);
}

void read_aside(uv_loop_t* loop, std::string file, dns::SerialBases serial_bases,
                std::function<void(base::Result<Blueprint, std::vector<base::Error>>)> done) {
  auto reading = std::make_unique<Reading>();
  reading->file = std::move(file);
  reading->serial_bases = std::move(serial_bases);
  reading->done = std::move(done);
  reading->work.data = reading.get();
  uv_queue_work(
      loop, &reading.release()->work,
      [](uv_work_t* work) {
        auto* self = static_cast<Reading*>(work->data);
        self->result = read_blueprint(self->file, self->serial_bases);
      },
      [](uv_work_t* work, int) {
        const std::unique_ptr<Reading> self(static_cast<Reading*>(work->data));
        self->done(*std::move(self->result));
      });
}

}  // namespace sluice
