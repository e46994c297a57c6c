#pragma once

#include <memory>
#include <string_view>

#include <spdlog/formatter.h>

namespace sluice {

// Whether standard error is the journal's, as JOURNAL_STREAM of the environment says; somebody may
// have led it elsewhere since (systemd.exec(5)).
bool logs_to_journal();
// Pure but for what is asked of the descriptor: `stream` is the variable's value.
bool is_stream(int fd, std::string_view stream);

// Lines as the journal likes them: each begins with its priority, "<4>" (sd-daemon(3)); when it was
// said, and by whom, the journal knows.
std::unique_ptr<spdlog::formatter> journal_formatter();

}  // namespace sluice
