#include "tools/sluicectl/import/embedded.h"

#include <filesystem>
#include <functional>
#include <future>
#include <system_error>
#include <thread>
#include <utility>

#include "health/store/recovery.h"

namespace sluice::ctl {
namespace {

// Begins something whose callback comes on the store's thread, and waits for it.
template <class T>
T answer(const std::function<void(std::function<void(T)>)>& begin) {
  // Shared: the callback may return after the wait is over.
  const auto promise = std::make_shared<std::promise<T>>();
  begin([promise](T value) { promise->set_value(std::move(value)); });
  return promise->get_future().get();
}

}  // namespace

bool Embedded::is_there(const std::string& directory) {
  std::error_code code;
  return std::filesystem::exists(health::database_path(directory), code) ||
         std::filesystem::exists(health::copy_path(directory), code);
}

base::Checked<Embedded> Embedded::open(const std::string& directory) {
  Embedded embedded(std::make_shared<std::vector<std::string>>());
  // Later ones, of the store's threads, are about a copy that the next start makes anew.
  auto store = health::SqliteStore::open(
      directory, [](const std::function<void()>& task) { task(); },
      [notices = embedded.notices_,
       caller = std::this_thread::get_id()](const std::string& sentence) {
        if (std::this_thread::get_id() == caller) notices->push_back(sentence);
      },
      embedded.state_);
  if (!store) return base::Unexpected{std::move(store).error()};
  embedded.store_ = std::move(*store);
  return embedded;
}

base::Result<health::RecentAudit, std::string> Embedded::audit(std::size_t limit) {
  return answer<health::SqliteStore::Recent>(
      [&](auto done) { store_->recent_audit(limit, std::move(done)); });
}

health::Store::Stored Embedded::commit(std::vector<health::Change> changes) {
  return answer<health::Store::Stored>([&](auto done) {
    store_->commit(std::move(changes), health::Store::Urgency::First, std::move(done));
  });
}

}  // namespace sluice::ctl
