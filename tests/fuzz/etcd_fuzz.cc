// What etcd's gateway answers -> the same lines of a watch however it is cut; changes below the
// prefix in the order of their revisions; a page that either ends or goes on behind a key; a token
// that is fit for a header; reasons in one line. The first octet chooses the cuts.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/foreign_text.h"
#include "health/etcd/forms.h"
#include "health/etcd/line_splitter.h"
#include "tests/fuzz/cuts.h"
#include "tests/fuzz/require.h"

namespace {

using namespace sluice;
using namespace sluice::etcd;
using fuzz::require;

const Keys kKeys("/s");

std::vector<std::string> lines(std::string_view octets, std::uint8_t manner) {
  std::vector<std::string> lines;
  LineSplitter splitter;
  fuzz::Cuts cuts(manner);
  while (!octets.empty()) {
    splitter.add(cuts.take(octets));
    while (const auto line = splitter.next()) lines.push_back(*line);
  }
  return lines;
}

void require_reason(const std::string& reason) {
  require(!reason.empty() && base::is_plain_line(reason));
}

void read_watch(std::string_view line) {
  const auto read = read_watch_line(kKeys, line);
  if (!read) return require_reason(read.error());
  require((read->kind == WatchLine::Kind::Changes) == !read->changes.empty());
  require(std::ranges::is_sorted(read->changes, {}, &cluster::Change::revision));
  for (const cluster::Change& change : read->changes) require(change.revision > 0);
  if (read->kind == WatchLine::Kind::Ended) require_reason(read->complaint.message);
}

void read_answer(std::string_view body) {
  if (const auto page = read_page(kKeys, body)) {
    require(page->listing.revision > 0);
    require(!page->more || !page->listing.entries.empty());
  }
  if (const auto committed = read_committed(body)) require(committed->revision > 0);
  if (const auto lease = read_granted(body)) require(*lease != 0);
  if (const auto renewed = read_renewed(body); !renewed) require_reason(renewed.error());
  if (const auto token = read_token(body)) {
    require(!token->empty());
    for (const char c : *token) require(c > ' ' && c < '\x7f');
  }
  if (const auto complaint = read_complaint(body)) {
    require_reason(complaint->message);
    static_cast<void>(meaning_of(*complaint));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view octets(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::vector<std::string> whole = lines(octets, 0);
  require(lines(octets, 1) == whole);
  require(lines(octets, data[0]) == whole);
  for (const std::string& line : whole) read_watch(line);
  read_answer(octets);
  return 0;
}
