#include "health/api/problem.h"

#include "config/base/foreign_text.h"

namespace sluice::health {
namespace {

using nlohmann::ordered_json;

// `type` says which kind of problem it is, beyond its status; "about:blank": none beyond it
// (RFC 9457 section 4.2.1).
ordered_json document(int status, std::string_view type, std::string detail) {
  return {{"type", type},
          {"title", status_phrase(status)},
          {"status", status},
          {"detail", std::move(detail)}};
}

HttpResponse respond(const ordered_json& document) {
  HttpResponse response = json_response(document["status"], document);
  response.content_type = "application/problem+json";
  return response;
}

std::string type_of_rule(const std::string& rule) {
  return "urn:sluice:rule:" + rule;
}

int status_of(Refusal::Kind kind) {
  switch (kind) {
    case Refusal::Kind::BadInput:
      return 400;
    case Refusal::Kind::NotFound:
      return 404;
    case Refusal::Kind::Rule:
      return 409;
    case Refusal::Kind::Unavailable:
      return 503;
    case Refusal::Kind::StoreFailed:
      return 507;
    case Refusal::Kind::NoAnswer:
      return 504;
  }
  return 500;
}

}  // namespace

const char* status_phrase(int status) noexcept {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 417:
      return "Expectation Failed";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Internal Server Error";
  }
}

HttpResponse json_response(int status, const ordered_json& body) {
  HttpResponse response =
      json_text(body.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
  response.status = status;
  return response;
}

HttpResponse json_text(std::string text) {
  HttpResponse response;
  response.content_type = "application/json";
  response.body = std::move(text);
  response.body += '\n';  // the shell's prompt stands on a line of its own
  return response;
}

HttpResponse problem(int status, std::string detail) {
  HttpResponse response = respond(document(status, "about:blank", std::move(detail)));
  // RFC 9110 section 11.6.1.
  if (status == 401) response.fields.emplace_back("WWW-Authenticate", "Bearer realm=\"sluice\"");
  return response;
}

HttpResponse problem(int status, std::string detail, const ordered_json& members) {
  ordered_json body = document(status, "about:blank", std::move(detail));
  body.update(members);
  return respond(body);
}

HttpResponse bad_member(std::string member, std::string detail) {
  // A member that is not known has the client's own name.
  member = base::escaped(member);
  if (member.empty()) return problem(400, std::move(detail));
  ordered_json body = document(400, "about:blank", member + ": " + detail);
  body["member"] = std::move(member);
  return respond(body);
}

HttpResponse problem(const Refusal& refusal) {
  if (refusal.kind == Refusal::Kind::BadInput) return bad_member(refusal.member, refusal.detail);
  const int status = status_of(refusal.kind);
  const std::string type = refusal.rule.empty() ? "about:blank" : type_of_rule(refusal.rule);
  ordered_json body = document(status, type, base::escaped(refusal.detail));
  if (!refusal.rule.empty()) body["rule"] = refusal.rule;
  if (!refusal.answer_set.empty()) body["answer_set"] = refusal.answer_set;
  if (!refusal.rule.empty() || !refusal.numbers.empty()) body["numbers"] = refusal.numbers;
  if (!refusal.member.empty()) body["member"] = refusal.member;
  if (refusal.kind == Refusal::Kind::StoreFailed) body["in_force"] = refusal.in_force;
  return respond(body);
}

HttpResponse problem(const std::vector<base::Error>& errors) {
  ordered_json body = document(409, type_of_rule("configuration"),
                               "the configuration was not taken over: " + base::to_string(errors));
  body["rule"] = "configuration";
  body["numbers"] = {{"errors", errors.size()}};
  body["errors"] = ordered_json::array();
  for (const base::Error& error : errors) {
    body["errors"].push_back({{"file", error.where.file},
                              {"line", error.where.line},
                              {"path", error.path},
                              {"message", error.message}});
  }
  return respond(body);
}

}  // namespace sluice::health
