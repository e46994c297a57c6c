#pragma once

#include <functional>
#include <iosfwd>
#include <optional>

#include "config/base/clock.h"
#include "tools/sluicectl/api/api.h"
#include "tools/sluicectl/exit_code.h"
#include "tools/sluicectl/options.h"
#include "tools/sluicectl/render/surface.h"

namespace sluice::ctl {

// All that a command may touch; main.cc has the real ones, tests their own.
struct Context {
  Api& api;
  const base::Clock& clock;
  // Waits so long; returns what to exit with when a signal came instead.
  std::function<std::optional<Exit>(base::Duration)> pause;
  std::ostream& out;
  std::ostream& err;
  Surface out_surface;
  Surface err_surface;
  // stdout's, as it is now: a terminal's size changes. Empty: as it was.
  std::function<Surface()> surface_now = {};
};

// Writes what went wrong and says what to exit with. With --json a problem document goes to
// stdout: the authority's, or one of ours in its shape (RFC 9457).
Exit report(const ApiError& error, const Options& options, Context& context);

// The same for a failure of our own; `title` is short, `message` whole.
Exit report(Exit exit, const std::string& title, const std::string& message, const Options& options,
            Context& context);

// "warning: ..." on stderr, each on its line.
void warn(const std::vector<std::string>& warnings, Context& context);

// A document as it came, ending with a newline.
void print_document(const std::string& text, Context& context);

// GETs and reads a document of the API: both what came and what it says.
template <class T>
struct Got {
  T value;
  std::string text;
};
template <class T>
base::Result<Got<T>, ApiError> understood(base::Result<Answer, ApiError> answer,
                                          T (*read)(JsonReader&)) {
  if (!answer) return base::Unexpected{std::move(answer).error()};
  auto value = read_answer(answer->document, read);
  if (!value) {
    return base::Unexpected{
        ApiError{.kind = ApiError::Kind::Strange,
                 .message = "the authority's answer is not as expected: " + value.error(),
                 .status = answer->status,
                 .problem = {},
                 .text = {}}};
  }
  return Got<T>{*std::move(value), std::move(answer->text)};
}

}  // namespace sluice::ctl
