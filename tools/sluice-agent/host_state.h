#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config/base/error.h"
#include "health/heartbeat.h"

namespace sluice::agent {

// Which hook ran last, and how it ended.
struct HookRecord {
  bool held = false;            // what it was run for: true on_hold, false on_resume
  health::HookOutcome outcome;  // state: "running", "ok", "failed", "none" (not configured)

  friend bool operator==(const HookRecord&, const HookRecord&) = default;
};

struct ServiceRecord {
  std::optional<health::HostPause> pause;
  std::optional<HookRecord> hook;

  friend bool operator==(const ServiceRecord&, const ServiceRecord&) = default;
};

// What the agent must know after its own restart, by service. Services that are not in the
// configuration any more are kept: they may come back.
struct HostState {
  std::map<std::string, ServiceRecord, std::less<>> services;

  friend bool operator==(const HostState&, const HostState&) = default;
};

std::string render_host_state(const HostState& state);
base::Checked<HostState> parse_host_state(std::string_view text);

// The state on disk: one file, replaced as a whole. A crash or a power cut leaves the old or the
// new content; what save() has returned for is there afterwards.
class HostStateFile {
 public:
  // Makes the folder if it is missing and locks it, so that no second agent uses it.
  static base::Checked<HostStateFile> open(const std::string& folder);
  ~HostStateFile();
  HostStateFile(HostStateFile&& other) noexcept;
  HostStateFile& operator=(HostStateFile&&) = delete;

  struct Loaded {
    HostState state;
    // Not empty: the file is damaged, and why. It was put aside as "host-state.json.damaged" and
    // `state` is empty: what was held is not known.
    std::string damage;
  };
  // No file is an empty state. An error when the file is there and cannot be read.
  base::Checked<Loaded> load() const;

  // Written beside, synced, renamed, and the folder synced.
  base::Checked<base::Done> save(const HostState& state) const;

 private:
  HostStateFile(std::string folder, int folder_fd, int lock_fd);

  std::string folder_;
  int folder_fd_ = -1;
  int lock_fd_ = -1;
};

}  // namespace sluice::agent
