#pragma once

#include <string>
#include <string_view>

// One line an event, on standard error: "2026-11-20 10:00:30.123 info ready"; in the journal with
// its priority in place of time and level (tools/supervisor/journal.h). Whoever supervises the
// daemon (systemd, a container) keeps and rotates them. Any thread.
namespace sluice::log {

void start();

void info(std::string_view line);
void warning(std::string_view line);
void error(std::string_view line);

// What other people wrote (reasons, names), without the octets that could forge a line or steer a
// terminal: control characters become \xHH.
std::string escaped(std::string_view text);

}  // namespace sluice::log
