#include "tools/sluice-agent/host_state.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "health/rfc3339.h"
#include "health/strict_json.h"
#include "tools/sluice-agent/startup.h"

namespace sluice::agent {
namespace {

using health::JsonReader;
using nlohmann::json;

constexpr int kFormat = 1;
constexpr const char* kFile = "host-state.json";
constexpr const char* kNext = "host-state.json.next";
constexpr const char* kDamaged = "host-state.json.damaged";
// A thousand services with the longest texts are some 3 MB.
constexpr std::size_t kMaxOctets = 8U << 20U;

json stored_json(const health::HostPause& pause) {
  json object{{"by", pause.by},
              {"reason", pause.reason},
              {"since", health::to_rfc3339(pause.since)},
              {"force", pause.force}};
  if (pause.startup) object["startup"] = to_string(*pause.startup);
  if (pause.instance) object["instance"] = *pause.instance;
  return object;
}

std::optional<health::HostPause> read_pause(const json* value, std::string path,
                                            JsonReader& parent) {
  if (value == nullptr) return {};
  JsonReader reader(*value, std::move(path));
  health::HostPause pause;
  pause.by = reader.required_text("by");
  pause.reason = reader.text("reason").value_or("");
  const auto since = health::parse_rfc3339(reader.required_text("since"));
  if (!since) reader.fail("since", "must be a time");
  pause.since = since.value_or(base::WallTime{});
  pause.startup = reader.choice("startup", kStartupNames);
  pause.force = reader.flag("force").value_or(false);
  pause.instance = reader.text("instance");
  parent.take(reader.finish());
  return pause;
}

std::optional<HookRecord> read_hook(const json* value, std::string path, JsonReader& parent) {
  if (value == nullptr) return {};
  JsonReader reader(*value, std::move(path));
  HookRecord hook;
  reader.required("held");
  hook.held = reader.flag("held").value_or(false);
  hook.outcome.state = reader.required_text("state");
  hook.outcome.text = reader.text("text").value_or("");
  parent.take(reader.finish());
  return hook;
}

void read_services(const json* value, HostState& state, JsonReader& parent) {
  if (value == nullptr) return;
  JsonReader reader(*value, "services");
  if (!reader.failed()) {
    for (const auto& [name, service] : value->items()) {
      reader.optional(name);
      const std::string path = health::member_path("services", name);
      JsonReader fields(service, path);
      ServiceRecord record;
      record.pause = read_pause(fields.optional("pause"), path + ".pause", fields);
      record.hook = read_hook(fields.optional("hook"), path + ".hook", fields);
      reader.take(fields.finish());
      state.services.emplace(name, std::move(record));
    }
  }
  parent.take(reader.finish());
}

// Zero, or an errno.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

int write_synced(int folder, const char* name, std::string_view text) {
  const int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return errno;
  int error = write_all(fd, text);
  if (error == 0 && fsync(fd) != 0) error = errno;
  if (close(fd) != 0 && error == 0) error = errno;
  return error;
}

// Nothing on failure, with errno.
std::optional<std::string> read_all(int folder, const char* name) {
  const int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string text;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = read(fd, buffer, sizeof buffer)) > 0 && text.size() <= kMaxOctets) {
    text.append(buffer, static_cast<std::size_t>(count));
  }
  const int error = errno;
  close(fd);
  errno = error;
  if (count < 0) return {};
  return text;
}

}  // namespace

std::string render_host_state(const HostState& state) {
  json services = json::object();
  for (const auto& [name, record] : state.services) {
    json service = json::object();
    if (record.pause) service["pause"] = stored_json(*record.pause);
    if (record.hook) {
      service["hook"] = {{"held", record.hook->held},
                         {"state", record.hook->outcome.state},
                         {"text", record.hook->outcome.text}};
    }
    services[name] = std::move(service);
  }
  const json document{{"format", kFormat}, {"services", std::move(services)}};
  return document.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

base::Checked<HostState> parse_host_state(std::string_view text) {
  const auto document = health::parse_json(text);
  if (!document) return base::failure(document.error().path + " " + document.error().message);
  JsonReader reader(*document, "");
  HostState state;
  const auto format = reader.integer(reader.required("format"), "format", kFormat);
  if (format && *format != kFormat) reader.fail("format", "is of another version");
  read_services(reader.required("services"), state, reader);
  if (const auto error = reader.finish()) {
    return base::failure(error->path + " " + error->message);
  }
  return state;
}

base::Checked<HostStateFile> HostStateFile::open(const std::string& folder) {
  std::error_code made;
  std::filesystem::create_directories(folder, made);
  const int folder_fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_fd < 0) return base::system_failure(folder, errno);
  const int lock_fd = openat(folder_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  const int error = errno;
  HostStateFile file(folder, folder_fd, lock_fd);  // closes what is open on each way out
  if (lock_fd < 0) return base::system_failure(folder + "/lock", error);
  if (flock(lock_fd, LOCK_EX | LOCK_NB) != 0) {
    return base::failure(folder + ": another sluice-agent uses this state folder");
  }
  return file;
}

HostStateFile::HostStateFile(std::string folder, int folder_fd, int lock_fd)
    : folder_(std::move(folder)), folder_fd_(folder_fd), lock_fd_(lock_fd) {}

HostStateFile::HostStateFile(HostStateFile&& other) noexcept
    : folder_(std::move(other.folder_)),
      folder_fd_(std::exchange(other.folder_fd_, -1)),
      lock_fd_(std::exchange(other.lock_fd_, -1)) {}

HostStateFile::~HostStateFile() {
  if (lock_fd_ >= 0) close(lock_fd_);
  if (folder_fd_ >= 0) close(folder_fd_);
}

base::Checked<HostStateFile::Loaded> HostStateFile::load() const {
  const auto text = read_all(folder_fd_, kFile);
  if (!text) {
    if (errno == ENOENT) return Loaded{};
    return base::system_failure(folder_ + "/" + kFile, errno);
  }
  auto state = text->size() > kMaxOctets ? base::Checked<HostState>(base::failure("is too large"))
                                         : parse_host_state(*text);
  if (state) return Loaded{*std::move(state), {}};
  renameat(folder_fd_, kFile, folder_fd_, kDamaged);  // if it cannot, the next save replaces it
  return Loaded{{}, folder_ + "/" + kFile + ": " + state.error().message};
}

base::Checked<base::Done> HostStateFile::save(const HostState& state) const {
  const std::string path = folder_ + "/" + kFile;
  if (const int error = write_synced(folder_fd_, kNext, render_host_state(state)); error != 0) {
    unlinkat(folder_fd_, kNext, 0);
    return base::system_failure(path, error);
  }
  if (renameat(folder_fd_, kNext, folder_fd_, kFile) != 0) return base::system_failure(path, errno);
  if (fsync(folder_fd_) != 0) return base::system_failure(path, errno);
  return base::Done{};
}

}  // namespace sluice::agent
