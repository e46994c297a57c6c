// A YAML document -> a configuration, or mistakes with their lines; of what is accepted the two
// numberings that health and dns share are as long as the lists say.
#include <cstddef>
#include <cstdint>
#include <string>

#include "config/load.h"
#include "config/model.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  const std::string text(reinterpret_cast<const char*>(data), size);
  // Devices never end, or block: no fuzzer reads them.
  if (text.find("/dev") != text.npos || text.find("/proc") != text.npos) return 0;
  const auto loaded = config::load_text(text, "/nonexistent/sluice.yaml");
  if (!loaded) {
    fuzz::require(!loaded.error().empty());
    fuzz::require_sound(loaded.error(), text);
    return 0;
  }
  std::size_t sets = 0;
  std::size_t servers = 0;
  for (const config::Pool& pool : loaded->pools) {
    sets += 1 + pool.srv.size() + pool.features.size();
    servers += pool.servers.size();
  }
  fuzz::require(config::answer_sets(*loaded).size() == sets);
  fuzz::require(config::servers(*loaded).size() == servers);
  return 0;
}
