#pragma once

#include "dns/answer/answer_writer.h"
#include "dns/answer/response_settings.h"
#include "dns/wire/query.h"

namespace sluice::dns {

// Class CH: which server this is (id.server, RFC 4892, and hostname.bind) and of which version
// (version.server, version.bind), as TXT with TTL 0, or for QTYPE ANY. REFUSED when hidden, and for
// everything else.
Rcode answer_chaos(const ResponseSettings& settings, const Query& query,
                   AnswerWriter& writer) noexcept;

}  // namespace sluice::dns
