#include "health/api/http_octets.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <optional>

#include "health/api/problem.h"

namespace sluice::health {
namespace {

// IMF-fixdate (RFC 9110 section 5.6.7), whatever the locale is. Valid until the thread's next one.
std::string_view http_date(base::WallTime now) {
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  // Thousands of responses have the same one.
  thread_local std::optional<std::time_t> written;
  thread_local std::array<char, 64> text{};
  thread_local std::size_t size = 0;
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  if (written != seconds) {
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    size = static_cast<std::size_t>(
        std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                      kDays[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                      kMonths[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900,
                      utc.tm_hour, utc.tm_min, utc.tm_sec));
    written = seconds;
  }
  return {text.data(), size};
}

}  // namespace

std::string to_octets(const HttpResponse& response, bool head_only, bool chunks,
                      base::WallTime now) {
  std::string octets;
  octets.reserve(320 + (head_only ? 0 : response.body.size()));
  octets.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  octets.append(status_phrase(response.status)).append("\r\nDate: ").append(http_date(now));
  // State of this moment, for whoever was allowed to see it.
  octets += "\r\nCache-Control: no-store";
  if (!response.content_type.empty()) {
    octets.append("\r\nContent-Type: ").append(response.content_type);
    octets += "\r\nX-Content-Type-Options: nosniff";
  }
  if (response.stream) {
    if (chunks) octets += "\r\nTransfer-Encoding: chunked";
  } else if (response.status != 204) {  // RFC 9110 section 8.6
    octets += "\r\nContent-Length: " + std::to_string(response.body.size());
  }
  for (const auto& [name, value] : response.fields) octets += "\r\n" + name + ": " + value;
  octets += response.close ? "\r\nConnection: close\r\n\r\n" : "\r\nConnection: keep-alive\r\n\r\n";
  if (!head_only) octets += response.body;
  return octets;
}

std::string chunk(std::string_view content) {
  std::array<char, 20> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", content.size());
  std::string octets(size.data());
  octets.reserve(octets.size() + content.size() + 2);
  octets.append(content).append("\r\n");
  return octets;
}

}  // namespace sluice::health
