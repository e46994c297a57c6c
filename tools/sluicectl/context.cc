#include "tools/sluicectl/context.h"

#include <algorithm>
#include <ostream>
#include <string>
#include <string_view>

#include "tools/sluicectl/render/text.h"
#include "tools/sluicectl/render/words.h"

namespace sluice::ctl {
namespace {

const char* title_of(ApiError::Kind kind) {
  switch (kind) {
    case ApiError::Kind::Unreachable:
      return "no authority";
    case ApiError::Kind::NoAnswer:
      return "no answer";
    case ApiError::Kind::NotTrusted:
      return "no trust";
    case ApiError::Kind::NotAllowed:
      return "not authorised";
    case ApiError::Kind::Problem:
      return "not done";
    case ApiError::Kind::Strange:
      return "odd answer";
    case ApiError::Kind::Interrupted:
      return "interrupted";
    case ApiError::Kind::NotTaken:
      return "broken off";
  }
  return "failed";
}

}  // namespace

namespace {

// On a terminal words are broken at blanks.
void complain(const std::string& message, Context& context) {
  std::string_view rest = message;
  bool first = true;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    context.err << wrapped((first ? "sluicectl: " : "") + std::string(rest.substr(0, end)),
                           context.err_surface.width, 0, 0);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    first = false;
  }
}

}  // namespace

Exit report(const ApiError& error, const Options& options, Context& context) {
  if (error.text.empty()) {
    return report(exit_of(error), title_of(error.kind), error.message, options, context);
  }
  complain(with_local_times(error.message, context.clock.now().wall), context);
  if (options.json) print_document(error.text, context);
  return exit_of(error);
}

Exit report(Exit exit, const std::string& title, const std::string& message, const Options& options,
            Context& context) {
  complain(message, context);
  if (options.json) {
    const Json problem{{"type", "about:blank"}, {"title", title}, {"detail", message}};
    // Arguments of the user's may be any octets.
    print_document(problem.dump(-1, ' ', false, Json::error_handler_t::replace), context);
  }
  return exit;
}

void warn(const std::vector<std::string>& warnings, Context& context) {
  for (const std::string& warning : warnings) {
    const std::string text = with_local_times(warning, context.clock.now().wall);
    context.err << wrapped("warning: " + text, context.err_surface.width, 0);
  }
}

void print_document(const std::string& text, Context& context) {
  context.out << text;
  if (!text.ends_with('\n')) context.out << '\n';
}

}  // namespace sluice::ctl
