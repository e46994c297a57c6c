#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "config/base/error.h"
#include "config/model.h"
#include "dns/wire/name.h"
#include "dns/wire/types.h"
#include "dns/zone/source_map.h"

namespace sluice::dns {

// One record of a zone's text, of class IN.
struct Record {
  Name owner;
  RRType type = RRType::A;
  std::uint32_t ttl = 0;                // seconds, below 2^31 (RFC 2181 section 8)
  std::span<const std::uint8_t> rdata;  // well-formed, names uncompressed; valid during the call
  int place = 0;                        // where the record begins, for SourceMap::where()
};

// Reads a zone's text (RFC 1035 section 5, $TTL of RFC 2308 section 4, types and RDATA in the form
// of RFC 3597 too) and hands over each record in its order. Lines, owners, TTLs and directives are
// read here, RDATA by ldns: its own reader of files takes `IN 300` for an error, `$ORIGIN sub` for
// an absolute name, a missing TTL for 3600, and loses the line.
//
// A TTL that is left out is that of $TTL, before any $TTL that of the record before, and without
// one 3600 (as ldns reads it). After twenty mistakes the rest is not read.
// `$INCLUDE file [origin]`: a path relative to the including file (that of the configuration, for a
// text that stands in it). The included text begins with the origin, the owner and the TTL that
// stand where it is included; behind it they are again what they were before. It may be nested,
// ten deep; all texts of a zone together have at most base::kMaxFileMiB.
// `$GENERATE range owner [ttl] [class] type rdata` as BIND has it, at most kMaxGenerated records a
// zone.
//
// Returns all mistakes, each with its file and line; `path` is their key.
std::vector<base::Error> read_master_file(const config::Zone& zone, const std::string& path,
                                          SourceMap& sources,
                                          const std::function<void(const Record&)>& sink);

inline constexpr std::uint64_t kMaxGenerated = 4'000'000;

}  // namespace sluice::dns
