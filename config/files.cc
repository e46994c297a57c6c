#include "config/files.h"

#include <charconv>

#include <sys/un.h>

namespace sluice::config {
namespace {

// What bind() takes, with the NUL behind it (unix(7)).
constexpr std::size_t kMaxSocketPath = sizeof(sockaddr_un::sun_path) - 1;

void read_socket_path(const Value& value, const std::string& folder, std::string& out) {
  const auto path = read_path(value, folder);
  if (!path) return;
  if (path->size() > kMaxSocketPath) {
    return value.reject("must be a path of at most " + std::to_string(kMaxSocketPath) +
                        " octets for a unix socket, has " + std::to_string(path->size()) + ": " +
                        printable(*path));
  }
  out = *path;
}

// An octal number, quoted or not: 0660 has always been octal to who types it.
void read_mode(const Value& value, mode_t& out) {
  const auto text = value.text();
  if (!text) return;
  mode_t mode = 0;
  const auto [end, status] = std::from_chars(text->data(), text->data() + text->size(), mode, 8);
  const bool whole = status == std::errc() && end == text->data() + text->size();
  if (!whole || text->size() < 3 || text->size() > 4 || mode > 0777) {
    return value.reject(R"(must be permissions in octal such as "0660", is )" + value.shown());
  }
  out = mode;
}

}  // namespace

std::optional<std::string> read_path(const Value& value, const std::string& folder) {
  const auto text = value.text();
  if (!text) return {};
  return resolve(folder, std::string(*text));
}

void read_socket(const Value& value, const std::string& folder, UnixSocket& out) {
  if (value.kind() == Document::Kind::Scalar) return read_socket_path(value, folder, out.path);
  Mapping block(value);
  if (const auto path = block.require("path", "where the socket is to be")) {
    read_socket_path(*path, folder, out.path);
  }
  if (const auto group = block.find("group")) {
    if (const auto name = group->text()) out.group = *name;
  }
  if (const auto mode = block.find("mode")) read_mode(*mode, out.mode);
}

}  // namespace sluice::config
