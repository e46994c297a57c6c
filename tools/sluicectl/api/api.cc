#include "tools/sluicectl/api/api.h"

#include <utility>

namespace sluice::ctl {
namespace {

constexpr long kUnauthorized = 401;  // RFC 9110 section 15.5.2
constexpr long kForbidden = 403;
constexpr long kConflict = 409;

bool is_success(long status) {
  return status >= 200 && status < 300;
}

ApiError strange(long status, const std::string& peer, const std::string& what) {
  return {.kind = ApiError::Kind::Strange,
          .message = "the answer of " + peer + " (HTTP " + std::to_string(status) +
                     ") is not a Sluice authority's: " + what,
          .status = status,
          .problem = {},
          .text = {}};
}

std::string not_allowed(long status, const Problem& problem) {
  const std::string said = problem.detail.empty() ? "" : ": " + problem.detail;
  if (status == kForbidden) {
    return "not allowed" + said +
           "\nAnother token or certificate may: --token-file or SLUICE_TOKEN_FILE,"
           " --certificate or SLUICE_CERTIFICATE names it.";
  }
  return "not authorised" + said +
         "\n--token-file or SLUICE_TOKEN_FILE names the file that holds the token;"
         " over https --certificate and --key may do in its place.";
}

}  // namespace

Exit exit_of(const ApiError& error) {
  switch (error.kind) {
    case ApiError::Kind::Unreachable:
    case ApiError::Kind::NoAnswer:
    case ApiError::Kind::NotTrusted:
    case ApiError::Kind::NotAllowed:
      return Exit::NoAuthority;
    case ApiError::Kind::Problem:
      return error.status == kConflict && !error.problem.rule.empty() ? Exit::Refused
                                                                      : Exit::Failed;
    case ApiError::Kind::Strange:
    case ApiError::Kind::NotTaken:
      return Exit::Failed;
    case ApiError::Kind::Interrupted:
      return Exit::Interrupted;
  }
  return Exit::Failed;
}

base::Result<Answer, ApiError> understand(long status, std::string octets,
                                          const std::string& peer) {
  auto document = parse_document(octets);
  if (is_success(status)) {
    if (!document) return base::Unexpected{strange(status, peer, document.error())};
    return Answer{status, std::move(octets), *std::move(document)};
  }
  ApiError error{
      .kind = ApiError::Kind::Problem, .message = {}, .status = status, .problem = {}, .text = {}};
  auto problem = document ? read_answer(*document, read_problem)
                          : base::Unexpected<std::string>{document.error()};
  const bool is_problem = static_cast<bool>(problem);
  if (is_problem) {
    error.problem = *std::move(problem);
    error.text = std::move(octets);
  }
  // A proxy's or another server's 401 means the same with any body.
  if (status == kUnauthorized || status == kForbidden) {
    error.kind = ApiError::Kind::NotAllowed;
    error.message = not_allowed(status, error.problem);
  } else if (!is_problem) {
    return base::Unexpected{strange(status, peer, problem.error())};
  } else {
    error.message = to_string(error.problem);
  }
  return base::Unexpected{std::move(error)};
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char character : text) {
    if (kUnreserved.find(character) != std::string_view::npos) {
      encoded += character;
    } else {
      const auto octet = static_cast<unsigned char>(character);
      encoded += {'%', kHex[octet >> 4], kHex[octet & 0xF]};
    }
  }
  return encoded;
}

}  // namespace sluice::ctl
