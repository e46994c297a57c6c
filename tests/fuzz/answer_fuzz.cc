// What an API answers to sluicectl -> what is shown, or a sentence. Nothing that moves a cursor,
// colours or turns the reading direction comes out of a foreign document, whatever is in it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/require.h"
#include "tools/sluicectl/api/answers.h"
#include "tools/sluicectl/api/event.h"
#include "tools/sluicectl/api/problem.h"
#include "tools/sluicectl/render/event_words.h"
#include "tools/sluicectl/render/pool_view.h"
#include "tools/sluicectl/render/text.h"

namespace {

using namespace sluice;
using namespace sluice::ctl;

constexpr base::WallTime kNow{base::Duration(1'795'168'890'000)};

// Lines of text that are as they are when they are made safe once more.
void require_shown(const std::string& text) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    fuzz::require(printable(line) == line);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
}

template <class T, class Show>
void read(const Json& document, T (*reader)(JsonReader&), Show show) {
  const auto answer = read_answer(document, reader);
  if (answer) return show(*answer);
  fuzz::require(!answer.error().empty() && answer.error().find('\n') == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  const auto document = parse_document({reinterpret_cast<const char*>(data), size});
  if (!document) {
    fuzz::require(!document.error().empty());
    return 0;
  }
  for (const std::size_t width : {0U, 40U}) {
    const Surface surface{.width = width};
    read(*document, read_pool,
         [&](const Pool& pool) { require_shown(pool_view(pool, kNow, surface)); });
    read(*document, read_pools, [&](const Pools& pools) {
      for (const Pool& pool : pools.pools) require_shown(pool_view(pool, kNow, surface));
      require_shown(orphans_view(pools.orphans, kNow));
    });
    read(*document, read_server,
         [&](const Server& server) { require_shown(console_view(server, kNow, surface)); });
    read(*document, read_event,
         [&](const Event& event) { require_shown(event_line(event, kNow, surface)); });
  }
  read(*document, read_problem, [](const Problem& problem) { require_shown(to_string(problem)); });
  read(*document, read_verdict, [](const Verdict& verdict) {
    for (const Reason& reason : verdict.reasons) require_shown(reason.text);
  });
  read(*document, read_acknowledgement, [](const Acknowledgement& done) {
    for (const std::string& warning : done.warnings) require_shown(warning);
  });
  read(*document, read_explanation, [](const Explanation& explanation) {
    for (const ExplainedMember& member : explanation.members) require_shown(member.text);
  });
  read(*document, read_responders, [](const std::vector<Responder>& responders) {
    for (const Responder& responder : responders) require_shown(responder.name);
  });
  read(*document, read_schedules, [](const std::vector<Schedule>& schedules) {
    for (const Schedule& schedule : schedules) require_shown(schedule.reason);
  });
  return 0;
}
