#include "health/etcd/forms.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

#include "config/base/foreign_text.h"
#include "health/etcd/base64.h"

namespace sluice::etcd {
namespace {

using base::Unexpected;
using cluster::Change;
using nlohmann::json;

// gRPC's codes (its document statuscodes.md).
constexpr int kInvalidArgument = 3;
constexpr int kNotFound = 5;
constexpr int kAlreadyExists = 6;
constexpr int kPermissionDenied = 7;
constexpr int kResourceExhausted = 8;
constexpr int kFailedPrecondition = 9;
constexpr int kOutOfRange = 11;
constexpr int kUnimplemented = 12;
constexpr int kUnauthenticated = 16;

Unexpected<std::string> wrong(std::string text) {
  return Unexpected{"etcd's answer " + std::move(text)};
}

json parse(std::string_view text) {
  return json::parse(text, nullptr, false);
}

// Null for what is not there: the gateway leaves out what is empty.
const json& member(const json& object, std::string_view name) {
  static const json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

// 64-bit numbers are texts (protobuf's JSON mapping); nothing for what is no number.
std::optional<std::int64_t> number(const json& value) {
  if (value.is_null()) return 0;
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_string()) return {};
  const auto& text = value.get_ref<const std::string&>();
  std::int64_t result = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return result;
}

bool flag(const json& value) {
  return value.is_boolean() && value.get<bool>();
}

std::optional<std::string> octets(const json& value) {
  if (value.is_null()) return std::string();
  if (!value.is_string()) return {};
  return from_base64(value.get_ref<const std::string&>());
}

std::string text(const json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::optional<std::int64_t> revision_of(const json& answer) {
  const auto revision = number(member(member(answer, "header"), "revision"));
  return revision && *revision > 0 ? revision : std::nullopt;
}

// A key with its value, of a listing or of an event; nothing when it is not as it should be.
std::optional<Change> read_pair(const Keys& keys, const json& pair) {
  const auto key = octets(member(pair, "key"));
  auto value = octets(member(pair, "value"));
  const auto revision = number(member(pair, "mod_revision"));
  const auto lease = number(member(pair, "lease"));
  if (!key || !value || !revision || *revision <= 0 || !lease) return {};
  auto relative = keys.relative(*key);
  if (!relative) return {};
  return Change{*std::move(relative), *std::move(value), *revision, *lease};
}

std::optional<Change> read_event(const Keys& keys, const json& event) {
  auto change = read_pair(keys, member(event, "kv"));
  if (!change || member(event, "type") != "DELETE") return change;
  change->value.reset();
  change->lease = 0;
  return change;
}

constexpr std::string_view kAudit = "audit/";

json operation(const Keys& keys, const cluster::Write& write) {
  json body{{"key", to_base64(keys.absolute(write.key))}};
  if (!write.value) return {{"request_delete_range", std::move(body)}};
  body["value"] = to_base64(*write.value);
  if (write.lease != 0) body["lease"] = std::to_string(write.lease);
  return {{"request_put", std::move(body)}};
}

}  // namespace

std::string Keys::absolute(std::string_view key) const {
  if (!key.starts_with(kAudit)) return before_ + std::string(key);
  return beside_ + std::string(key.substr(kAudit.size()));
}

std::optional<std::string> Keys::relative(std::string_view key) const {
  if (key.starts_with(beside_))
    return std::string(kAudit) + std::string(key.substr(beside_.size()));
  if (!key.starts_with(before_)) return {};
  return std::string(key.substr(before_.size()));
}

std::string Keys::end_of(std::string_view under) const {
  std::string key = absolute(under);
  while (key.back() == '\xff') key.pop_back();  // the prefix's slash is none
  key.back() = static_cast<char>(static_cast<unsigned char>(key.back()) + 1);
  return key;
}

std::string transaction_request(const Keys& keys, const cluster::Transaction& transaction) {
  json compare = json::array();
  for (const cluster::Condition& condition : transaction.conditions) {
    // Of a key that is not there the revision is 0.
    compare.push_back({{"key", to_base64(keys.absolute(condition.key))},
                       {"target", "MOD"},
                       {"result", "EQUAL"},
                       {"mod_revision", std::to_string(condition.revision)}});
  }
  json success = json::array();
  for (const cluster::Write& write : transaction.writes) success.push_back(operation(keys, write));
  return json{{"compare", std::move(compare)}, {"success", std::move(success)}}.dump();
}

std::string page_request(const Keys& keys, const PageRequest& request) {
  // The next key after K is K and a zero octet.
  const std::string from =
      request.after ? keys.absolute(*request.after) + '\0' : keys.absolute(request.under);
  return json{{"key", to_base64(from)},
              {"range_end", to_base64(keys.end_of(request.under))},
              {"revision", std::to_string(request.revision)},
              {"limit", std::to_string(request.limit)}}
      .dump();
}

std::string newest_request(const Keys& keys, std::string_view under, std::size_t limit) {
  return json{{"key", to_base64(keys.absolute(under))},
              {"range_end", to_base64(keys.end_of(under))},
              {"limit", std::to_string(limit)},
              {"sort_order", "DESCEND"},
              {"sort_target", "KEY"}}
      .dump();
}

std::string watch_request(const Keys& keys, std::int64_t after) {
  return json{{"create_request",
               {{"key", to_base64(keys.absolute(""))},
                {"range_end", to_base64(keys.end_of(""))},
                {"start_revision", std::to_string(after + 1)},
                {"progress_notify", true}}}}
      .dump();
}

std::string grant_request(std::chrono::seconds ttl) {
  return json{{"TTL", std::to_string(ttl.count())}}.dump();
}

std::string lease_request(std::int64_t lease) {
  return json{{"ID", std::to_string(lease)}}.dump();
}

std::string authenticate_request(std::string_view user, std::string_view password) {
  // The configuration's texts are UTF-8, a password's file may hold anything.
  return json{{"name", user}, {"password", password}}.dump(-1, ' ', false,
                                                           json::error_handler_t::replace);
}

Read<cluster::Committed> read_committed(std::string_view body) {
  const json answer = parse(body);
  const auto revision = revision_of(answer);
  if (!revision) return wrong("to a transaction has no revision");
  return cluster::Committed{flag(member(answer, "succeeded")), *revision};
}

Read<Page> read_page(const Keys& keys, std::string_view body) {
  const json answer = parse(body);
  const auto revision = revision_of(answer);
  if (!revision) return wrong("to a listing has no revision");
  Page page;
  page.listing.revision = *revision;
  page.more = flag(member(answer, "more"));
  for (const json& pair : member(answer, "kvs")) {
    auto entry = read_pair(keys, pair);
    if (!entry) return wrong("to a listing has a key that cannot be read");
    page.listing.entries.push_back(*std::move(entry));
  }
  if (page.more && page.listing.entries.empty()) return wrong("to a listing has no end");
  return page;
}

Read<std::int64_t> read_granted(std::string_view body) {
  const auto lease = number(member(parse(body), "ID"));
  if (!lease || *lease == 0) return wrong("to a request for a lease names none");
  return *lease;
}

Read<bool> read_renewed(std::string_view body) {
  const json answer = parse(body);
  const auto ttl = number(member(member(answer, "result"), "TTL"));
  if (!member(answer, "result").is_object() || !ttl) {
    return wrong("to the renewal of a lease cannot be read");
  }
  return *ttl > 0;
}

Read<std::string> read_token(std::string_view body) {
  std::string token = text(member(parse(body), "token"));
  if (token.empty()) return wrong("to who we are has no token");
  // It becomes a header's value.
  if (!std::ranges::all_of(token, [](char c) { return c > ' ' && c < '\x7f'; })) {
    return wrong("to who we are has a token that is no word");
  }
  return token;
}

Read<WatchLine> read_watch_line(const Keys& keys, std::string_view line) {
  const json answer = parse(line);
  if (!member(answer, "error").is_null()) {
    const auto complaint = read_complaint(line);
    return WatchLine{WatchLine::Kind::Ended, {}, complaint.value_or(Complaint{0, "an error"})};
  }
  const json& result = member(answer, "result");
  if (!result.is_object()) return wrong("to a watch cannot be read");
  if (number(member(result, "compact_revision")).value_or(0) != 0) {
    return WatchLine{WatchLine::Kind::Compacted, {}, {}};
  }
  if (flag(member(result, "canceled"))) {
    std::string reason = text(member(result, "cancel_reason"));
    if (reason.empty()) reason = "the watch was cancelled";
    return WatchLine{WatchLine::Kind::Ended, {}, {0, base::escaped(reason)}};
  }
  WatchLine read;
  for (const json& event : member(result, "events")) {
    auto change = read_event(keys, event);
    if (!change) return wrong("to a watch has an event that cannot be read");
    read.changes.push_back(*std::move(change));
  }
  if (!std::ranges::is_sorted(read.changes, {}, &Change::revision)) {
    return wrong("to a watch has events that are out of order");
  }
  if (!read.changes.empty()) read.kind = WatchLine::Kind::Changes;
  return read;
}

std::optional<Complaint> read_complaint(std::string_view body) {
  const json answer = parse(body);
  const json& error = member(answer, "error");
  // Of a stream it is an object.
  const json& said = error.is_object() ? error : answer;
  if (!error.is_object() && !error.is_string()) return {};
  const auto code = number(member(said, error.is_object() ? "grpc_code" : "code"));
  std::string message = text(member(said, "message"));
  if (message.empty()) message = text(error);
  if (message.empty()) message = "an error without a word";
  return Complaint{static_cast<int>(code.value_or(0)), base::escaped(message)};
}

Meaning meaning_of(const Complaint& complaint) {
  const auto says = [&](std::string_view words) {
    return complaint.message.find(words) != std::string::npos;
  };
  // The second: users or roles were changed since the token was given. The third: there was no
  // token, since at that time nobody asked for one.
  if (says("invalid auth token") || says("revision of auth store is old") ||
      says("user name is empty")) {
    return Meaning::BadToken;
  }
  if (says("authentication is not enabled")) return Meaning::NoAuth;
  switch (complaint.code) {
    case kUnauthenticated:
      return Meaning::BadToken;
    case kInvalidArgument:
    case kFailedPrecondition:
    case kOutOfRange:
    case kNotFound:
    case kAlreadyExists:
    case kPermissionDenied:
    case kResourceExhausted:
    case kUnimplemented:
      return Meaning::Refused;
    default:
      return Meaning::NoAnswer;
  }
}

}  // namespace sluice::etcd
