// A reload: all of the new configuration, or nothing of it.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/sluiced/config_reading.h"
#include "tools/sluiced/daemon.h"
#include "tools/sluiced/log.h"

namespace sluice {

void Daemon::reload(const health::Actor& by, Reloaded done) {
  if (upgrade_ != Upgrade::None) {
    // It may have read its file before this was asked.
    if (by.by == "SIGHUP") {
      log::info("SIGHUP waits for the end of the take-over");
      reload_for_successor_ = true;
    }
    return done({{{}, {}, "another process is taking over, with the configuration that it reads"}});
  }
  if (reloading_) {
    // The one under way may have read its file before this was asked: read it again afterwards.
    waiting_reloads_.emplace_back(by, std::move(done));
    return;
  }
  reloading_ = true;
  sentry_->reloading();
  read_aside(&loop_, blueprint_.config.file, serials_.bases(),
             [this, by, done = std::move(done)](auto result) {
               if (!stopping_) take_over(std::move(result), by, done);
             });
}

void Daemon::take_over(base::Result<Blueprint, Errors> read, const health::Actor& by,
                       const Reloaded& done) {
  if (!read) return end_reload(read.error(), by, done);
  const auto next = std::make_shared<Blueprint>(*std::move(read));
  if (const Errors errors = needs_restart(blueprint_.config, next->config); !errors.empty()) {
    return end_reload(errors, by, done);
  }
  if (cluster_) return take_over_in_turn(next, by, done);
  // The serial bases first: what a zone's serial grew by must not be forgotten by a crash.
  store_.commit(serials_.changes_for(*next->zones), health::Store::Urgency::First,
                [this, by, done, next](const health::Store::Stored& stored) {
                  if (!stored) {
                    end_reload({{{}, {}, "the store failed: " + stored.error()}}, by, done);
                    return;
                  }
                  serials_.keep(*next->zones);
                  end_reload(put_in_place(std::move(*next)), by, done);
                });
}

Daemon::Errors Daemon::put_in_place(Blueprint next) {
  if (auto used = api_->use(next.config.api); !used) return {std::move(used).error()};
  for (const std::string& warning : warnings(next)) log::warning(warning);
  blueprint_ = std::move(next);
  resources_->set_memory_limit(blueprint_.config.memory_limit);
  publisher_->prepare(blueprint_.zones,
                      dns::make_response_settings(blueprint_.config.dns, cookie_secret_));
  authority_->reconfigure(blueprint_.topology, blueprint_.config.health);
  explain_stale();
  replaced_ = true;
  tick();
  return {};
}

// Every reload ends here, and the next one that waits begins.
void Daemon::end_reload(const Errors& errors, const health::Actor& by, const Reloaded& done) {
  health::Event event;
  event.type = health::EventType::Reload;
  event.by = by.by;
  event.origin = by.origin;
  if (errors.empty()) {
    log::info("reloaded by " + log::escaped(by.by) + " (generation " +
              std::to_string(authority_->generation()) + ")");
    event.text = "the configuration was taken over";
  } else {
    log::error("reload by " + log::escaped(by.by) + " refused, the old configuration serves on:\n" +
               base::to_string(errors));
    event.text = "refused: " + base::to_string(errors.front()) +
                 (errors.size() > 1 ? " and " + std::to_string(errors.size() - 1) + " more" : "");
  }
  events_->record(std::move(event));
  reloading_ = false;
  sentry_->reloaded(errors);
  done(errors);
  if (waiting_reloads_.empty()) {
    if (std::exchange(upgrade_waits_, false)) upgrade();
    return;
  }
  const auto [next_by, next_done] = std::move(waiting_reloads_.front());
  waiting_reloads_.pop_front();
  reload(next_by, next_done);
}

}  // namespace sluice
