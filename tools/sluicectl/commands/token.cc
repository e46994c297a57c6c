#include "tools/sluicectl/token.h"

#include <ostream>

#include "tools/sluicectl/commands/commands.h"

namespace sluice::ctl {
namespace {

// Unique without asking: an agent's is its server's label, another's has a part of its hash.
std::string name_for(const Options& options, const std::string& sha256) {
  if (!options.name.empty()) return options.name;
  if (options.server.empty()) return options.role + "-" + sha256.substr(0, 8);
  return options.server.substr(0, options.server.find('.'));
}

}  // namespace

Exit token(const Options& options, Context& context) {
  const auto made = make_token();
  if (!made) return report(Exit::Failed, "no token", made.error().message, options, context);
  const std::string sha256 = sha256_hex(*made);
  const std::string name = name_for(options, sha256);
  const std::string line = token_line(name, options.role, options.server, options.pools, sha256);
  if (options.json) {
    Json document{{"token", *made}, {"name", name}, {"role", options.role}};
    if (!options.server.empty()) document["server"] = options.server;
    if (!options.pools.empty()) document["pools"] = options.pools;
    document["sha256"] = sha256;
    document["line"] = line;
    print_document(document.dump(), context);
    return Exit::Done;
  }
  context.err << "The token, shown this once (keep it in a file of mode 0600), and the line for"
                 " api.tokens of the configuration:\n";
  context.err.flush();
  context.out << *made << '\n' << line << '\n';
  if (options.role == "agent" && options.server.find('.') == std::string::npos) {
    warn({"the configuration wants the server's FQDN, not the label " + options.server}, context);
  }
  for (const std::string& pool : options.pools) {
    if (pool.find('.') == std::string::npos) {
      warn({"the configuration wants the pool's FQDN, as its block has it; " + pool +
            " is one label"},
           context);
    }
  }
  return Exit::Done;
}

}  // namespace sluice::ctl
