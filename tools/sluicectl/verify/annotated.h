#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/base/clock.h"
#include "tools/sluicectl/api/answers.h"
#include "tools/sluicectl/api/json_reader.h"
#include "tools/sluicectl/lookup/lookups.h"
#include "tools/sluicectl/render/surface.h"
#include "tools/sluicectl/verify/judge.h"

// One real answer with the authority's own words beside each record. Pure.
namespace sluice::ctl {

// What the authority says about a name; nothing where it does not balance it.
struct Beside {
  std::optional<Pool> pool;                // whose servers the records may name
  std::optional<Explanation> explanation;  // of an answer set
};

struct Annotated {
  Lookup lookup;  // of the answer that is shown
  Source source = Source::Responder;
  bool was_truncated = false;  // over UDP, and this one is over TCP
  Message message;
  base::Duration took{0};
  Beside beside;
  std::optional<Judgement> judgement;  // of an answer set

  // Whom a record names.
  const Server* server(const Record& record) const;
  // The authority's word about a server in this answer.
  const ExplainedMember* member(const Server& server) const;
  // Who is not in the answer section.
  std::vector<const ExplainedMember*> missing() const;
};

std::string annotated_view(const Annotated& answer, base::WallTime now, const Surface& surface);
Json annotated_json(const Annotated& answer);

}  // namespace sluice::ctl
