// The blocks that pools refer to: services and zones.

#include <algorithm>
#include <utility>

#include "config/blocks.h"
#include "config/files.h"
#include "config/mapping.h"

namespace sluice::config {
namespace {

// Shown on terminals and in log lines.
void read_title(const Value& value, std::string& out) {
  const auto text = value.text();
  if (!text) return;
  const bool one_line = std::none_of(text->begin(), text->end(),
                                     [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
  if (!one_line || text->size() > 100) {
    return value.reject("must be one line of at most 100 octets");
  }
  out = *text;
}

void read_consolidates(const Value& value, Known& known, Service& out) {
  value.each([&](const Value& item) {
    const auto component = read_name(item, check_label);
    if (component && known.services.take(item, *component, "component")) {
      out.consolidates.push_back(*component);
    }
  });
}

void read_records(const Value& value, Zone& out) {
  const auto text = value.text();
  if (!text) return;
  if (value.style() == Document::Style::Folded) {
    return value.reject(
        "\">\" joins the lines of a text, and master files have records by line: "
        "use \"|\"");
  }
  out.records = *text;
  // The text of a literal begins in the line behind the "|".
  const int first = value.style() == Document::Style::Literal ? 1 : 0;
  out.origin = {value.findings().file(), value.line() + first};
}

void read_zone_file(const Value& value, const Known& known, Zone& out) {
  const auto path = read_path(value, known.folder);
  if (!path) return;
  auto text = read_file(*path);
  if (!text) return value.reject(printable(*path) + " can't be read: " + text.error());
  out.records = *std::move(text);
  out.origin = {*path, 1};
}

Zone read_zone(const Value& value, Known& known) {
  Mapping block(value);
  Zone zone;
  if (const auto name = block.require("name", "the zone's apex")) {
    zone.name = read_name(*name, check_dns_name).value_or("");
    if (!zone.name.empty()) known.zones.take(*name, zone.name, "zone");
  }
  known.all_zones = known.all_zones && !zone.name.empty();
  const auto records = block.find("records");
  const auto file = block.find("file");
  if (records) read_records(*records, zone);
  if (file) read_zone_file(*file, known, zone);
  if (records && file) file->reject("must not stand beside records: a zone has one source");
  if (!records && !file && value.kind() == Document::Kind::Mapping) {
    value.reject("needs records: (master-file text) or file: (a path)");
  }
  return zone;
}

}  // namespace

bool Known::in_zone(std::string_view name) const {
  for (;;) {
    if (zones.find(name) != nullptr) return true;
    const auto dot = name.find('.');
    if (dot == std::string_view::npos) return false;
    name.remove_prefix(dot + 1);
  }
}

void read_services(const Value& value, Known& known, std::vector<Service>& out) {
  Mapping block(value);
  // Names first: a component clashes with a service that comes after it, too.
  std::vector<std::pair<std::string, Value>> named;
  block.each([&](const Value& key, const Value& entry) {
    const auto name = read_name(key, check_label);
    if (name && known.services.take(key, *name, "service")) named.emplace_back(*name, entry);
  });
  for (const auto& [name, entry] : named) {
    Mapping service_block(entry);
    Service service{name, name, {}};
    if (const auto title = service_block.find("title")) read_title(*title, service.title);
    if (const auto list = service_block.find("consolidates")) {
      read_consolidates(*list, known, service);
    }
    out.push_back(std::move(service));
  }
}

void read_zones(const Value& value, Known& known, std::vector<Zone>& out) {
  value.each([&](const Value& item) { out.push_back(read_zone(item, known)); });
}

}  // namespace sluice::config
