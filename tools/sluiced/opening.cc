#include "tools/sluiced/opening.h"

#include <string>
#include <utility>

#include "tools/sluiced/config_reading.h"
#include "tools/sluiced/log.h"
#include "tools/sluiced/privileges.h"

namespace sluice {

base::Checked<Listening> open_sockets(const config::Config& config, Listening inherited) {
  const auto privileges = Privileges::of(config);
  if (!privileges) return base::Unexpected{privileges.error()};
  if (auto made = privileges->make_directories(config); !made) {
    return base::Unexpected{std::move(made).error()};
  }
  auto listening = open_listening(config, std::move(inherited));
  if (!listening) return listening;
  if (auto given = privileges->give_socket(config.api.socket); !given) {
    return base::Unexpected{std::move(given).error()};
  }
  if (auto dropped = privileges->drop(config); !dropped) {
    return base::Unexpected{std::move(dropped).error()};
  }
  if (privileges->stays_root()) {
    log::warning("runs as root: write `user: NAME` into " + config.file +
                 " to have it become an ordinary user once its sockets are open");
  }
  if (auto usable = may_use_store(config.store.directory, *privileges); !usable) {
    return base::Unexpected{std::move(usable).error()};
  }
  if (const std::string stale = stale_socket(config.api.socket, *privileges); !stale.empty()) {
    log::warning(stale);
  }
  if (!privileges->changes_user()) return listening;
  if (const auto again = read_alone(config.file); !again) {
    log::warning("as user " + privileges->name() + " every reload would be refused:\n" +
                 base::to_string(again.error()));
  }
  return listening;
}

}  // namespace sluice
