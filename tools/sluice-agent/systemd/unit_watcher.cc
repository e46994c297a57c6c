#include "tools/sluice-agent/systemd/unit_watcher.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include <spdlog/spdlog.h>

#include "tools/sluice-agent/log.h"

namespace sluice::agent {
namespace {

constexpr const char* kSystemd = "org.freedesktop.systemd1";
constexpr const char* kRoot = "/org/freedesktop/systemd1";
constexpr const char* kSystemdManager = "org.freedesktop.systemd1.Manager";
constexpr const char* kUnit = "org.freedesktop.systemd1.Unit";
constexpr const char* kProperties = "org.freedesktop.DBus.Properties";

std::string path_of(const std::string& unit) {
  char* path = nullptr;
  const int made = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.c_str(), &path);
  const std::unique_ptr<char, decltype(&std::free)> owner(path, &std::free);
  return made < 0 ? std::string() : std::string(path);  // fails for lack of memory alone
}

std::string signal_rule(const char* interface, const char* member, const std::string& path) {
  return std::string("type='signal',sender='") + kSystemd + "',interface='" + interface +
         "',member='" + member + "',path='" + path + "'";
}

// The value of a variant that holds text; empty when it holds something else, which is skipped.
std::string read_text(sd_bus_message* message) {
  const char* text = nullptr;
  char type = 0;
  const char* contents = nullptr;
  if (sd_bus_message_peek_type(message, &type, &contents) > 0 && contents != nullptr &&
      std::strcmp(contents, "s") == 0 && sd_bus_message_read(message, "v", "s", &text) >= 0) {
    return text;
  }
  sd_bus_message_skip(message, "v");
  return {};
}

// The invocation: 16 octets, none when the unit never ran.
std::string read_invocation(sd_bus_message* message) {
  std::string hex;
  const void* octets = nullptr;
  std::size_t size = 0;
  if (sd_bus_message_enter_container(message, 'v', "ay") < 0) {
    sd_bus_message_skip(message, "v");
    return hex;
  }
  sd_bus_message_read_array(message, 'y', &octets, &size);
  sd_bus_message_exit_container(message);
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i < size; ++i) {
    const unsigned char octet = static_cast<const unsigned char*>(octets)[i];
    hex += kDigits[octet >> 4U];
    hex += kDigits[octet & 0xfU];
  }
  return hex;
}

// The answer to GetAll, a{sv}. What is missing in it stays empty.
UnitState read_properties(sd_bus_message* message) {
  UnitState state;
  if (sd_bus_message_enter_container(message, 'a', "{sv}") < 0) return state;
  while (sd_bus_message_enter_container(message, 'e', "sv") > 0) {
    const char* text = nullptr;
    if (sd_bus_message_read(message, "s", &text) < 0) break;
    const std::string_view name(text);
    if (name == "Id") {
      state.id = read_text(message);
    } else if (name == "LoadState") {
      state.load = read_text(message);
    } else if (name == "ActiveState") {
      state.active = read_text(message);
    } else if (name == "SubState") {
      state.sub = read_text(message);
    } else if (name == "InvocationID") {
      state.invocation = read_invocation(message);
    } else {
      sd_bus_message_skip(message, "v");
    }
    if (sd_bus_message_exit_container(message) < 0) break;
  }
  return state;
}

}  // namespace

UnitWatcher::UnitWatcher(uv_loop_t* loop, std::vector<std::string> units,
                         std::function<void()> changed)
    : changed_(std::move(changed)),
      again_(loop, [this] { ask_all(); }),
      bus_(loop, {[this] { on_connected(); }, [this](const std::string& why) { on_lost(why); }}) {
  for (std::string& name : units) units_[name].path = path_of(name);
}

void UnitWatcher::start() {
  if (!units_.empty()) bus_.start();
}

UnitState UnitWatcher::state(std::string_view unit) const {
  const auto found = units_.find(unit);
  return found == units_.end() ? UnitState{} : found->second.state;
}

void UnitWatcher::on_connected() {
  for (auto& [name, unit] : units_) {
    unit.asked = unit.stale = false;
    unit.followed.clear();
    follow(name, unit, unit.path);
  }
  bus_.match(signal_rule(kSystemdManager, "Reloading", kRoot),
             [this](sd_bus_message*) { ask_all(); });
  bus_.match(std::string("type='signal',sender='org.freedesktop.DBus',"
                         "member='NameOwnerChanged',arg0='") +
                 kSystemd + "'",
             [this](sd_bus_message*) { ask_all(); });
  ask_all();
}

void UnitWatcher::follow(const std::string& name, Unit& unit, const std::string& path) {
  bus_.match(signal_rule(kProperties, "PropertiesChanged", path),
             [this, &name, &unit](sd_bus_message*) { ask(name, unit); });
}

void UnitWatcher::on_lost(const std::string& why) {
  failure_ = "systemd cannot be asked: the system bus: " + why;
  spdlog::warn("{}; the units stay what they were", failure_);
}

void UnitWatcher::ask_all() {
  if (!bus_.connected()) return;
  // Without a subscriber systemd sends no signals. To ask again is an error that says so, no harm.
  bus_.call(
      {kSystemd, kRoot, kSystemdManager, "Subscribe"}, [](const auto&) {}, "");
  for (auto& [name, unit] : units_) ask(name, unit);
}

void UnitWatcher::ask(const std::string& name, Unit& unit) {
  if (unit.asked) {
    unit.stale = true;
    return;
  }
  unit.asked = true;
  // A unit that systemd does not know, or has forgotten since it ended, is loaded by the question.
  bus_.call(
      {kSystemd, unit.path.c_str(), kProperties, "GetAll"},
      [this, &name, &unit](const auto& reply) { take(name, unit, reply); }, "s", kUnit);
}

void UnitWatcher::take(const std::string& name, Unit& unit, base::Checked<sd_bus_message*> reply) {
  unit.asked = false;
  if (std::exchange(unit.stale, false)) ask(name, unit);
  if (!reply) {
    // Of a systemd that hangs or is just being executed anew.
    again_.start(kAskAgain);
    failure_ = "systemd does not tell of " + name + ": " + printable(reply.error().message);
    spdlog::warn("{}; it stays what it was", failure_);
    return;
  }
  UnitState state = read_properties(*reply);
  const std::string first = state.id.empty() ? unit.path : path_of(state.id);
  if (first != unit.path && first != unit.followed) {
    unit.followed = first;
    follow(name, unit, first);
    ask(name, unit);  // what came between the answer and the match
  }
  if (!failure_.empty()) {
    spdlog::info("systemd tells of its units again");
    failure_.clear();
  }
  // A unit that has ended may be forgotten and loaded anew, without its last invocation; only a
  // start makes another.
  if (state.invocation.empty() && !state.is_up()) state.invocation = unit.state.invocation;
  if (state == unit.state) return;
  spdlog::info("{}: {}", name, printable(state.text()));
  if (state.load == "not-found") {
    spdlog::warn("{}: systemd has no such unit: nothing is known of its service", name);
  }
  unit.state = std::move(state);
  changed_();
}

}  // namespace sluice::agent
