#include "tools/bench/agents/agent.h"

#include <array>
#include <charconv>
#include <cstdio>

namespace sluice::bench {
namespace {

struct Service {
  const char* name;
  const char* counters;  // a format with one number, or as it stands
  bool counts_connections;
};

// In the order in which the agent's JSON library writes them.
constexpr std::array<Service, 6> kServices{{
    {"announcement", R"({})", false},
    {"attendant", R"({"connections":%llu})", true},
    {"call-park", R"({"calls":3,"parked-calls":%llu})", false},
    {"conferencing-announcement", R"({"connections":%llu})", true},
    {"front-end", R"({"connections":%llu})", true},
    {"response-group", R"({"connections":%llu})", true},
}};

// 128 bits in hex that tell `number` and `part` from others, as systemd's invocation ids do.
std::string hex_id(std::uint64_t number, std::uint64_t part) {
  std::array<char, 33> text{};
  std::snprintf(text.data(), text.size(), "%016llx%016llx",
                static_cast<unsigned long long>(number * 0x9e3779b97f4a7c15ULL),
                static_cast<unsigned long long>((number + 1) * 0xbf58476d1ce4e5b9ULL + part));
  return text.data();
}

std::string boot_id(std::uint64_t number) {
  std::string id = hex_id(number, 0);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) id.insert(at, "-");
  return id;
}

}  // namespace

AgentVoice::AgentVoice(std::string_view authority, std::string_view server, std::string_view token,
                       std::uint64_t number)
    : boot_(boot_id(number)), number_(number) {
  head_ = "PUT /v1/servers/" + std::string(server) +
          "/heartbeat HTTP/1.1\r\nHost: " + std::string(authority) +
          "\r\nUser-Agent: sluice-agent/" SLUICE_VERSION
          "\r\nAccept: */*\r\nContent-Type: application/json\r\nAuthorization: Bearer " +
          std::string(token) + "\r\nContent-Length: ";
}

std::string AgentVoice::next() {
  ++seq_;
  std::string body = "{\"instance\":\"" + boot_ +
                     "\",\"seq\":" + std::to_string(1'000'000'000'000 + 2'000'000 * seq_) +
                     ",\"services\":{";
  for (std::size_t i = 0; i < kServices.size(); ++i) {
    const Service& service = kServices[i];
    std::array<char, 64> counters{};
    std::snprintf(counters.data(), counters.size(), service.counters,
                  static_cast<unsigned long long>((number_ + seq_ * (i + 1)) % 5'000));
    body.append(i == 0 ? "\"" : ",\"").append(service.name);
    body.append(R"(":{"health":"up","instance":")").append(hex_id(number_, i + 1));
    if (service.counts_connections) {
      body.append(R"(","last_new_connection":)").append(std::to_string((seq_ + i) % 10));
      body.append(".25,\"sessions\":");
    } else {
      body.append("\",\"sessions\":");
    }
    body.append(counters.data()).append("}");
  }
  body += "}}";
  return head_ + std::to_string(body.size()) + "\r\n\r\n" + body;
}

ReplyReader::State ReplyReader::feed(std::string_view octets) {
  waiting_.append(octets);
  const std::size_t end = waiting_.find("\r\n\r\n");
  if (end == std::string::npos) return State::More;
  const std::string_view head = std::string_view(waiting_).substr(0, end);
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  const std::size_t length = head.find(kLength);
  if (!head.starts_with("HTTP/1.1 ") || length == std::string_view::npos) return State::Broken;
  std::size_t size = 0;
  const char* const digits = head.data() + length + kLength.size();
  if (std::from_chars(digits, head.data() + head.size(), size).ec != std::errc()) {
    return State::Broken;
  }
  if (std::from_chars(head.data() + 9, head.data() + head.size(), status_).ec != std::errc()) {
    return State::Broken;
  }
  if (waiting_.size() < end + 4 + size) return State::More;
  waiting_.erase(0, end + 4 + size);
  return State::Whole;
}

}  // namespace sluice::bench
