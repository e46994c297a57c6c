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

using command_line::Candidate;
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

// Full names, or, while no dot was typed, the labels of those whose label is unique: what a user
// would type.
class Names {
 public:
  void add(const std::string& name, std::string help) {
    ++labels_[label_of(name)];
    names_.push_back({name, std::move(help)});
  }

  std::vector<Candidate> as_typed(std::string_view begun) const {
    std::vector<Candidate> all = names_;
    if (begun.find('.') != std::string_view::npos) return all;
    for (Candidate& each : all) {
      const std::string label = label_of(each.text);
      if (labels_.at(label) == 1) each.text = label;
    }
    return all;
  }
  const std::vector<Candidate>& full() const { return names_; }

 private:
  std::vector<Candidate> names_;
  std::map<std::string, std::size_t> labels_;
};

std::vector<Candidate> services_of(const Server& server) {
  std::vector<Candidate> all;
  for (const Service& service : server.services) all.push_back({service.name, service.status});
  return all;
}

std::vector<Candidate> schedules(Api& api) {
  std::vector<Candidate> all;
  const auto list = ask(api, "/v1/schedules", read_schedules);
  if (!list) return all;
  for (const Schedule& each : *list) {
    const std::string where =
        each.service.empty() ? each.server : each.service + " on " + each.server;
    all.push_back({each.id, each.kind + " of " + where});
  }
  return all;
}

std::vector<Candidate> of_pools(const Pools& pools, const Completion& completion) {
  Names servers;
  Names names;
  std::vector<Candidate> services;
  std::vector<Candidate> owners;
  for (const Pool& pool : pools.pools) {
    names.add(pool.name, std::to_string(pool.servers.size()) + " servers");
    for (const Server& server : pool.servers) {
      servers.add(server.name, "of " + pool.name);
      for (const Service& each : server.services) services.push_back({each.name, each.title});
    }
    for (const AnswerSet& each : pool.answer_sets) owners.push_back({each.owner, each.service});
  }
  switch (completion.wanted) {
    case ValueKind::Pool:
      return names.as_typed(completion.begun);
    case ValueKind::Server:
      return servers.as_typed(completion.begun);
    case ValueKind::FullName:
      return servers.full();
    case ValueKind::Service:
      return services;
    case ValueKind::OwnerName:
      return owners;
    default:
      return {};
  }
}

std::string typed(const Completion& completion, const char* name) {
  const auto found = completion.typed.find(name);
  return found == completion.typed.end() ? std::string() : found->second;
}

}  // namespace

std::vector<Candidate> live_names(const Completion& completion, Api& api) {
  switch (completion.wanted) {
    case ValueKind::Words:
    case ValueKind::File:
    case ValueKind::Other:
      return {};
    case ValueKind::Schedule:
      return schedules(api);
    case ValueKind::Service:
      if (const std::string name = typed(completion, "SERVER"); !name.empty()) {
        const auto server = ask(api, "/v1/servers/" + percent_encode(name), read_server);
        return server ? services_of(*server) : std::vector<Candidate>();
      }
      [[fallthrough]];
    case ValueKind::Server:
    case ValueKind::FullName:
    case ValueKind::Pool:
    case ValueKind::OwnerName:
      break;
  }
  const auto pools = ask(api, "/v1/pools", read_pools);
  return pools ? of_pools(*pools, completion) : std::vector<Candidate>();
}

void print_completion(const std::vector<std::string>& words, const Connection& environment) {
  command_line::end_when_impatient();
  CLI::App program;
  Parsed parsed;
  declare_program(program, parsed);
  Completion completion = command_line::complete(program, words);
  const auto endpoints = endpoints_of({.api = typed(completion, "--api"),
                                       .socket = typed(completion, "--socket"),
                                       .token_file = {}},
                                      environment);
  if (endpoints) {
    const std::string token_file = typed(completion, "--token-file");
    Client client({.endpoints = *endpoints,
                   .token_file = token_file.empty() ? environment.token_file : token_file,
                   .interrupted = {}});
    command_line::add(completion, live_names(completion, client));
  }
  command_line::print(completion, std::cout);
}

}  // namespace sluice::ctl
