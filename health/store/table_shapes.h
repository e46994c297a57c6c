#pragma once

#include "health/store/checked_table.h"

namespace sluice::health {

// The tables whose rows the seal counts, as schema.cc defines them.
inline constexpr Shape kMetaShape{"meta", 1, {"name", "value"}};
inline constexpr Shape kHoldsShape{
    "holds",
    3,
    {"server", "service", "origin", "placed_by", "reason", "since", "startup", "forced",
     "hide_host", "expiry", "expires", "then_do", "alarmed"}};
// Keyed by its hold: all that the hold covers goes together.
inline constexpr Shape kHoldServicesShape{"hold_services",
                                          3,
                                          {"server", "service", "origin", "covered", "instance",
                                           "released", "horizon", "horizon_mono", "boot"}};
inline constexpr Shape kHealthShape{"health", 2, {"server", "service", "health"}};
inline constexpr Shape kForcesShape{
    "forces", 2, {"server", "service", "health", "placed_by", "since"}};
inline constexpr Shape kSchedulesShape{
    "schedules",
    1,
    {"id", "server", "service", "at", "placed_by", "reason", "startup", "hide_host", "forced",
     "expires", "then_do", "created", "capped_since", "capped_mono", "boot"}};
inline constexpr Shape kPoolTtlsShape{
    "pool_ttls", 1, {"pool", "ttl", "kept_until", "kept_mono", "boot"}};
inline constexpr Shape kSerialBasesShape{"serial_bases", 1, {"zone", "base"}};

inline constexpr std::array kShapes{&kMetaShape,     &kHoldsShape,      &kHoldServicesShape,
                                    &kHealthShape,   &kForcesShape,     &kSchedulesShape,
                                    &kPoolTtlsShape, &kSerialBasesShape};

// The seal's own row is not among those that it counts.
inline constexpr Shape kSealShape{
    "seal", 1, {"id", "commits", "at", "exported", "row_count", "row_sum", "definitions"}};

}  // namespace sluice::health
