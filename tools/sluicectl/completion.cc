#include "tools/sluicectl/completion.h"

#include <iostream>
#include <map>
#include <string_view>
#include <utility>

#include "tools/command_line/patience.h"
#include "tools/sluicectl/api/answers.h"
#include "tools/sluicectl/api/client.h"
#include "tools/sluicectl/context.h"
#include "tools/sluicectl/options/declarations.h"
#include "tools/sluicectl/options/parsed.h"

namespace sluice::ctl {
namespace {

using command_line::Completion;
using command_line::ValueKind;

template <class T>
std::optional<T> ask(Api& api, std::string path, T (*read)(JsonReader&)) {
  Request request;
  request.path = std::move(path);
  auto got = understood(api.send(request), read);
  if (!got) return {};
  return std::move(got->value);
}

std::string label_of(const std::string& name) {
  return name.substr(0, name.find('.'));
}

// What GET /v1/names answers.
struct Names {
  std::vector<command_line::Candidate> all;
  bool more = false;  // there are more than these
};

Names read_names(JsonReader& reader) {
  Names names;
  names.more = reader.flag("more");
  reader.each("names", [&](JsonReader& each) {
    names.all.push_back({each.text("name"), each.text_if("of").value_or("")});
  });
  return names;
}

std::vector<command_line::Candidate> names(Api& api, const char* kind, const std::string& begun,
                                           bool labels = false) {
  const std::string query = std::string("kind=") + kind + "&prefix=" + percent_encode(begun);
  auto found = ask(api, "/v1/names?" + query, read_names);
  if (!found) return {};
  // While no dot was typed, the labels of those whose label is unique: what a user would type. All
  // who have a label have the same beginning, so they are all here, unless there are more.
  if (!labels || found->more || begun.find('.') != std::string::npos) return std::move(found->all);
  std::map<std::string, std::size_t> count;
  for (const command_line::Candidate& each : found->all) ++count[label_of(each.text)];
  for (command_line::Candidate& each : found->all) {
    const std::string label = label_of(each.text);
    if (count[label] == 1) each.text = label;
  }
  return std::move(found->all);
}

std::vector<command_line::Candidate> services_of(const Server& server) {
  std::vector<command_line::Candidate> all;
  for (const Service& service : server.services) all.push_back({service.name, service.status});
  return all;
}

std::vector<command_line::Candidate> schedules(Api& api) {
  std::vector<command_line::Candidate> all;
  const auto list = ask(api, "/v1/schedules", read_schedules);
  if (!list) return all;
  for (const Schedule& each : *list) {
    const std::string where =
        each.service.empty() ? each.server : each.service + " on " + each.server;
    all.push_back({each.id, each.kind + " of " + where});
  }
  return all;
}

// The one that is asked can't be forgotten by itself.
std::vector<command_line::Candidate> responders(Api& api) {
  std::vector<command_line::Candidate> all;
  const auto cluster = ask(api, "/v1/cluster", read_cluster);
  if (!cluster) return all;
  for (const ClusterResponder& each : cluster->responders) {
    if (!each.self) all.push_back({each.name, each.alive ? "alive" : "lost"});
  }
  return all;
}

std::string typed(const Completion& completion, const char* name) {
  const auto found = completion.typed.find(name);
  return found == completion.typed.end() ? std::string() : found->second;
}

}  // namespace

std::vector<command_line::Candidate> live_names(const Completion& completion, Api& api) {
  switch (completion.wanted) {
    case ValueKind::Words:
    case ValueKind::File:
    case ValueKind::Other:
      return {};
    case ValueKind::Schedule:
      return schedules(api);
    case ValueKind::Responder:
      return responders(api);
    case ValueKind::Server:
      return names(api, "server", completion.begun, true);
    case ValueKind::FullName:
      return names(api, "server", completion.begun);
    case ValueKind::Pool:
      return names(api, "pool", completion.begun, true);
    case ValueKind::OwnerName:
      return names(api, "owner", completion.begun);
    case ValueKind::Service:
      break;
  }
  const std::string name = typed(completion, "SERVER");
  if (name.empty()) return names(api, "service", completion.begun);
  const auto server = ask(api, "/v1/servers/" + percent_encode(name), read_server);
  return server ? services_of(*server) : std::vector<command_line::Candidate>();
}

void print_completion(const std::vector<std::string>& words, const Connection& environment) {
  command_line::end_when_impatient();
  CLI::App program;
  Parsed parsed;
  declare_program(program, parsed);
  Completion completion = command_line::complete(program, words);
  const Connection given{.api = typed(completion, "--api"),
                         .socket = typed(completion, "--socket"),
                         .token_file = {},
                         .ca = typed(completion, "--ca"),
                         .certificate = typed(completion, "--certificate"),
                         .key = typed(completion, "--key")};
  const auto endpoints = endpoints_of(given, environment);
  const auto files = endpoints ? tls_files_of(given, environment, *endpoints)
                               : base::Unexpected{endpoints.error()};
  if (endpoints && files) {
    const std::string token_file = typed(completion, "--token-file");
    Client client({.endpoints = *endpoints,
                   .token_file = token_file.empty() ? environment.token_file : token_file,
                   .tls = *files,
                   .warn = {},
                   .interrupted = {}});
    command_line::add(completion, live_names(completion, client));
  }
  command_line::print(completion, std::cout);
}

}  // namespace sluice::ctl
