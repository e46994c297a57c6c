// The pages of the configuration files against the loaders: each key that is accepted is
// documented, each that is documented is accepted, and ranges, words and defaults are what the page
// says.
//
// Which keys there are the loaders tell themselves: an unknown key is refused with those that are
// known in its place. So each mapping of a corpus is given one; each key that is known must stand
// in the corpus with a value, so that what it leads to is walked, too.

#include "tools/pages/keys.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <nlohmann/json.hpp>

#include "config/base/file.h"
#include "config/document.h"
#include "config/load.h"
#include "config/load_agent.h"
#include "tests/config/base/certificates.h"

namespace sluice::pages {
namespace {

using config::Document;
using Json = nlohmann::ordered_json;
using Errors = std::vector<base::Error>;
namespace fs = std::filesystem;

fs::path root() {
  return fs::path(__FILE__).parent_path().parent_path().parent_path().parent_path();
}

std::string text_of(const fs::path& path) {
  auto text = base::read_file(path.string());
  EXPECT_TRUE(text) << path;
  return text ? *text : "";
}

// YAML as JSON, which is YAML again: a tree that can be changed.
Json value_at(const Document& document, Document::Id id) {
  switch (document.kind(id)) {
    case Document::Kind::Null:
      return nullptr;
    case Document::Kind::Scalar: {
      const std::string text(document.text(id));
      if (document.style(id) != Document::Style::Plain) return text;
      if (text == "true" || text == "false") return text == "true";
      static const std::regex kNumber("0|[1-9][0-9]{0,17}");
      return std::regex_match(text, kNumber) ? Json(std::stoull(text)) : Json(text);
    }
    case Document::Kind::Sequence: {
      Json list = Json::array();
      for (auto item = document.first_child(id); item; item = document.next(*item)) {
        list.push_back(value_at(document, *item));
      }
      return list;
    }
    case Document::Kind::Mapping:
      break;
  }
  Json mapping = Json::object();
  for (auto key = document.first_child(id); key;) {
    const auto item = document.next(*key);
    mapping[std::string(document.text(*key))] = value_at(document, *item);
    key = document.next(*item);
  }
  return mapping;
}

Json json_of(const std::string& yaml, const std::string& file) {
  const auto document = Document::parse(yaml, file);
  EXPECT_TRUE(document) << base::to_string(document.error());
  return document ? value_at(*document, document->root()) : Json();
}

// One of the two files, by its loader.
template <class Config>
struct Format {
  base::Result<Config, Errors> (*load)(const std::string& text, const std::string& file);
  std::string page;
  std::vector<std::string> corpus;
};

// A mapping in a document of the corpus.
struct Place {
  std::size_t document = 0;
  Json::json_pointer pointer;
  std::string path;     // "pools[0].servers[1]", as the loaders say it
  std::string pattern;  // "pools[].servers[]"
};

// Longer than what is taken for a typing mistake, shorter than what messages cut.
const std::string kProbe(45, 'z');

std::string joined(const std::string& block, const std::string& key) {
  return block.empty() ? key : block + '.' + key;
}

template <class Config>
class Book {
 public:
  explicit Book(Format<Config> format) : format_(std::move(format)) {
    for (const std::string& name : format_.corpus) {
      files_.push_back((root() / name).string());
      documents_.push_back(json_of(text_of(files_.back()), files_.back()));
      const auto loaded = load(documents_.size() - 1, documents_.back());
      EXPECT_TRUE(loaded) << base::to_string(loaded.error());
    }
    const auto page = root() / "tools/pages/man" / format_.page;
    auto keys = keys_of(text_of(page), page.string());
    EXPECT_TRUE(keys) << base::to_string(keys.error());
    if (keys) keys_ = *std::move(keys);
    for (std::size_t at = 0; at < documents_.size(); ++at) walk(at, Json::json_pointer(""), "", "");
  }

  const std::vector<Key>& keys() const { return keys_; }
  const std::string& page() const { return format_.page; }
  // What the loaders ask for, and those of them that stand in the corpus.
  const std::set<std::string>& known() const { return known_; }
  const std::set<std::string>& walked() const { return walked_; }

  base::Result<Config, Errors> load(std::size_t document, const Json& json) const {
    return format_.load(json.dump(), files_[document]);
  }

  // Calls `visit(place, mapping)` for each mapping that the key may stand in, with a document of
  // its own to change, until it returns true. Whether it did.
  template <class Visit>
  bool any_place(const Key& key, Visit visit) const {
    return std::ranges::any_of(places_, [&](const Place& place) {
      if (joined(place.pattern, key.name) != key.path) return false;
      Json document = documents_[place.document];
      return visit(place, document, document[place.pointer]);
    });
  }

 private:
  // The keys that are known in this mapping; nothing where the operator chooses them.
  std::optional<std::vector<std::string>> known_at(const Place& place) const {
    Json document = documents_[place.document];
    document[place.pointer][kProbe] = nullptr;
    const auto loaded = load(place.document, document);
    if (loaded) return {};
    constexpr std::string_view kKnown = "is not a known key; known here: ";
    for (const base::Error& error : loaded.error()) {
      if (error.path != joined(place.path, kProbe) || !error.message.starts_with(kKnown)) continue;
      std::vector<std::string> keys;
      std::istringstream rest(error.message.substr(kKnown.size()));
      for (std::string key; std::getline(rest, key, ',');) {
        keys.push_back(key.substr(key.find_first_not_of(' ')));
      }
      return keys;
    }
    return {};
  }

  void walk(std::size_t at, const Json::json_pointer& pointer, const std::string& path,
            const std::string& pattern) {
    const Json& value = documents_[at][pointer];
    if (value.is_array()) {
      for (std::size_t index = 0; index < value.size(); ++index) {
        walk(at, pointer / index, path + '[' + std::to_string(index) + ']', pattern + "[]");
      }
    }
    if (!value.is_object()) return;
    const Place place{at, pointer, path, pattern};
    const auto known = known_at(place);
    if (known) {
      places_.push_back(place);
      for (const std::string& key : *known) known_.insert(joined(pattern, key));
    }
    for (const auto& [key, below] : value.items()) {
      if (known) walked_.insert(joined(pattern, key));
      walk(at, pointer / key, joined(path, key), joined(pattern, known ? key : "NAME"));
    }
  }

  Format<Config> format_;
  std::vector<std::string> files_;
  std::vector<Json> documents_;
  std::vector<Key> keys_;
  std::vector<Place> places_;
  std::set<std::string> known_;
  std::set<std::string> walked_;
};

std::set<std::string> without(const std::set<std::string>& all,
                              const std::set<std::string>& these) {
  std::set<std::string> rest;
  std::ranges::set_difference(all, these, std::inserter(rest, rest.end()));
  return rest;
}

template <class Config>
void expect_same_keys(const Book<Config>& book) {
  std::set<std::string> documented;
  for (const Key& key : book.keys()) {
    EXPECT_TRUE(documented.insert(key.path).second) << key.path << " stands twice in the page";
  }
  EXPECT_THAT(without(book.known(), documented), testing::IsEmpty())
      << "the loader reads these; document them in tools/pages/man/" << book.page();
  EXPECT_THAT(without(documented, book.known()), testing::IsEmpty())
      << "tools/pages/man/" << book.page() << " documents these, and the loader does not read them";
  EXPECT_THAT(without(book.known(), book.walked()), testing::IsEmpty())
      << "give these a value in tests/tools/pages/keys, so that what they lead to is seen";
}

template <class Config>
void expect_defaults(const Book<Config>& book) {
  for (const Key& key : book.keys()) {
    SCOPED_TRACE(book.page() + ":" + std::to_string(key.line) + ": " + key.path + "; " +
                 key.otherwise);
    std::string seen = "it stands in no mapping of tests/tools/pages/keys";
    const bool found = book.any_place(key, [&](const Place& place, Json& document, Json& mapping) {
      if (key.is_required() && !mapping.contains(key.name)) return false;
      mapping.erase(key.name);
      const auto left_out = book.load(place.document, document);
      if (key.is_required()) {
        seen = "it may be left out";
        return !left_out && std::ranges::any_of(left_out.error(), [&](const base::Error& error) {
          return error.path == joined(place.path, key.name) &&
                 error.message.starts_with("is missing");
        });
      }
      if (!left_out) {
        seen = "left out: " + base::to_string(left_out.error());
        return false;
      }
      if (!key.has_value()) return true;
      mapping[key.name] = json_of(key.otherwise, "default");
      const auto given = book.load(place.document, document);
      seen = given ? "the default is another one" : "given: " + base::to_string(given.error());
      return given && *given == *left_out;
    });
    EXPECT_TRUE(found) << seen;
  }
}

// What a message about a wrong value must name: ranges, and words that may stand there.
std::vector<std::string> promised(const Key& key) {
  std::vector<std::string> parts;
  std::istringstream rest(key.takes);
  for (std::string part; std::getline(rest, part, '|');) {
    part = std::regex_replace(part, std::regex("^ +| +$"), "");
    static const std::regex kRange("(number|duration|percentage|size) (\\S+\\.\\.\\S+)");
    static const std::regex kWord("[a-z_]+");
    std::smatch match;
    if (std::regex_match(part, match, kRange)) {
      parts.push_back(match[2]);
    } else if (part == "boolean") {
      parts.push_back("true or false");
    } else if (std::regex_match(part, kWord) && part != "percentage" && part != "mapping" &&
               key.takes.find('|') != std::string::npos) {
      parts.push_back(part);
    } else if (part.starts_with("text") || part == "path" || part == "name") {
      return {};  // a wrong value is hard to find
    }
  }
  return parts;
}

template <class Config>
void expect_ranges(const Book<Config>& book) {
  std::size_t checked = 0;
  for (const Key& key : book.keys()) {
    const auto parts = promised(key);
    if (parts.empty()) continue;
    ++checked;
    SCOPED_TRACE(book.page() + ":" + std::to_string(key.line) + ": " + key.path + "; " + key.takes);
    std::string said;
    book.any_place(key, [&](const Place& place, Json& document, Json& mapping) {
      mapping[key.name] = "no such value";
      const auto loaded = book.load(place.document, document);
      if (loaded) return false;
      for (const base::Error& error : loaded.error()) {
        // One that belongs beside another key may be unknown in this mapping.
        const bool here = !error.message.starts_with("is not a known key");
        if (here && error.path == joined(place.path, key.name)) said = error.message;
      }
      return !said.empty();
    });
    for (const std::string& part : parts) EXPECT_THAT(said, testing::HasSubstr(part));
  }
  EXPECT_GT(checked, 0U);
}

// In the corpus CERTIFICATES stands for a folder with an authority's ca.crt, api.crt and api.key,
// and etcd.password.
base::Result<config::Config, Errors> load_with_certificates(const std::string& text,
                                                            const std::string& file) {
  static const base::testing::Folder folder;
  static const bool made = [] {
    const base::testing::Certified authority({.subject = "authority"});
    const base::testing::Certified server({.subject = "api"}, authority);
    folder.put("ca.crt", authority.certificate_pem());
    folder.put("api.crt", server.certificate_pem());
    folder.put("api.key", server.key_pem());
    folder.put("etcd.password", "secret\n");
    return true;
  }();
  EXPECT_TRUE(made);
  return config::load_text(std::regex_replace(text, std::regex("CERTIFICATES"), folder.path()),
                           file);
}

const Book<config::Config>& sluice() {
  static const Book<config::Config> book(
      {load_with_certificates,
       "sluice.yaml.5",
       {"tests/config/examples/sluice.yaml", "tests/tools/pages/keys/sluice.yaml",
        "tests/tools/pages/keys/many.yaml", "tests/tools/pages/keys/small.yaml"}});
  return book;
}

const Book<config::AgentConfig>& agent() {
  static const Book<config::AgentConfig> book(
      {config::load_agent_text,
       "sluice-agent.yaml.5",
       {"tests/config/examples/agent.yaml", "tests/tools/pages/keys/agent.yaml",
        "tests/tools/pages/keys/small_agent.yaml"}});
  return book;
}

TEST(PageOfSluiceYaml, HasTheKeysThatAreRead) {
  expect_same_keys(sluice());
}
TEST(PageOfSluiceYaml, TellsTheDefaults) {
  expect_defaults(sluice());
}
TEST(PageOfSluiceYaml, TellsTheRanges) {
  expect_ranges(sluice());
}
TEST(PageOfAgentYaml, HasTheKeysThatAreRead) {
  expect_same_keys(agent());
}
TEST(PageOfAgentYaml, TellsTheDefaults) {
  expect_defaults(agent());
}
TEST(PageOfAgentYaml, TellsTheRanges) {
  expect_ranges(agent());
}

// What stands between .Bd and .Ed below EXAMPLES.
std::string example_of(const std::string& page) {
  const std::string text = text_of(root() / "tools/pages/man" / page);
  const auto examples = text.find("\n.Sh EXAMPLES\n");
  const auto begin = text.find('\n', text.find("\n.Bd ", examples) + 1);
  EXPECT_NE(begin, std::string::npos) << page;
  return text.substr(begin, text.find("\n.Ed", begin) - begin + 1);
}

TEST(PageOfSluiceYaml, HasAnExampleThatLoads) {
  const auto loaded = config::load_text(example_of("sluice.yaml.5"), "/example/sluice.yaml");
  EXPECT_TRUE(loaded) << base::to_string(loaded.error());
}

TEST(PageOfAgentYaml, HasAnExampleThatLoads) {
  const auto loaded = config::load_agent_text(example_of("sluice-agent.yaml.5"), "/example/a.yaml");
  EXPECT_TRUE(loaded) << base::to_string(loaded.error());
}

TEST(KeyLine, NeedsThreeFields) {
  EXPECT_FALSE(read_key("ttl; duration 0s..7d", "pools[]", {"page", 7}));
  EXPECT_FALSE(read_key("ttl; ; 30s", "pools[]", {"page", 7}));
  const auto key = read_key("ttl; duration 0s..7d; 30s", "pools[]", {"page", 7});
  ASSERT_TRUE(key);
  EXPECT_EQ(key->path, "pools[].ttl");
  EXPECT_EQ(key->otherwise, "30s");
  EXPECT_TRUE(key->has_value());
}

}  // namespace
}  // namespace sluice::pages
