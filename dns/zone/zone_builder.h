#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "config/base/error.h"
#include "config/base/result.h"
#include "config/model.h"
#include "dns/zone/zone_set.h"

namespace sluice::dns {

// Configuration -> ZoneSet, or all its mistakes about names and records, each with its file and
// line. Checked: exactly one SOA and at least one NS at each apex; owners within their zone; CNAME
// alone at its name (RFC 2181 section 10.1); no NS and no DNAME at a wildcard (RFC 4592
// sections 4.2 and 4.4); DS at zone cuts alone; no zone, answer set or server below a DNAME (RFC
// 6672 section 2.4; records there are occluded); no record where an answer set or a server's host
// record answers; every answer set in a zone, and above its zone cuts; no types that only a signed
// zone may have.
//
// Records that occur twice count once. TTLs that differ within an RRset become the smallest (RFC
// 2181 section 5.2 forbids them; the smallest keeps nothing longer than any line says). Records at
// or below the apex of another configured zone are that zone's matter and ignored.
//
// A server's host record is ours if its name lies in a zone and above its zone cuts.
//
// `persisted` are the serial_bases() of earlier ZoneSets: a zone's base never goes back.
base::Result<std::shared_ptr<const ZoneSet>, std::vector<base::Error>> build_zones(
    const config::Config& config, const SerialBases& persisted);

// The later of two serials in the arithmetic of RFC 1982; `persisted` if they are not comparable.
std::uint32_t later_serial(std::optional<std::uint32_t> persisted,
                           std::uint32_t configured) noexcept;

}  // namespace sluice::dns
