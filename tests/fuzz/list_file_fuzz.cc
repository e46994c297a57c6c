// A list of servers in master-file format -> records or mistakes with their lines. The reader is
// one of its own for speed: what it accepts, the zone reader, which knows all of RFC 1035, reads as
// the same records.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "config/base/error.h"
#include "config/list_file.h"
#include "config/names.h"
#include "dns/zone/master_file.h"
#include "dns/zone/presentation.h"
#include "tests/fuzz/require.h"

namespace {

using namespace sluice;

struct Record {
  std::string owner;
  std::string address;
  int line = 0;

  friend bool operator==(const Record&, const Record&) = default;
};

base::IpAddress address_of(std::span<const std::uint8_t> rdata) {
  if (rdata.size() == 4) return base::IpAddress::v4({rdata[0], rdata[1], rdata[2], rdata[3]});
  std::array<std::uint8_t, 16> octets{};
  fuzz::require(rdata.size() == octets.size());
  std::ranges::copy(rdata, octets.begin());
  return base::IpAddress::v6(octets);
}

std::vector<Record> read_by_zone(const std::string& text) {
  // Names of any depth are below the root.
  const config::Zone zone{".", text, {"/nonexistent/list", 1}};
  std::vector<Record> records;
  dns::SourceMap sources;
  const auto errors =
      dns::read_master_file(zone, "zones[0]", sources, [&](const dns::Record& record) {
        records.push_back({record.owner.to_string(), address_of(record.rdata).to_string(),
                           sources.where(record.place).line});
      });
  fuzz::require(errors.empty());
  return records;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto lines = 1 + std::ranges::count(text, '\n');
  config::ListFile list(text, std::chrono::seconds(30));
  std::vector<Record> records;
  bool mistaken = false;
  int line = 0;
  while (true) {
    const config::ListFile::Step step = list.next();
    if (!step.record && step.mistake.empty()) break;
    fuzz::require(!step.record || step.mistake.empty());
    fuzz::require(step.line > line && step.line <= lines);
    line = step.line;
    mistaken = mistaken || !step.record;
    for (const char c : step.mistake) fuzz::require((c < 0 || c >= ' ') && c != 0x7f);
    if (!step.record) continue;
    const config::ListRecord& record = *step.record;
    fuzz::require(record.line == line && config::check_dns_name(record.owner).has_value());
    fuzz::require(record.address.is_one_machine());
    // Whoever reads it goes by that: the same name as before, and not another.
    if (record.same_owner) {
      fuzz::require(mistaken || (!records.empty() && records.back().owner == record.owner));
    }
    records.push_back({std::string(record.owner), record.address.to_string(), line});
  }
  if (!mistaken && !records.empty()) fuzz::require(read_by_zone(text) == records);
  return 0;
}
