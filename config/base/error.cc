#include "config/base/error.h"

#include <system_error>

namespace sluice::base {

std::string to_string(const Error& error) {
  std::string text;
  if (!error.where.file.empty()) {
    text += error.where.file;
    if (error.where.line > 0) text += ":" + std::to_string(error.where.line);
    text += ": ";
  }
  if (!error.path.empty()) text += error.path + ": ";
  return text + error.message;
}

std::string to_string(const std::vector<Error>& errors) {
  std::string text;
  for (const Error& error : errors) {
    if (!text.empty()) text += '\n';
    text += to_string(error);
  }
  return text;
}

Unexpected<Error> system_failure(const std::string& what, int error_number) {
  return failure(what + ": " + std::generic_category().message(error_number));
}

}  // namespace sluice::base
