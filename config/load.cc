#include "config/load.h"

#include <utility>

#include "config/blocks.h"
#include "config/document.h"
#include "config/files.h"
#include "config/mapping.h"
#include "config/value.h"

namespace sluice::config {
namespace {

using Errors = std::vector<base::Error>;

// A name of the machine's user database; whether it is there shows at the start.
void read_user(const Value& value, std::string& out) {
  const auto text = value.text();
  if (!text) return;
  // useradd(8) allows less; directories like Active Directory name people "first.last@example".
  const bool sound = text->size() <= 256 && text->find_first_of(":/ \t\r\n") == text->npos;
  if (!sound) return value.reject("must be the name of a user, is " + value.shown());
  out = *text;
}

// Every block, those first to which others refer; the order in the file is free.
void read_config(const Value& root, Known& known, Config& out) {
  Mapping blocks(root);
  if (const auto user = blocks.find("user")) read_user(*user, out.user);
  if (const auto dns = blocks.require("dns", "a responder needs dns.listen at least")) {
    read_dns(*dns, known, out.dns);
  }
  if (const auto store = blocks.find("store")) read_store(*store, known, out.store);
  if (const auto health = blocks.find("health")) read_health(*health, out.health);
  if (const auto services = blocks.find("services")) read_services(*services, known, out.services);
  if (const auto zones = blocks.find("zones")) read_zones(*zones, known, out.zones);
  if (const auto pools = blocks.find("pools")) read_pools(*pools, known, out.pools);
  if (const auto memory = blocks.find("memory_limit")) read_memory_limit(*memory, out.memory_limit);
  if (const auto api = blocks.find("api")) read_api(*api, known, out.api);
  out.warnings = std::move(known.warnings);
}

}  // namespace

base::Result<Config, Errors> load_text(const std::string& text, const std::string& file_name) {
  const auto document = Document::parse(text, file_name);
  if (!document) return base::Unexpected{Errors{document.error()}};
  Findings findings(file_name);
  Known known;
  known.folder = folder_of(file_name);
  Config config;
  config.file = file_name;
  read_config(Value(*document, findings), known, config);
  if (findings.size() > 0) return base::Unexpected{findings.take()};
  return config;
}

std::vector<Zone> load_zones(const std::string& file) {
  const auto text = read_file(file);
  if (!text) return {};
  const auto document = Document::parse(*text, file);
  if (!document) return {};
  Findings findings(file);
  Known known;
  known.folder = folder_of(file);
  Config config;
  read_config(Value(*document, findings), known, config);
  std::erase_if(config.zones,
                [](const Zone& zone) { return zone.name.empty() || zone.records.empty(); });
  return std::move(config.zones);
}

base::Result<Config, Errors> load(const std::string& file) {
  const auto text = read_file(file);
  if (!text) {
    return base::Unexpected{Errors{{{file, 0}, {}, "can't be read: " + text.error()}}};
  }
  return load_text(*text, file);
}

}  // namespace sluice::config
