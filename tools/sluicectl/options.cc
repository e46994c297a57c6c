#include "tools/sluicectl/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <CLI/CLI.hpp>

#include "config/base/duration.h"
#include "tools/command_line/value.h"
#include "tools/sluicectl/options/declarations.h"
#include "tools/sluicectl/options/parsed.h"
#include "tools/sluicectl/options/validators.h"
#include "tools/sluicectl/render/text.h"
#include "tools/typo.h"

namespace sluice::ctl {
namespace {

constexpr const char* kFooter =
    R"(SERVER is an FQDN or a label that is unique. DURATION is 90s, 15m, 2h or 1h30m;
a TIME is RFC 3339, HH:MM (local, the next one) or +DURATION.

Options may stand before or after the command. Where the authority is: --api,
--socket, else SLUICE_SOCKET, SLUICE_API, else the socket
/run/sluice/sluice.sock, else http://127.0.0.1:8053. On a socket the file's
permissions decide; by URL a token does: --token-file, else SLUICE_TOKEN_FILE;
or, over https, a certificate: --certificate with --key, else SLUICE_CERTIFICATE
with SLUICE_KEY. --ca or SLUICE_CA: how the authority is known. No proxy is used.

Several --api, or URLs with blanks between them in SLUICE_API, are the responders
of one cluster: the first that answers within 2 s is asked, another when it no
longer answers. What was asked is asked again there; an order that was sent is
not: whether it was carried out is not known then, and giving it again is harmless.

With --json, stdout is the authority's document as it came (of drain --wait and
of wait: a second or last one, the server at the end; of watch, roll and status
--watch: an object a line; of verify and dig: one of their own), or for a
failure a problem document (RFC 9457); people's words are on stderr. Times are
the user's local ones. Tables fit the terminal; elsewhere nothing is cut.
NO_COLOR is respected.

Exit codes: 0 done; 1 failed; 2 usage; 3 refused by a rule, or for ready: not
safe; 4 timed out; 5 no authority, or not authorised. A signal that ends what
waits: 130 or 143; holds stay.
)";

// Of --watch: as `watch` of procps takes it, or a DURATION.
std::optional<base::Duration> interval_of(const std::string& text) {
  constexpr base::Duration kLeast = std::chrono::milliseconds(100);
  if (text == "true") return std::chrono::seconds(1);
  auto interval = base::parse_duration(text);
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  constexpr double kDay = 86'400;
  if (error == std::errc{} && end == text.data() + text.size() && seconds >= 0 && seconds <= kDay) {
    interval = base::Duration(static_cast<base::Duration::rep>(seconds * 1e3));
  }
  return interval && *interval >= kLeast ? interval : std::nullopt;
}

// `--wait fe02` must not take the server for a duration, and `--wait 15m fe02` has to take it: the
// flag is joined with what follows when that is a DURATION. --watch likewise.
void join_durations(std::vector<std::string>& words) {
  for (std::size_t at = 0; at + 1 < words.size() && words[at] != "--"; ++at) {
    const std::string& next = words[at + 1];
    const bool joins = (words[at] == "--wait" && base::parse_duration(next)) ||
                       (words[at] == "--watch" && next != "true" && interval_of(next));
    if (!joins) continue;
    words[at] += "=" + next;
    words.erase(words.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

// Where the command stands among the words; their number: nowhere.
std::size_t command_at(const std::vector<std::string>& words) {
  constexpr std::array<std::string_view, 6> kWithValue{"--api", "--socket",      "--token-file",
                                                       "--ca",  "--certificate", "--key"};
  std::size_t at = 0;
  while (at < words.size() && words[at].starts_with('-')) {
    at += std::ranges::find(kWithValue, words[at]) == kWithValue.end() ? 1U : 2U;
  }
  return std::min(at, words.size());
}

// `dig NAME @192.0.2.1`, as everybody types it.
void name_server(std::vector<std::string>& words) {
  std::size_t at = command_at(words);
  if (at == words.size() || words[at] != "dig") return;
  for (; at < words.size() && words[at] != "--"; ++at) {
    if (words[at].starts_with('@')) words[at] = "--server=" + words[at].substr(1);
  }
}

base::Unexpected<Stop> usage(const std::string& mistake) {
  return base::Unexpected{Stop{Exit::Usage, "sluicectl: " + mistake +
                                                "\nsluicectl --help and sluicectl COMMAND --help"
                                                " tell more.\n"}};
}

std::optional<std::string> mistake_of_roll(const Options& options) {
  if (options.command != Command::Roll) return {};
  if (options.exec.empty() && !options.dry_run) {
    return "roll needs --exec CMD, or --dry-run to show what it would do";
  }
  if (options.dry_run && options.restart) return "--dry-run changes nothing: --restart would";
  return {};
}

base::Result<Options, Stop> finish(Parsed parsed, const Connection& environment) {
  Options& options = parsed.options;
  parsed.connection.api = joined(parsed.apis, " ");
  auto endpoints = endpoints_of(parsed.connection, environment);
  if (!endpoints) return usage(endpoints.error());
  options.endpoints = *std::move(endpoints);
  auto files = tls_files_of(parsed.connection, environment, options.endpoints);
  if (!files) return usage(files.error());
  options.tls = *std::move(files);
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
  if (!options.pools.empty() && options.role != "operator") {
    return usage(
        "--pool is for the role operator: readers see all pools, an agent is its server's");
  }
  if (options.wait && !options.at.empty()) {
    return usage("--wait waits from now on: use sluicectl wait when the time of --at has come");
  }
  if (!parsed.watch.empty()) {
    options.watch = interval_of(parsed.watch);
    if (!options.watch) {
      return usage("--watch: '" + parsed.watch + "' is no interval: 2, 0.5 or 10s, at least 0.1");
    }
  }
  for (const std::string& server : parsed.servers) {
    options.servers.push_back(*parse_dns_server(server));  // the validator has seen it
  }
  if (!parsed.soak.empty()) options.soak = *base::parse_duration(parsed.soak);
  if (const auto mistake = mistake_of_roll(options)) return usage(*mistake);
  if (options.directory.empty()) options.directory = "pki";
  if (options.command == Command::Backup && options.json && options.file == "-") {
    return usage("--json and the copy cannot both go to stdout");
  }
  return std::move(options);
}

// In 80 columns, as terminals have them and mails quote them: CLI11 breaks no lines. What an option
// does stands in a column of its own.
std::string fitted(const std::string& help) {
  constexpr std::size_t kColumns = 80;
  constexpr std::size_t kDescriptions = 30;
  std::string text;
  for (std::size_t begin = 0; begin < help.size();) {
    const std::size_t end = std::min(help.find('\n', begin), help.size());
    const std::string line = help.substr(begin, end - begin);
    begin = end + 1;
    if (line.size() <= kColumns) {
      text += line + '\n';
    } else if (line.starts_with("  ")) {
      const std::string left = line.substr(0, kDescriptions);
      text += left + wrapped(line.substr(kDescriptions), kColumns, kDescriptions, kDescriptions)
                         .substr(kDescriptions);
    } else {
      text += wrapped(line, kColumns, 0, 0);
    }
  }
  return text;
}

// CLI11 has no words for what was meant.
std::string mistake_of(const CLI::App& program, const CLI::ParseError& error) {
  std::string unknown = unknown_word(program);
  if (!unknown.empty()) return unknown;
  std::string what = error.what();
  // "--reason: 1 required TEXT missing"
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr && what.ends_with(" missing")) {
    return what.substr(0, what.find(':')) + " needs a value";
  }
  if (what == "A subcommand is required") {
    const CLI::App* command = program.get_subcommands().front();
    std::vector<std::string> below;
    for (const CLI::App* each : command_line::commands(*command)) below.push_back(each->get_name());
    return command->get_name() + " needs a command: " + joined(below, " or ");
  }
  return what;
}

}  // namespace

void declare_program(CLI::App& program, Parsed& parsed) {
  program.description("Takes servers of a pool out of service without losing a session.");
  program.name("sluicectl");
  program.require_subcommand(0, 1);
  program.get_formatter()->label("SUBCOMMAND", "COMMAND");
  program.get_formatter()->label("REQUIRED", "");
  program.set_version_flag("--version", "sluicectl " SLUICE_VERSION);
  program.footer(kFooter);
  auto* api = program
                  .add_option("--api", parsed.apis,
                              "the authority's API; several: responders of one cluster")
                  ->option_text("URL")
                  ->allow_extra_args(false)
                  ->check(not_empty());
  program.add_option("--socket", parsed.connection.socket, "the authority's socket on this host")
      ->check(not_empty())
      ->option_text("PATH")
      ->excludes(api);
  program.add_option("--token-file", parsed.connection.token_file, "the file that holds the token")
      ->type_name("PATH")
      ->check(not_empty());
  const auto file = [&](const char* name, std::string& path, const char* help) {
    program.add_option(name, path, help)->check(not_empty())->option_text("FILE");
  };
  file("--ca", parsed.connection.ca,
       "of an API at https://: who may have signed its certificate\n"
       "(default: the system's authorities)");
  file("--certificate", parsed.connection.certificate, "shown to it: who you are");
  file("--key", parsed.connection.key, "of the certificate");
  program.add_flag("--json", parsed.options.json, "the authority's documents as they come");
  declare_commands(program, parsed);
}

base::Result<Options, Stop> parse_options(std::vector<std::string> words,
                                          const Connection& environment) {
  CLI::App program;
  Parsed parsed;
  declare_program(program, parsed);
  join_durations(words);
  name_server(words);
  std::ranges::reverse(words);  // as CLI11 wants it
  try {
    program.parse(std::move(words));
  } catch (const CLI::CallForVersion& version) {
    return base::Unexpected{Stop{Exit::Done, std::string(version.what()) + "\n"}};
  } catch (const CLI::Success&) {
    return base::Unexpected{Stop{Exit::Done, fitted(program.help())}};
  } catch (const CLI::ParseError& error) {
    return usage(mistake_of(program, error));
  }
  if (program.get_subcommands().empty())
    return base::Unexpected{Stop{Exit::Usage, fitted(program.help())}};
  parsed.options.command = command_of(program);
  return finish(std::move(parsed), environment);
}

}  // namespace sluice::ctl
