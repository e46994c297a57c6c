#include <ostream>
#include <utility>

#include "tools/sluicectl/commands/commands.h"
#include "tools/sluicectl/render/text.h"
#include "tools/sluicectl/verify/annotated.h"
#include "tools/sluicectl/verify/directory.h"

namespace sluice::ctl {
namespace {

constexpr long kNotFound = 404;
// Idle workers take a publication within milliseconds.
constexpr base::Duration kSecondLook = std::chrono::milliseconds(300);

// As the API and answers have names.
std::string canonical(std::string name) {
  for (char& octet : name) {
    if (octet >= 'A' && octet <= 'Z') octet = static_cast<char>(octet | 0x20);
  }
  if (name.size() > 1 && name.ends_with('.')) name.pop_back();
  return name;
}

class Dig {
 public:
  Dig(const Options& options, Context& context) : options_(options), context_(context) {
    question_.name = canonical(options.name);
    question_.type = is_srv_owner(options.name) ? kTypeSrv : kTypeA;
    if (!options.type.empty()) question_.type = *parse_type(options.type);
    question_.recursion = !options.servers.empty();
  }

  Exit run() {
    auto server = whom();
    if (!server) return report(server.error(), options_, context_);
    Annotated answer;
    auto beside = ask(*server, answer);
    if (beside && answer.judgement && answer.judgement->finding == Finding::Wrong) {
      // A change between the answer and the look beside it is nobody's fault.
      context_.pause(kSecondLook);
      answer = {};
      beside = ask(*server, answer);
    }
    if (said_.kind != Reply::Kind::Answered) {
      return report(
          Exit::Failed, "no answer",
          server->to_string() + " over " + to_string(answer.lookup.transport) + ": " + said_.text,
          options_, context_);
    }
    if (options_.json) {
      print_document(annotated_json(answer).dump(-1, ' ', false, Json::error_handler_t::replace),
                     context_);
    } else {
      context_.out << annotated_view(answer, context_.clock.now().wall, context_.out_surface);
    }
    if (beside) return Exit::Done;
    // The answer is shown all the same: somebody may look at it because the authority is away.
    context_.err << "sluicectl: without the authority's word: " << beside.error().message << '\n';
    return exit_of(beside.error());
  }

 private:
  // Asks, and then what the authority says of it; a failure of the former is in said_.
  base::Result<base::Done, ApiError> ask(const base::SocketAddress& server, Annotated& answer) {
    answer.lookup = {server, question_, options_.tcp ? Transport::Tcp : Transport::Udp};
    answer.source = options_.servers.empty() ? Source::Responder : Source::Resolver;
    said_ = look_up({&answer.lookup, 1}, context_.clock).front();
    if (said_.kind == Reply::Kind::Answered && said_.message.truncated && !options_.tcp) {
      answer.was_truncated = true;
      answer.lookup.transport = Transport::Tcp;
      said_ = look_up({&answer.lookup, 1}, context_.clock).front();
    }
    if (said_.kind != Reply::Kind::Answered) return base::Done{};
    answer.message = said_.message;
    answer.took = said_.took;
    auto beside = look_beside();
    if (!beside) return base::Unexpected{std::move(beside).error()};
    answer.beside = *std::move(beside);
    judge_it(answer);
    return base::Done{};
  }

  base::Result<base::SocketAddress, ApiError> whom() {
    if (!options_.servers.empty()) return options_.servers.front();
    if (auto known = learn_responders(); !known) return base::Unexpected{std::move(known).error()};
    const auto peer = context_.api.peer();
    const auto targets =
        responder_targets(responders_, peer ? std::vector{*peer} : options_.endpoints);
    if (targets.empty()) {
      ApiError error;
      error.message = "the authority knows no responder: --server names one to ask";
      return base::Unexpected{std::move(error)};
    }
    return targets.front().address;
  }

  base::Result<base::Done, ApiError> learn_responders() {
    Request request;
    request.path = "/v1/responders";
    auto responders = understood(context_.api.send(request), read_responders);
    if (!responders) return base::Unexpected{std::move(responders).error()};
    responders_ = std::move(responders->value);
    return base::Done{};
  }

  template <class T>
  base::Result<std::optional<T>, ApiError> get(const std::string& path, T (*read)(JsonReader&)) {
    Request request;
    request.path = path;
    auto got = understood(context_.api.send(request), read);
    if (got) return std::optional<T>(std::move(got->value));
    if (got.error().status == kNotFound) return std::optional<T>();
    return base::Unexpected{std::move(got).error()};
  }

  // The answer set of that name, or the server whose host record it is; else nothing.
  base::Result<Beside, ApiError> look_beside() {
    Beside beside;
    std::string server = question_.name;
    auto explained = explain();
    if (!explained) return base::Unexpected{explained.error()};
    beside.explanation = *std::move(explained);
    if (beside.explanation) {
      if (beside.explanation->members.empty()) return beside;
      server = beside.explanation->members.front().server;
    }
    const auto of = get("/v1/servers/" + percent_encode(server), read_server);
    if (!of) return base::Unexpected{of.error()};
    if (!*of || (*of)->name != server) return beside;  // a label that is a server's, too
    auto pool = get("/v1/pools/" + percent_encode((*of)->pool), read_pool);
    if (!pool) return base::Unexpected{pool.error()};
    beside.pool = *std::move(pool);
    if (responders_.empty()) {
      if (auto known = learn_responders(); !known) {
        return base::Unexpected{std::move(known).error()};
      }
    }
    return beside;
  }

  base::Result<std::optional<Explanation>, ApiError> explain() {
    std::string path = "/v1/explain?name=" + percent_encode(question_.name);
    // Other types of an answer set's name are the zone's own, if there are any.
    const bool address = question_.type == kTypeA || question_.type == kTypeAaaa;
    const bool known = is_srv_owner(question_.name) ? question_.type == kTypeSrv : address;
    if (!known) return std::optional<Explanation>();
    path += "&type=" + type_name(question_.type);
    auto explained = get(path, read_explanation);
    // A label may be a pool's, which is no name in the DNS.
    if (explained && *explained && (*explained)->name != question_.name) explained->reset();
    return explained;
  }

  void judge_it(Annotated& answer) {
    if (!answer.beside.pool) return;
    const base::WallTime now = context_.clock.now().wall;
    const Pool& pool = *answer.beside.pool;
    auto expected = expectation(pool, question_.name, question_.type, now);
    // A server outside of all zones has a host record that is not ours to judge.
    if (!expected && zone_of(question_.name, responders_)) {
      expected = host_expectation(pool, question_.name, question_.type, now);
    }
    if (expected) answer.judgement = judge(*expected, said_, answer.source, now);
  }

  const Options& options_;
  Context& context_;
  Question question_;
  std::vector<Responder> responders_;
  Reply said_;
};

}  // namespace

Exit dig(const Options& options, Context& context) {
  return Dig(options, context).run();
}

}  // namespace sluice::ctl
