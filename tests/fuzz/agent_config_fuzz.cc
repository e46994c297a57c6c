// A YAML document -> an agent's configuration, or mistakes with their lines. What is accepted is
// whole, and the same when it is read again.
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "config/load_agent.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  constexpr const char* kFile = "/nonexistent/agent.yaml";
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto loaded = config::load_agent_text(text, kFile);
  if (!loaded) {
    fuzz::require(!loaded.error().empty());
    fuzz::require_sound(loaded.error(), text);
    return 0;
  }
  fuzz::require_sound(loaded->warnings, text);
  fuzz::require(!loaded->authorities.empty() && !loaded->server.empty());
  fuzz::require(!loaded->services.empty() && loaded->heartbeat.count() > 0);
  std::set<std::string> names;
  for (const config::AgentService& service : loaded->services) {
    fuzz::require(!service.name.empty() && names.insert(service.name).second);
    fuzz::require(!service.checks.empty() || !service.units.empty() || !service.pid_file.empty());
  }
  const auto again = config::load_agent_text(text, kFile);
  fuzz::require(again.has_value() && *again == *loaded);
  return 0;
}
