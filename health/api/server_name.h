#pragma once

#include <string>
#include <string_view>

#include "health/refusal.h"
#include "health/topology.h"

// Servers and pools as paths name them.
namespace sluice::health {

// Names are compared as DNS does (RFC 4343), written without the final dot.
std::string canonical(std::string_view name);

// The FQDN of the server that `text` names: an FQDN in any case, with or without a final dot, or a
// first label that is unique. The refusal lists the candidates of one that is not.
Outcome<std::string> resolve_server(const Topology& topology, std::string_view text);

// Likewise of the pool.
Outcome<std::string> resolve_pool(const Topology& topology, std::string_view text);

// What may have been meant by an owner name that no answer set has, to stand behind a sentence that
// says so; empty: no guess.
std::string explain_hint(const Topology& topology, const std::string& owner);

}  // namespace sluice::health
