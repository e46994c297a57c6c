#include "tools/sluicectl/options.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

#include "config/base/duration.h"

namespace sluice::ctl {
namespace {

constexpr const char* kFooter =
    R"(SERVER is an FQDN or a label that is unique. DURATION is 90s, 15m, 2h or 1h30m; a TIME is RFC 3339,
HH:MM (local, the next one) or +DURATION.

Options may stand before or after the command. Where the authority is: --api, --socket, else
SLUICE_SOCKET, SLUICE_API, else the socket /run/sluice/sluice.sock, else http://127.0.0.1:8053.
On a socket the file's permissions decide; by URL a token does: --token-file, else SLUICE_TOKEN_FILE.
No proxy is used.

With --json, stdout is the authority's document as it came (of drain --wait and of wait: a second or
last one, the server at the end), or for a failure a problem document (RFC 9457); people's words are
on stderr. Times are the user's local ones. NO_COLOR is respected.

Exit codes: 0 done; 1 failed; 2 usage; 3 refused by a rule, or for ready: not safe; 4 timed out;
5 no authority, or not authorised. A signal that ends a wait: 130 or 143; the hold stays.
)";

std::string no_duration(const std::string& text) {
  return "'" + text + "' is no duration: 90s, 15m, 2h or 1h30m";
}

const CLI::Validator& a_duration() {
  static const CLI::Validator validator(
      [](std::string& text) {
        return base::parse_duration(text) ? std::string() : no_duration(text);
      },
      "DURATION");
  return validator;
}

const CLI::Validator& not_empty() {
  static const CLI::Validator validator(
      [](std::string& text) { return text.empty() ? "must not be empty" : std::string(); }, "");
  return validator;
}

// A token's name and server stand in YAML and in logs.
const CLI::Validator& a_name() {
  static const CLI::Validator validator(
      [](std::string& text) {
        const bool plain = !text.empty() && std::ranges::all_of(text, [](char octet) {
          return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
                 (octet >= '0' && octet <= '9') || octet == '-' || octet == '_' || octet == '.';
        });
        return plain ? std::string() : "'" + text + "' must be of letters, digits, - _ .";
      },
      "");
  return validator;
}

// What CLI11 writes to, before it becomes Options.
struct Parsed {
  Options options;
  Connection connection;
  std::string wait;  // empty: not given; "true": without DURATION
  std::string wait_for = "drained";
  std::string timeout;
};

void add_server(CLI::App& command, Parsed& parsed) {
  command.add_option("SERVER", parsed.options.server, "FQDN, or a label that is unique")
      ->required()
      ->check(not_empty());
}

void add_service(CLI::App& command, Parsed& parsed) {
  command.add_option("--service", parsed.options.service, "this service alone")
      ->check(not_empty())
      ->type_name("SERVICE");
}

void declare_status(CLI::App& command, Parsed& parsed) {
  command.add_option("POOL", parsed.options.pool, "its FQDN; default: all pools")
      ->check(not_empty());
}

void declare_server(CLI::App& command, Parsed& parsed) {
  add_server(command, parsed);
}

void declare_server_service(CLI::App& command, Parsed& parsed) {
  add_server(command, parsed);
  add_service(command, parsed);
}

void declare_drain(CLI::App& command, Parsed& parsed) {
  command.alias("pause");
  declare_server_service(command, parsed);
  Options& options = parsed.options;
  command.add_option("--reason", options.reason, "shown with the hold")->type_name("TEXT");
  command
      .add_option("--startup", options.startup,
                  "what a restart does: manual keeps the hold, automatic lifts it\n"
                  "(default: each service's own)")
      ->check(CLI::IsMember({"manual", "automatic"}))
      ->option_text("manual|automatic");
  command.add_flag("--hide-host", options.hide_host, "take the server's host record out too");
  command.add_flag("--force", options.force, "even below the pool's min_accepting");
  command.add_option("--at", options.at, "when, not now")->type_name("TIME")->check(not_empty());
  auto* expires = command.add_option("--expires", options.expires, "the hold ends by itself")
                      ->type_name("DURATION")
                      ->check(not_empty());
  command.add_option("--then", options.then, "at the end of --expires: lift it, or alarm")
      ->check(CLI::IsMember({"lift", "alarm"}))
      ->needs(expires)
      ->option_text("lift|alarm");
  command
      .add_flag("--wait", parsed.wait,
                "show progress until it is safe to take offline, so long at most")
      ->option_text("[DURATION]");
}

void declare_wait(CLI::App& command, Parsed& parsed) {
  declare_server_service(command, parsed);
  command
      .add_option("--for", parsed.wait_for, "drained (default): until it is safe to take offline")
      ->check(CLI::IsMember({"drained", "accepting"}))
      ->option_text("drained|accepting");
  command.add_option("--timeout", parsed.timeout, "default: wait for ever")
      ->check(a_duration())
      ->option_text("DURATION");
}

void declare_explain(CLI::App& command, Parsed& parsed) {
  command.add_option("NAME", parsed.options.name, "an owner name, such as the pool's")
      ->required()
      ->check(not_empty());
  command.add_option("TYPE", parsed.options.type, "A, AAAA or SRV; default: by the name")
      ->check(a_name());
}

void declare_token(CLI::App& command, Parsed& parsed) {
  command.add_option("ROLE", parsed.options.role, "what it may do")
      ->required()
      ->check(CLI::IsMember({"reader", "operator", "agent"}))
      ->option_text("reader|operator|agent");
  command.add_option("--server", parsed.options.server, "an agent's server")
      ->check(a_name())
      ->type_name("FQDN");
  command.add_option("--name", parsed.options.name, "shown as `by`; default: made up")
      ->check(a_name())
      ->type_name("NAME");
}

void declare_nothing(CLI::App&, Parsed&) {}

struct Declaration {
  Command command;
  const char* name;
  const char* help;
  void (*declare)(CLI::App&, Parsed&);
};
constexpr std::array kDeclarations{
    Declaration{Command::Status, "status", "each server and service: status, sessions, holds",
                declare_status},
    Declaration{Command::Services, "services", "the services of a server, as its console has them",
                declare_server},
    Declaration{Command::Drain, "drain", "place a hold: no new connections (alias: pause)",
                declare_drain},
    Declaration{Command::Resume, "resume", "lift the hold", declare_server_service},
    Declaration{Command::Wait, "wait", "until it is drained, or accepts again", declare_wait},
    Declaration{Command::Ready, "ready", "is it safe to take offline? if not, why",
                declare_server_service},
    Declaration{Command::ForceUp, "force-up", "count as up, whatever its agent says",
                declare_server_service},
    Declaration{Command::ForceDown, "force-down", "count as down, whatever its agent says",
                declare_server_service},
    Declaration{Command::Unforce, "unforce", "let the measured health count again",
                declare_server_service},
    Declaration{Command::Explain, "explain", "who is in an answer, who is not, and by which rule",
                declare_explain},
    Declaration{Command::Reload, "reload", "have the authority read its configuration again",
                declare_nothing},
    Declaration{Command::Token, "token", "make a token and the line for the configuration",
                declare_token},
};

void declare_program(CLI::App& program, Parsed& parsed) {
  program.require_subcommand(0, 1);
  program.get_formatter()->label("SUBCOMMAND", "COMMAND");
  program.get_formatter()->label("REQUIRED", "");
  program.set_version_flag("--version", "sluicectl " SLUICE_VERSION);
  program.footer(kFooter);
  auto* api = program.add_option("--api", parsed.connection.api, "the authority's API")
                  ->option_text("URL")
                  ->check(not_empty());
  program.add_option("--socket", parsed.connection.socket, "the authority's socket on this host")
      ->check(not_empty())
      ->option_text("PATH")
      ->excludes(api);
  program.add_option("--token-file", parsed.connection.token_file, "the file that holds the token")
      ->type_name("PATH")
      ->check(not_empty());
  program.add_flag("--json", parsed.options.json, "the authority's documents as they come");
  for (const Declaration& declaration : kDeclarations) {
    CLI::App* command = program.add_subcommand(declaration.name, declaration.help);
    command->group("Commands")->fallthrough();
    command->footer("sluicectl --help tells where the authority is looked for, and exit codes.");
    declaration.declare(*command, parsed);
  }
}

// `--wait fe02` must not take the server for a duration, and `--wait 15m fe02` has to take it: the
// flag is joined with what follows when that is a DURATION.
void join_wait(std::vector<std::string>& words) {
  for (std::size_t at = 0; at + 1 < words.size() && words[at] != "--"; ++at) {
    if (words[at] == "--wait" && base::parse_duration(words[at + 1])) {
      words[at] += "=" + words[at + 1];
      words.erase(words.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    }
  }
}

base::Unexpected<Stop> usage(const std::string& mistake) {
  return base::Unexpected{Stop{Exit::Usage, "sluicectl: " + mistake +
                                                "\nsluicectl --help and sluicectl COMMAND --help"
                                                " tell more.\n"}};
}

base::Result<Options, Stop> finish(Parsed parsed, const Connection& environment) {
  Options& options = parsed.options;
  auto endpoints = endpoints_of(parsed.connection, environment);
  if (!endpoints) return usage(endpoints.error());
  options.endpoints = *std::move(endpoints);
  const std::string& file = parsed.connection.token_file;
  options.token_file = file.empty() ? environment.token_file : file;

  options.accepting = parsed.wait_for == "accepting";
  options.wait = !parsed.wait.empty();
  const std::string limit = parsed.wait == "true" ? "" : parsed.wait + parsed.timeout;
  if (!limit.empty()) {
    options.limit = base::parse_duration(limit);
    if (!options.limit) return usage("--wait: " + no_duration(limit));
  }
  const bool agent = options.role == "agent";
  if (agent && options.server.empty()) return usage("a token for an agent needs --server");
  if (options.command == Command::Token && !agent && !options.server.empty()) {
    return usage("--server is for the role agent: other tokens are for all servers");
  }
  if (options.wait && !options.at.empty()) {
    return usage("--wait waits from now on: use sluicectl wait when the time of --at has come");
  }
  return std::move(options);
}

// The words of CLI11 for a command that does not exist are about options.
std::string mistake_of(const CLI::App& program, const CLI::ParseError& error) {
  const auto rest = program.remaining();
  const bool command =
      program.get_subcommands().empty() && !rest.empty() && !rest.front().starts_with('-');
  return command ? "there is no command '" + rest.front() + "'" : error.what();
}

}  // namespace

base::Result<Options, Stop> parse_options(std::vector<std::string> words,
                                          const Connection& environment) {
  CLI::App program("Takes servers of a pool out of service without losing a session.", "sluicectl");
  Parsed parsed;
  declare_program(program, parsed);
  join_wait(words);
  std::ranges::reverse(words);  // as CLI11 wants it
  try {
    program.parse(std::move(words));
  } catch (const CLI::CallForVersion& version) {
    return base::Unexpected{Stop{Exit::Done, std::string(version.what()) + "\n"}};
  } catch (const CLI::Success&) {
    return base::Unexpected{Stop{Exit::Done, program.help()}};
  } catch (const CLI::ParseError& error) {
    return usage(mistake_of(program, error));
  }
  const auto commands = program.get_subcommands();
  if (commands.empty()) return base::Unexpected{Stop{Exit::Usage, program.help()}};
  const std::string name = commands.front()->get_name();
  const auto* declaration = std::ranges::find_if(
      kDeclarations, [&](const Declaration& each) { return each.name == name; });
  parsed.options.command = declaration->command;
  return finish(std::move(parsed), environment);
}

}  // namespace sluice::ctl
