#include <algorithm>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "health/rfc3339.h"
#include "tools/sluicectl/commands/commands.h"
#include "tools/sluicectl/pki/lines.h"
#include "tools/sluicectl/pki/maker.h"
#include "tools/sluicectl/render/table.h"
#include "tools/sluicectl/render/text.h"

namespace sluice::ctl {
namespace {

using pki::Item;
using pki::Kind;

class Run {
 public:
  Run(const Options& options, Context& context)
      : options_(options),
        context_(context),
        maker_(pki::Folder(options.directory), context.clock.now().wall) {
    if (options.days) wish_.days = std::chrono::days(*options.days);
    if (options.renew) wish_.existing = pki::Existing::Renew;
    wish_.new_key = options.new_key;
  }

  Exit run() {
    switch (options_.command) {
      case Command::PkiCa:
        return make_authority();
      case Command::PkiRenew:
        return renew();
      case Command::PkiShow:
        return show();
      default:
        return make();
    }
  }

 private:
  Exit failed(const std::string& why) {
    return report(Exit::Failed, "no certificate", why, options_, context_);
  }

  Exit make_authority() {
    auto item = maker_.make_authority(options_.name, wish_);
    if (!item) return failed(item.error());
    std::vector<Item> items;
    items.push_back(*std::move(item));
    return tell(items);
  }

  // Each argument is one, but those of a server, which are its names.
  base::Result<std::vector<pki::Holder>, std::string> holders() const {
    std::vector<pki::Holder> all;
    const auto add = [&](const std::string& said,
                         pki::CheckedHolder holder) -> base::Result<base::Done, std::string> {
      if (!holder) return base::Unexpected{said + ": " + holder.error()};
      if (std::ranges::find(all, *holder) == all.end()) all.push_back(*std::move(holder));
      return base::Done{};
    };
    if (options_.command == Command::PkiServer) {
      const std::vector<std::string> others(options_.names.begin() + 1, options_.names.end());
      auto done = add("the server", pki::server_holder(options_.names.front(), others));
      if (!done) return base::Unexpected{std::move(done).error()};
      return all;
    }
    for (const std::string& name : options_.names) {
      auto done = add(printable(name), options_.command == Command::PkiAgent
                                           ? pki::agent_holder(name)
                                           : pki::user_holder(kind(), name));
      if (!done) return base::Unexpected{std::move(done).error()};
    }
    return all;
  }

  Kind kind() const {
    return options_.command == Command::PkiOperator ? Kind::Operator : Kind::Reader;
  }

  Exit make() {
    const auto wanted = holders();
    if (!wanted) return report(Exit::Usage, "usage", wanted.error(), options_, context_);
    const auto items = maker_.make(*wanted, wish_);
    return items ? tell(*items) : failed(items.error());
  }

  Exit renew() {
    const auto items = maker_.renew(options_.names, wish_);
    return items ? tell(*items) : failed(items.error());
  }

  Exit show() {
    const auto items = maker_.items();
    if (!items) return failed(items.error());
    if (options_.json) {
      print_json(*items);
      return Exit::Done;
    }
    if (items->empty()) {
      return failed(maker_.folder().path() +
                    " has no certificate: sluicectl pki ca begins, and --directory names another "
                    "folder");
    }
    Table table({{"FOR"}, {"NAME", true}, {"NAMES", true}, {"VALID UNTIL"}, {"STATE"}});
    for (const Item& item : *items) {
      const bool good = item.state == pki::State::Good || item.state == pki::State::NoKey;
      table.add({Cell(std::string(word_of(item.kind))), Cell(printable(item.name)),
                 Cell(printable(joined(item.facts.names, ", "))),
                 Cell(tls::day_of(item.facts.not_after)),
                 Cell(std::string(pki::word_of(item.state)), good ? Tone::Plain
                                                             : item.state == pki::State::Due
                                                                 ? Tone::Waiting
                                                                 : Tone::Bad)});
    }
    context_.out << table.render(context_.out_surface);
    return Exit::Done;
  }

  void print_json(const std::vector<Item>& items) {
    const auto names = pki::token_names(items);
    Json list = Json::array();
    for (std::size_t i = 0; i < items.size(); ++i) {
      const Item& item = items[i];
      Json one{{"for", word_of(item.kind)},
               {"name", item.name},
               {"names", item.facts.names},
               {"certificate", item.certificate_file},
               {"key", item.key_file},
               {"serial", item.facts.serial},
               {"sha256", item.fingerprint},
               {"not_before", health::to_rfc3339(item.facts.not_before)},
               {"not_after", health::to_rfc3339(item.facts.not_after)},
               {"state", pki::word_of(item.state)},
               {"made", item.made}};
      const std::string line = pki::line_of(item, maker_.folder(), names[i]);
      if (!line.empty()) one["line"] = line;
      list.push_back(std::move(one));
    }
    const Json document{{"directory", maker_.folder().path()}, {"certificates", std::move(list)}};
    print_document(document.dump(-1, ' ', false, Json::error_handler_t::replace), context_);
  }

  void say(const std::string& text) {
    context_.err << wrapped(text, context_.err_surface.width, 0);
  }

  // The lines for configurations on stdout, all else on stderr.
  Exit tell(const std::vector<Item>& items) {
    for (const Item& item : items) {
      say(printable(item.certificate_file) +
          (item.made ? ": made, valid until " : ": exists and stays, valid until ") +
          tls::day_of(item.facts.not_after) + (item.shortened ? ", as its authority" : ""));
      if (!item.made && item.state != pki::State::Good && item.state != pki::State::NoKey) {
        warn({printable(item.certificate_file) + ": " + std::string(pki::word_of(item.state)) +
              "; --renew makes another one in its place"},
             context_);
      }
    }
    if (items.empty()) say("nothing is due");
    if (options_.json) {
      print_json(items);
      return Exit::Done;
    }
    if (options_.command == Command::PkiRenew) {
      if (!items.empty()) {
        say("Copy them to where they are used: agents and sluicectl take them up by themselves, "
            "sluiced with a reload.");
      }
      return Exit::Done;
    }
    say(next_step());
    context_.err.flush();
    const auto names = pki::token_names(items);
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::string line = pki::line_of(items[i], maker_.folder(), names[i]);
      if (!line.empty()) context_.out << line << '\n';
    }
    return Exit::Done;
  }

  std::string next_step() const {
    const std::string folder = printable(maker_.folder().path());
    switch (options_.command) {
      case Command::PkiCa:
        return "Whoever has " + folder +
               "/ca.key can be anybody: keep it where few come, and a copy. Next: sluicectl pki "
               "server, pki agent, pki operator, each with the same --directory.";
      case Command::PkiServer:
        return "For api in sluice.yaml, with the paths to which the files are copied; sluiced's "
               "user must be able to read the key:";
      case Command::PkiAgent:
        return "Each server gets its certificate and key, and ca.pem; its agent.yaml says "
               "tls: {certificate: FILE, key: FILE, ca: FILE}. For api.tokens in sluice.yaml:";
      default:
        return "Shown to the authority with --certificate, --key and --ca (" + folder +
               "/ca.pem), or SLUICE_CERTIFICATE, SLUICE_KEY and SLUICE_CA. For api.tokens in "
               "sluice.yaml:";
    }
  }

  const Options& options_;
  Context& context_;
  pki::Maker maker_;
  pki::Wish wish_;
};

}  // namespace

Exit certificates(const Options& options, Context& context) {
  return Run(options, context).run();
}

}  // namespace sluice::ctl
