// Whatever stands in the file: an answer, no crash, and errors that point into the file.

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>

#include "gtest/gtest.h"

#include "config/files.h"
#include "config/load.h"
#include "config/load_agent.h"

namespace sluice::config {
namespace {

using Random = std::mt19937;  // with a fixed seed: a failure is found again

std::string text_of_example(const char* name) {
  const auto path = std::filesystem::path(__FILE__).parent_path() / "examples" / name;
  const auto text = read_file(path.string());
  EXPECT_TRUE(text) << path;
  return text ? *text : "";
}

std::size_t below(Random& random, std::size_t end) {
  return std::uniform_int_distribution<std::size_t>(0, end - 1)(random);
}

// What means something to YAML, and what ends up where it should not.
char any_octet(Random& random) {
  constexpr std::string_view kFavourites = "\n :-[]{},&*!|>'\"%#?@`~\t0.";
  if (below(random, 2) == 0) return kFavourites[below(random, kFavourites.size())];
  return static_cast<char>(below(random, 256));
}

// One to four changes: an octet, a piece left out, doubled, moved, or the end cut off.
std::string mutated(std::string text, Random& random) {
  for (std::size_t changes = 1 + below(random, 4); changes > 0 && text.size() > 2; --changes) {
    const std::size_t at = below(random, text.size());
    const std::size_t length = std::min(1 + below(random, 60), text.size() - at);
    switch (below(random, 6)) {
      case 0:
        text[at] = any_octet(random);
        break;
      case 1:
        text.insert(at, 1, any_octet(random));
        break;
      case 2:
        text.erase(at, length);
        break;
      case 3:
        text.insert(at, text.substr(at, length));
        break;
      case 4:
        text.insert(below(random, text.size()), text.substr(at, length));
        break;
      default:
        if (below(random, 4) == 0) text.resize(at);
        break;
    }
  }
  return text;
}

void expect_sound(const std::vector<base::Error>& errors, const std::string& text) {
  ASSERT_FALSE(errors.empty()) << text;
  const auto lines = std::count(text.begin(), text.end(), '\n') + 1;
  int last = 0;
  for (const base::Error& error : errors) {
    EXPECT_GE(error.where.line, last) << text;
    EXPECT_LE(error.where.line, lines) << text;
    EXPECT_FALSE(error.message.empty()) << text;
    for (const char c : base::to_string(error)) ASSERT_FALSE(c >= 0 && c < ' ') << text;
    last = error.where.line;
  }
}

TEST(MutatedConfiguration, IsLoadedOrRefusedWithLines) {
  const std::string text = text_of_example("sluice.yaml");
  Random random(1);
  int refused = 0;
  for (int i = 0; i < 3'000; ++i) {
    const std::string changed = mutated(text, random);
    const auto loaded = load_text(changed, "t.yaml");
    if (loaded) continue;
    ++refused;
    expect_sound(loaded.error(), changed);
    if (HasFailure()) return;
  }
  EXPECT_GT(refused, 1'000);
}

TEST(MutatedConfiguration, OfTheAgentIsLoadedOrRefusedWithLines) {
  const std::string text = text_of_example("agent.yaml");
  Random random(2);
  int refused = 0;
  for (int i = 0; i < 5'000; ++i) {
    const std::string changed = mutated(text, random);
    const auto loaded = load_agent_text(changed, "t.yaml");
    if (loaded) continue;
    ++refused;
    expect_sound(loaded.error(), changed);
    if (HasFailure()) return;
  }
  EXPECT_GT(refused, 1'000);
}

TEST(CutConfiguration, IsLoadedOrRefusedWithLines) {
  const std::string text = text_of_example("sluice.yaml");
  for (std::size_t size = 0; size < text.size(); size += 3) {
    const std::string cut = text.substr(0, size);
    const auto loaded = load_text(cut, "t.yaml");
    if (!loaded) expect_sound(loaded.error(), cut);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace sluice::config
