#pragma once

#include <span>
#include <string>

#include "dns/answer/answer_set_ledger.h"
#include "dns/server/counters.h"

namespace sluice {

// The responder's counters as Prometheus text, appended to `page`; `queries` by answer set, each
// owner once.
void append_dns_metrics(const dns::Counters& counters,
                        std::span<const dns::AnswerSetQueries> queries, std::string& page);

}  // namespace sluice
