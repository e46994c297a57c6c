#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "config/model.h"
#include "health/event.h"
#include "health/heartbeat.h"
#include "health/hold.h"
#include "health/schedule.h"

// What stands in files and in the engine for our enumerations: independent of what views and the
// API call things.
namespace sluice::health {

template <class T, std::size_t N>
using Words = std::array<std::pair<std::string_view, T>, N>;

inline constexpr Words<Origin, 3> kOrigins{
    {{"operator", Origin::Operator}, {"host", Origin::Host}, {"schedule", Origin::Schedule}}};
inline constexpr Words<Health, 3> kHealth{
    {{"up", Health::Up}, {"down", Health::Down}, {"stopped", Health::Stopped}}};
inline constexpr Words<config::Startup, 2> kStartup{
    {{"automatic", config::Startup::Automatic}, {"manual", config::Startup::Manual}}};
inline constexpr Words<Then, 2> kThen{{{"lift", Then::Lift}, {"alarm", Then::Alarm}}};
inline constexpr Words<EventType, 14> kDurable{{{"drain", EventType::Drain},
                                                {"resume", EventType::Resume},
                                                {"release", EventType::Release},
                                                {"expire", EventType::Expire},
                                                {"alarm", EventType::Alarm},
                                                {"refusal", EventType::Refusal},
                                                {"force", EventType::Force},
                                                {"unforce", EventType::Unforce},
                                                {"schedule", EventType::Schedule},
                                                {"cancel", EventType::Cancel},
                                                {"reload", EventType::Reload},
                                                {"authentication", EventType::Authentication},
                                                {"forbidden", EventType::Forbidden},
                                                {"forget", EventType::Forget}}};

template <class T, std::size_t N>
std::string_view word(const Words<T, N>& words, T value) {
  for (const auto& [text, known] : words) {
    if (known == value) return text;
  }
  return "";  // what reads it refuses it, and so does a column's CHECK
}

}  // namespace sluice::health
