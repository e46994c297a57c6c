#include "tools/sluicectl/options/declarations.h"

#include <algorithm>
#include <array>

#include "tools/sluicectl/options/validators.h"

namespace sluice::ctl {
namespace {

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
  command
      .add_option("POOL", parsed.options.pool,
                  "FQDN, or a label that is unique; default: all pools")
      ->check(not_empty());
  command
      .add_flag("--watch", parsed.watch,
                "again and again, so many seconds apart (default: 1): drawn in place on a\n"
                "terminal, else one document after another (--json: one a line)")
      ->option_text("[=SECONDS]");
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
      ->check(one_of({"manual", "automatic"}))
      ->option_text("manual|automatic");
  command.add_flag("--hide-host", options.hide_host, "take the server's host record out too");
  command.add_flag("--force", options.force, "even below the pool's min_accepting");
  auto* local = command.add_flag("--local-force", options.local_force,
                                 "by the responder that is asked alone, while it is cut off from\n"
                                 "its cluster; written for all when it is back");
  command.add_option("--at", options.at, "not now: by TIME no cache names it any more")
      ->excludes(local)
      ->check(a_time())
      ->option_text("TIME");
  auto* expires = command
                      .add_option("--expires", options.expires,
                                  "the hold ends by itself so long after it was placed, or then")
                      ->check(an_expiry())
                      ->option_text("DURATION|TIME");
  command.add_option("--then", options.then, "at the end of --expires: lift it, or alarm")
      ->check(one_of({"lift", "alarm"}))
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
      ->check(one_of({"drained", "accepting"}))
      ->option_text("drained|accepting");
  command.add_option("--timeout", parsed.timeout, "default: wait for ever")
      ->check(a_duration())
      ->option_text("DURATION");
}

void declare_explain(CLI::App& command, Parsed& parsed) {
  command.add_option("NAME", parsed.options.name, "an owner name, such as the pool's")
      ->required()
      ->check(not_empty());
  command.add_option("TYPE", parsed.options.type, "default: by the name")
      ->check(CLI::IsMember({"A", "AAAA", "SRV"}, CLI::ignore_case))
      ->option_text("A|AAAA|SRV");
}

void declare_cluster(CLI::App& command, Parsed&) {
  command.footer(
      "Exit codes: 0 all is well; 1 a responder is lost or has not confirmed, the state\n"
      "is stale, or there is an alarm; 1, too, where the store is embedded.");
}

void declare_cluster_forget(CLI::App& command, Parsed& parsed) {
  command.add_option("RESPONDER", parsed.options.responder, "as `cluster` shows it")
      ->required()
      ->check(a_name());
  command.footer(
      "For one that will not return. If it still runs somewhere, cut off, it answers as\n"
      "before: stop it first. One that is alive is not forgotten (exit 3). Who comes\n"
      "back all the same takes over the newest state before it answers.");
}

void declare_verify(CLI::App& command, Parsed& parsed) {
  Options& options = parsed.options;
  command.add_option("POOL", options.pool, "FQDN, or a label that is unique; default: all pools")
      ->check(not_empty());
  command
      .add_option("--server", parsed.servers,
                  "ask this resolver, too: it may answer from its cache (may be repeated)")
      ->check(a_dns_server())
      ->allow_extra_args(false)
      ->option_text("ADDRESS@PORT");
  command.add_flag("--no-ns", options.no_ns,
                   "ask the responders (and --server) alone, not the zone's name servers");
  command.add_flag("--strict", options.strict,
                   "exit 3 when a cache is still stale, or something changed meanwhile");
  command.footer(
      "Each RRset of the pool and its servers' own records are asked for over UDP and\n"
      "TCP. Of the responders (all that are alive of a cluster) and of the zone's name servers "
      "they must be what the\n"
      "authority answers now, additional sections included; a resolver may be stale,\n"
      "for as long as caches may name who left.\n\n"
      "Exit codes: 0 right, stale caches included (with --strict: 3); 1 something is\n"
      "wrong: a wrong answer, none, a refusal; 5 no authority to compare with.");
}

void declare_dig(CLI::App& command, Parsed& parsed) {
  Options& options = parsed.options;
  command.add_option("NAME", options.name, "any name; those of pools are explained")
      ->required()
      ->check(not_empty());
  command.add_option("TYPE", options.type, "A, AAAA, SRV, NS, ...; default: by the name")
      ->check(a_type());
  command
      .add_option("--server", parsed.servers,
                  "whom to ask, as a client of a resolver would; @ADDRESS@PORT is short for it\n"
                  "(default: the authority's own responder)")
      ->check(a_dns_server())
      ->allow_extra_args(false)
      ->option_text("ADDRESS@PORT");
  command.add_flag("--tcp", options.tcp, "over TCP at once (default: where UDP is truncated)");
  command.footer(
      "Exit codes: 0 any answer, NXDOMAIN and a wrong one included (verify judges);\n"
      "1 none; 5 no authority, but an answer of --server is shown all the same.");
}

void declare_token(CLI::App& command, Parsed& parsed) {
  command.add_option("ROLE", parsed.options.role, "what it may do")
      ->required()
      ->check(one_of({"reader", "operator", "agent"}))
      ->option_text("reader|operator|agent");
  command
      .add_option("--pool", parsed.options.pools,
                  "an operator of this pool's servers alone (may be repeated)")
      ->check(a_name())
      ->allow_extra_args(false)
      ->option_text("FQDN");
  command.add_option("--server", parsed.options.server, "an agent's server")
      ->check(a_name())
      ->type_name("FQDN");
  command.add_option("--name", parsed.options.name, "shown as `by`; default: made up")
      ->check(a_name())
      ->type_name("NAME");
}

void add_directory(CLI::App& command, Parsed& parsed) {
  command
      .add_option("--directory", parsed.options.directory,
                  "where the authority's key and all certificates lie (default: ./pki)")
      ->check(not_empty())
      ->option_text("FOLDER");
}

void add_days(CLI::App& command, Parsed& parsed, const char* help) {
  constexpr unsigned kMostDays = 36'500;
  command.add_option("--days", parsed.options.days, help)
      ->check(a_number(1, kMostDays))
      ->option_text("N");
}

// What all that make certificates have.
void add_making(CLI::App& command, Parsed& parsed, const char* days) {
  add_directory(command, parsed);
  add_days(command, parsed, days);
  command.add_flag("--renew", parsed.options.renew,
                   "another certificate in the place of one that exists, with the same key");
  auto* renew = command.get_option("--renew");
  command.add_flag("--new-key", parsed.options.new_key, "with another key, too")->needs(renew);
}

void declare_pki_ca(CLI::App& command, Parsed& parsed) {
  add_directory(command, parsed);
  add_days(command, parsed, "for how long it is valid (default: 3650)");
  command
      .add_option("--name", parsed.options.name, "its common name (default: made up, none twice)")
      ->check(CLI::Validator(
          [](const std::string& text) {
            // ub-common-name of RFC 5280.
            const bool fits = !text.empty() && text.size() <= 64;
            return fits ? std::string() : "must have 1 to 64 octets";
          },
          ""))
      ->option_text("TEXT");
  command.footer(
      "Makes ca.key and ca.pem. Everybody gets ca.pem, to know the others by. Who has\n"
      "ca.key can be anybody: it need not lie on the authority's host.\n"
      "pki renew ca makes a new certificate when its time comes, with the same key.");
}

void declare_pki_server(CLI::App& command, Parsed& parsed) {
  command
      .add_option("HOST", parsed.options.names,
                  "its name and addresses, all by which agents and sluicectl call it")
      ->required()
      ->option_text("NAME|ADDRESS...");
  add_making(command, parsed, "for how long it is valid (default: 825)");
  command.footer("Of sluiced, for api.tls. The first name is that of the files.");
}

void declare_pki_agent(CLI::App& command, Parsed& parsed) {
  command
      .add_option("FQDN", parsed.options.names, "servers of pools, as the configuration has them")
      ->required();
  add_making(command, parsed, "for how long they are valid (default: 825)");
  command.footer("One for each server; hundreds may be made at once.");
}

void declare_pki_user(CLI::App& command, Parsed& parsed) {
  command.add_option("USER", parsed.options.names, "a name such as anna, or a mail address")
      ->required();
  add_making(command, parsed, "for how long they are valid (default: 365)");
}

void declare_pki_renew(CLI::App& command, Parsed& parsed) {
  command.add_option("WHO", parsed.options.names,
                     "whose, as pki show names them; ca is the authority (default: all\n"
                     "but the authority that are in the last third of their time, or over)");
  add_directory(command, parsed);
  add_days(command, parsed, "for how long they are valid (default: as of new ones)");
  command.add_flag("--new-key", parsed.options.new_key, "with another key, too");
}

void declare_schedule_cancel(CLI::App& command, Parsed& parsed) {
  command.add_option("ID", parsed.options.id, "as `schedule list` shows it")
      ->required()
      ->check(a_name());
}

void declare_history(CLI::App& command, Parsed& parsed) {
  add_server(command, parsed);
  command.add_option("--limit", parsed.options.newest, "the newest N; default: 200")
      ->check(a_number(1, 1000))
      ->option_text("N");
}

void declare_backup(CLI::App& command, Parsed& parsed) {
  command
      .add_option("FILE", parsed.options.file,
                  "written beside it, then renamed: it is there whole or not at all.\n"
                  "What exists stays as it is. - is stdout")
      ->required()
      ->check(not_empty());
  command.add_flag("--force", parsed.options.force, "take the place of a file that exists");
}

void declare_import(CLI::App& command, Parsed& parsed) {
  Options& options = parsed.options;
  command
      .add_option("--config", options.config,
                  "sluiced's, with store.etcd (default: /etc/sluice/sluice.yaml)")
      ->check(not_empty())
      ->option_text("FILE");
  command.add_option("--to", options.to, "where to; from the other one")
      ->required()
      ->check(one_of({"etcd", "embedded"}))
      ->option_text("etcd|embedded");
  command.add_flag("--dry-run", options.dry_run, "show what would go, change nothing");
  command.add_flag("--force", options.force, "over what is there, or alive");
  command.footer(
      "Of holds, forced health, planned drains, serial bases and the newest 10000\n"
      "entries of the audit, in the directory of that configuration. No sluiced may run\n"
      "meanwhile. What was there stays, and is not looked at by who uses the other one.\n\n"
      "Exit codes: 0 done; 1 failed; 3 refused: in use, not empty, somebody alive.");
}

void declare_roll(CLI::App& command, Parsed& parsed) {
  Options& options = parsed.options;
  command.add_option("POOL", options.pool, "FQDN, or a label that is unique")
      ->required()
      ->check(not_empty());
  command
      .add_option("--exec", options.exec,
                  "run by /bin/sh for each server once it is safe to take offline, with\n"
                  "SLUICE_SERVER, SLUICE_POOL and SLUICE_DOMAIN in its environment")
      ->check(not_empty())
      ->option_text("CMD");
  command
      .add_option("--max-unavailable", options.max_unavailable,
                  "servers of a domain at once (default: 1), floors permitting")
      ->check(a_number(1, 10'000))
      ->option_text("N");
  command.add_flag("--domains", options.domains, "a whole domain at once, floors permitting");
  command
      .add_option("--timeout", parsed.timeout,
                  "of each wait: until safe, until accepting and soaked (default: none)")
      ->check(a_duration())
      ->option_text("DURATION");
  command
      .add_option("--soak", parsed.soak,
                  "how long it must accept before the next one; starts anew when it does not\n"
                  "(default: 6s, after which its agent has spoken or its lease is over)")
      ->check(a_duration())
      ->option_text("DURATION");
  command.add_flag("--skip-unready", options.skip_unready,
                   "pass over who is not accepting, or held by others; default: stop there");
  command.add_flag("--dry-run", options.dry_run, "show order and floors, change nothing");
  command
      .add_option("--state", options.state_file,
                  "what is done so far, for going on after an end in between (default:\n"
                  "roll-POOL.json in $XDG_STATE_HOME/sluice or ~/.local/state/sluice)")
      ->check(not_empty())
      ->option_text("FILE");
  command.add_flag("--restart", options.restart, "forget what is done so far, begin anew");
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
    Declaration{Command::ScheduleList, "schedule",
                "planned drains, and holds that end by themselves", declare_nothing},
    Declaration{Command::Cluster, "cluster",
                "the responders of the cluster, and what each has confirmed", declare_cluster},
    Declaration{Command::Explain, "explain", "who is in an answer, who is not, and by which rule",
                declare_explain},
    Declaration{Command::Verify, "verify",
                "ask by real DNS, and compare with the authority's state", declare_verify},
    Declaration{Command::Dig, "dig", "ask by real DNS, with the authority's word on each record",
                declare_dig},
    Declaration{Command::Roll, "roll", "one server after another: drain, run CMD, resume",
                declare_roll},
    Declaration{Command::Watch, "watch", "events as they happen", declare_nothing},
    Declaration{Command::History, "history", "what happened to a server, oldest first",
                declare_history},
    Declaration{Command::Backup, "backup", "a copy of what the authority keeps on disk",
                declare_backup},
    Declaration{Command::Import, "import", "move the authority's state into etcd, or back",
                declare_import},
    Declaration{Command::Reload, "reload", "have the authority read its configuration again",
                declare_nothing},
    Declaration{Command::Token, "token", "make a token and the line for the configuration",
                declare_token},
    Declaration{Command::PkiShow, "pki", "make certificates for the API's TLS, and renew them",
                declare_nothing},
};

constexpr std::array kScheduleDeclarations{
    Declaration{Command::ScheduleList, "list", "all, the next one first", declare_nothing},
    Declaration{Command::ScheduleCancel, "cancel", "a planned drain; of an expiry: the hold stays",
                declare_schedule_cancel},
};

constexpr std::array kClusterDeclarations{
    Declaration{Command::ClusterForget, "forget", "wait for a responder no more",
                declare_cluster_forget},
};

constexpr std::array kPkiDeclarations{
    Declaration{Command::PkiCa, "ca", "the authority that signs the others", declare_pki_ca},
    Declaration{Command::PkiServer, "server", "of sluiced", declare_pki_server},
    Declaration{Command::PkiAgent, "agent", "of sluice-agent on each of these servers",
                declare_pki_agent},
    Declaration{Command::PkiOperator, "operator", "of people and programs that may drain",
                declare_pki_user},
    Declaration{Command::PkiReader, "reader", "of people and programs that may look",
                declare_pki_user},
    Declaration{Command::PkiRenew, "renew", "in the place of those that will expire",
                declare_pki_renew},
    Declaration{Command::PkiShow, "show", "which there are, and until when they are valid",
                add_directory},
};

CLI::App& declare(CLI::App& program, Parsed& parsed, const Declaration& declaration) {
  CLI::App* command = program.add_subcommand(declaration.name, declaration.help);
  command->group("Commands")->fallthrough();
  command->footer("sluicectl --help tells where the authority is looked for, and exit codes.");
  // May have a footer of its own.
  declaration.declare(*command, parsed);
  return *command;
}

template <class Declarations>
Command named(const Declarations& declarations, const std::string& name) {
  const auto* found = std::find_if(declarations.begin(), declarations.end(),
                                   [&](const Declaration& each) { return each.name == name; });
  return found->command;
}

}  // namespace

void declare_commands(CLI::App& program, Parsed& parsed) {
  const auto below = [&](CLI::App& command, const auto& declarations, std::size_t least = 1) {
    command.require_subcommand(least, 1);
    command.get_formatter()->label("SUBCOMMAND", "COMMAND");
    for (const Declaration& each : declarations) declare(command, parsed, each);
  };
  for (const Declaration& declaration : kDeclarations) {
    CLI::App& command = declare(program, parsed, declaration);
    if (declaration.command == Command::ScheduleList) below(command, kScheduleDeclarations);
    if (declaration.command == Command::Cluster) below(command, kClusterDeclarations, 0);
    if (declaration.command == Command::PkiShow) below(command, kPkiDeclarations);
  }
}

Command command_of(const CLI::App& program) {
  const CLI::App& command = *program.get_subcommands().front();
  const auto below = command.get_subcommands();
  if (below.empty()) return named(kDeclarations, command.get_name());
  const std::string& name = below.front()->get_name();
  if (command.get_name() == "pki") return named(kPkiDeclarations, name);
  if (command.get_name() == "cluster") return named(kClusterDeclarations, name);
  return named(kScheduleDeclarations, name);
}

}  // namespace sluice::ctl
