#include "dns/zone/master_file.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "config/base/file.h"
#include "dns/zone/generate.h"
#include "dns/zone/presentation.h"
#include "dns/zone/rdata_text.h"
#include "dns/zone/scanner.h"

namespace sluice::dns {

namespace {

// Nobody nests deeper on purpose.
constexpr std::size_t kMaxDepth = 10;
// As of lists of pools: who has more has made one mistake many times.
constexpr std::size_t kMaxMistakes = 20;
// Where neither $TTL nor a record before says one, as ldns has it.
constexpr std::uint32_t kDefaultTtl = 3'600;

class MasterFileReader {
 public:
  MasterFileReader(const config::Zone& zone, const std::string& path, SourceMap& sources,
                   const std::function<void(const Record&)>& sink)
      : zone_(zone), path_(path), sources_(sources), sink_(sink) {}

  std::vector<base::Error> read() {
    enter({zone_.origin.file, std::max(zone_.origin.line, 1)});
    if (const auto apex = Name::parse(zone_.name)) {
      context_.origin = *apex;
      read_text(zone_.records);
    } else {
      mistake(1, "\"" + shown(zone_.name) + "\" is not a domain name");
    }
    return std::move(errors_);
  }

 private:
  using Tokens = std::span<const std::string_view>;

  // What an included text gets, and what it can't change for the one that includes it.
  struct Context {
    Name origin;
    std::optional<Name> owner;
    std::optional<std::uint32_t> ttl;
    bool ttl_directive = false;
  };

  void enter(base::Location begin) {
    sources_.enter(begin.file, begin.line);
    open_.push_back(std::move(begin));
  }

  // `line` of the text that is read now, from 1.
  int place(int line) { return sources_.place(open_.back().line + line - 1); }

  // The last one says that the rest was not read: whatever this file is, it is no zone.
  void mistake(int line, std::string message) {
    if (given_up()) return;
    errors_.push_back({sources_.where(place(line)), path_, std::move(message)});
    if (given_up()) errors_.back().message += "; the rest was not read";
  }
  bool given_up() const { return errors_.size() >= kMaxMistakes; }

  void read_text(std::string_view text) {
    if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
      const auto line = 1 + std::ranges::count(text.substr(0, nul), '\n');
      return mistake(static_cast<int>(line), "not a text: it has a NUL");
    }
    MasterFileScanner scanner(text);
    while (!given_up()) {
      const auto entry = scanner.next();
      if (!entry) {
        mistake(entry.error().line, std::string(entry.error().message));
      } else if (!*entry) {
        return;
      } else if ((**entry).tokens.front().starts_with('$') && !(**entry).blank_owner) {
        directive(**entry);
      } else {
        record((**entry).line, (**entry).blank_owner, (**entry).tokens);
      }
    }
  }

  void directive(const MasterFileEntry& entry) {
    const std::string_view word = entry.tokens.front();
    const Tokens arguments = Tokens(entry.tokens).subspan(1);
    if (same_word(word, "$ORIGIN")) return origin(entry.line, arguments);
    if (same_word(word, "$TTL")) return ttl(entry.line, arguments);
    if (same_word(word, "$INCLUDE")) return include(entry.line, arguments);
    if (same_word(word, "$GENERATE")) return generate(entry.line, arguments);
    mistake(entry.line, shown(word) + " is no directive: $ORIGIN, $TTL, $INCLUDE, $GENERATE are");
  }

  void origin(int line, Tokens arguments) {
    if (arguments.size() != 1) return mistake(line, "$ORIGIN takes one domain name");
    const auto name = parse_name(arguments[0], context_.origin);
    if (!name) return mistake(line, "$ORIGIN is not a domain name");
    context_.origin = *name;
  }

  void ttl(int line, Tokens arguments) {
    if (arguments.size() != 1) return mistake(line, "$TTL takes one number of seconds");
    const auto seconds = parse_ttl(arguments[0]);
    if (!seconds || *seconds > kMaxTtl) {
      return mistake(line, "$TTL must be 0..2147483647 seconds");
    }
    context_.ttl = static_cast<std::uint32_t>(*seconds);
    context_.ttl_directive = true;
  }

  // Origin, owner and TTL come back: RFC 1035 section 5.1 says so of the origin, and is silent on
  // the others.
  void include(int line, Tokens arguments) {
    const bool sized = arguments.size() == 1 || arguments.size() == 2;
    const auto name = sized ? unquoted(arguments[0]) : std::nullopt;
    if (!name) return mistake(line, "$INCLUDE takes a file, and an origin if need be");
    Context inner = context_;
    if (arguments.size() == 2) {
      const auto origin = parse_name(arguments[1], context_.origin);
      if (!origin) return mistake(line, "$INCLUDE: the origin is not a domain name");
      inner.origin = *origin;
    }
    const std::string file = base::resolve(base::folder_of(open_.back().file), *name);
    if (std::ranges::find(open_, file, &base::Location::file) != open_.end()) {
      return mistake(line, "$INCLUDE: " + shown(file) + " would include itself");
    }
    if (open_.size() > kMaxDepth) return mistake(line, "$INCLUDE: more than ten deep");
    const auto text = base::read_file(file);
    if (!text) return mistake(line, "$INCLUDE: " + shown(file) + " can't be read: " + text.error());
    included_ += text->size();
    if (included_ > base::kMaxFileMiB << 20U) {
      return mistake(line, "$INCLUDE: more than " + std::to_string(base::kMaxFileMiB) +
                               " MiB in all for one zone");
    }
    const Context outer = std::exchange(context_, std::move(inner));
    enter({file, 1});
    read_text(*text);
    open_.pop_back();
    sources_.enter(open_.back().file, open_.back().line + line - 1);
    context_ = outer;
  }

  void generate(int line, Tokens arguments) {
    const auto range = arguments.size() < 4 ? std::nullopt : parse_range(arguments[0]);
    if (!range) {
      return mistake(line,
                     "$GENERATE takes FIRST-LAST or FIRST-LAST/STEP, an owner, a type and RDATA");
    }
    generated_ += range->count();
    if (generated_ > kMaxGenerated) {
      return mistake(line, "$GENERATE: more than " + std::to_string(kMaxGenerated) +
                               " records in all for one zone");
    }
    const std::optional<Name> owner = context_.owner;
    const std::size_t before = errors_.size();
    std::uint64_t number = range->first;
    // One mistake stands for those that the other records have too.
    for (; number <= range->last && errors_.size() == before; number += range->step) {
      generate_record(line, arguments.subspan(1), static_cast<std::uint32_t>(number));
    }
    context_.owner = owner;
  }

  void generate_record(int line, Tokens patterns, std::uint32_t number) {
    std::vector<std::string> words;
    for (const std::string_view pattern : patterns) {
      auto word = substitute(pattern, number);
      if (!word) return mistake(line, "$GENERATE: " + word.error());
      words.push_back(*std::move(word));
    }
    const std::vector<std::string_view> tokens(words.begin(), words.end());
    record(line, false, tokens);
  }

  // In either order (RFC 1035 section 5.1). Returns what is wrong, or nothing.
  static std::string take_ttl_and_class(Tokens& tokens, std::optional<std::uint64_t>& ttl) {
    bool has_class = false;
    for (; !tokens.empty(); tokens = tokens.subspan(1)) {
      const std::string_view token = tokens.front();
      const auto seconds = ttl ? std::nullopt : parse_ttl(token);
      if (seconds) {
        ttl = seconds;
      } else if (!has_class && is_class(token)) {
        has_class = true;
        if (!same_word(token, "IN") && !same_word(token, "CLASS1")) {
          return "class " + shown(token) + ": only IN is served";
        }
      } else {
        break;
      }
    }
    if (ttl && *ttl > kMaxTtl) return "TTL must be 0..2147483647 seconds";
    return tokens.empty() ? "a record type is missing" : "";
  }

  void record(int line, bool blank_owner, Tokens tokens) {
    if (!blank_owner) {
      context_.owner = parse_name(tokens.front(), context_.origin);
      if (!context_.owner) {
        return mistake(line, "\"" + shown(tokens.front()) + "\" is not a domain name");
      }
      tokens = tokens.subspan(1);
    }
    if (!context_.owner) return mistake(line, "no owner name: the line begins with a blank");
    std::optional<std::uint64_t> ttl;
    if (const std::string wrong = take_ttl_and_class(tokens, ttl); !wrong.empty()) {
      return mistake(line, wrong);
    }
    const std::uint32_t effective =
        ttl ? static_cast<std::uint32_t>(*ttl) : context_.ttl.value_or(kDefaultTtl);
    if (!context_.ttl_directive) context_.ttl = effective;
    rdata(line, effective, tokens);
  }

  void rdata(int line, std::uint32_t ttl, Tokens tokens) {
    const auto type = read_rdata(tokens, context_.origin, rdata_);
    if (!type) {
      return mistake(line, shown(tokens.front()) + " record of " + context_.owner->to_string() +
                               ": " + type.error());
    }
    sink_({*context_.owner, *type, ttl, rdata_, place(line)});
  }

  const config::Zone& zone_;
  const std::string& path_;
  SourceMap& sources_;
  const std::function<void(const Record&)>& sink_;
  // The texts that are being read, the included one behind the one that includes it; each with the
  // line of the file that is its first.
  std::vector<base::Location> open_;
  Context context_;
  std::size_t included_ = 0;  // octets
  std::uint64_t generated_ = 0;
  std::vector<std::uint8_t> rdata_;
  std::vector<base::Error> errors_;
};

}  // namespace

std::vector<base::Error> read_master_file(const config::Zone& zone, const std::string& path,
                                          SourceMap& sources,
                                          const std::function<void(const Record&)>& sink) {
  return MasterFileReader(zone, path, sources, sink).read();
}

}  // namespace sluice::dns
