#include "dns/zone/master_file.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "dns/ldns.h"
#include "dns/zone/rrset.h"
#include "dns/zone/scanner.h"

namespace sluice::dns {

namespace {

constexpr std::uint32_t kMaxTtl = 0x7FFFFFFF;  // RFC 2181 section 8

bool same_word(std::string_view left, std::string_view right) noexcept {
  return std::ranges::equal(left, right, [](char a, char b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(a) == lower(b);
  });
}

std::uint32_t unit_seconds(char unit) noexcept {
  switch (unit | 0x20) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3'600;
    case 'd':
      return 86'400;
    case 'w':
      return 604'800;
    default:
      return 0;
  }
}

// "300" or "1h30m". Nothing: no TTL at all; above kMaxTtl: too large, by how much is not said.
std::optional<std::uint64_t> parse_ttl(std::string_view text) {
  std::uint64_t total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::invalid_argument) return std::nullopt;
    if (error != std::errc() || value > kMaxTtl) value = std::uint64_t{kMaxTtl} + 1;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    std::uint32_t unit = 1;
    if (!text.empty()) {
      unit = unit_seconds(text.front());
      if (unit == 0) return std::nullopt;
      text.remove_prefix(1);
    }
    total = std::min(total + value * unit, std::uint64_t{kMaxTtl} + 1);
  }
  return total;
}

bool is_class(std::string_view text) {
  constexpr std::string_view kClasses[] = {"IN", "CH", "HS", "CS", "NONE", "ANY"};
  return std::ranges::any_of(kClasses, [&](auto name) { return same_word(text, name); }) ||
         (text.size() > 5 && same_word(text.substr(0, 5), "CLASS"));
}

// Whether the text ends with a dot that is not escaped.
bool is_absolute(std::string_view text) noexcept {
  if (!text.ends_with('.')) return false;
  std::size_t backslashes = 0;
  while (backslashes + 1 < text.size() && text[text.size() - 2 - backslashes] == '\\') {
    ++backslashes;
  }
  return backslashes % 2 == 0;
}

std::optional<Name> to_name(std::span<const std::uint8_t> wire) {
  WireReader reader(wire);
  const auto name = Name::read(reader);
  if (!name || !reader.at_end()) return std::nullopt;
  return *name;
}

// With escapes, relative to the origin.
std::optional<Name> parse_name(std::string_view text, const Name& origin) {
  if (text == "@") return origin;
  const LdnsRdf parsed(ldns_dname_new_frm_str(std::string(text).c_str()));
  if (!parsed) return std::nullopt;
  const std::span<const std::uint8_t> wire(ldns_rdf_data(parsed.get()),
                                           ldns_rdf_size(parsed.get()));
  if (is_absolute(text)) return to_name(wire);
  std::vector<std::uint8_t> whole(wire.begin(), wire.end() - 1);  // less the root
  whole.insert(whole.end(), origin.wire().begin(), origin.wire().end());
  return to_name(whole);
}

// ldns takes the generic form (RFC 3597 section 5) at its word; what follows relies on the form.
bool well_formed(RRType type, std::span<const std::uint8_t> rdata) {
  if (type == RRType::A) return rdata.size() == 4;
  if (type == RRType::AAAA) return rdata.size() == 16;
  const RdataLayout layout = rdata_layout(type);
  if (layout.names == 0) return true;
  WireReader reader(rdata);
  reader.skip(layout.first);
  for (int name = 0; name < layout.names; ++name) {
    if (!Name::read(reader)) return false;
  }
  return reader.ok() && reader.rest().size() == (type == RRType::SOA ? kSoaNumbers : 0);
}

class MasterFileReader {
 public:
  MasterFileReader(const config::Zone& zone, const std::string& path,
                   const std::function<void(const Record&)>& sink)
      : zone_(zone), path_(path), sink_(sink), scanner_(zone.records) {}

  std::vector<base::Error> read() {
    const auto apex = Name::parse(zone_.name);
    if (!apex) {
      mistake(1, "\"" + zone_.name + "\" is not a domain name");
      return std::move(errors_);
    }
    origin_ = *apex;
    for (;;) {
      const auto entry = scanner_.next();
      if (!entry) {
        mistake(entry.error().line, std::string(entry.error().message));
      } else if (!*entry) {
        return std::move(errors_);
      } else if ((**entry).tokens.front().starts_with('$') && !(**entry).blank_owner) {
        directive(**entry);
      } else {
        record(**entry);
      }
    }
  }

 private:
  using Tokens = std::span<const std::string_view>;

  int file_line(int line) const { return std::max(zone_.origin.line, 1) + line - 1; }

  void mistake(int line, std::string message) {
    errors_.push_back({{zone_.origin.file, file_line(line)}, path_, std::move(message)});
  }

  void directive(const MasterFileEntry& entry) {
    const std::string word(entry.tokens.front());
    if (same_word(word, "$ORIGIN") && entry.tokens.size() == 2) {
      const auto origin = parse_name(entry.tokens[1], origin_);
      if (!origin) return mistake(entry.line, "$ORIGIN is not a domain name");
      origin_ = *origin;
    } else if (same_word(word, "$TTL") && entry.tokens.size() == 2) {
      const auto ttl = parse_ttl(entry.tokens[1]);
      if (!ttl || *ttl > kMaxTtl) return mistake(entry.line, "$TTL must be 0..2147483647 seconds");
      ttl_ = static_cast<std::uint32_t>(*ttl);
      ttl_directive_ = true;
    } else {
      mistake(entry.line, word + " is not supported: $ORIGIN and $TTL are, with one argument");
    }
  }

  void record(const MasterFileEntry& entry) {
    Tokens tokens(entry.tokens);
    if (!entry.blank_owner) {
      owner_ = parse_name(tokens.front(), origin_);
      if (!owner_) {
        return mistake(entry.line, "\"" + std::string(tokens.front()) + "\" is not a domain name");
      }
      tokens = tokens.subspan(1);
    }
    if (!owner_) return mistake(entry.line, "no owner name: the line begins with a blank");
    std::optional<std::uint64_t> ttl;
    bool has_class = false;
    // TTL and class in either order (RFC 1035 section 5.1).
    for (; !tokens.empty(); tokens = tokens.subspan(1)) {
      if (!ttl && parse_ttl(tokens.front())) {
        ttl = parse_ttl(tokens.front());
      } else if (!has_class && is_class(tokens.front())) {
        has_class = true;
        if (!same_word(tokens.front(), "IN") && !same_word(tokens.front(), "CLASS1")) {
          return mistake(entry.line,
                         "class " + std::string(tokens.front()) + ": only IN is served");
        }
      } else {
        break;
      }
    }
    if (ttl && *ttl > kMaxTtl) return mistake(entry.line, "TTL must be 0..2147483647 seconds");
    if (tokens.empty()) return mistake(entry.line, "a record type is missing");
    if (!ttl && !ttl_)
      return mistake(entry.line, "no TTL, and neither $TTL nor a record before it");
    const std::uint32_t effective = ttl ? static_cast<std::uint32_t>(*ttl) : *ttl_;
    if (!ttl_directive_) ttl_ = effective;
    rdata(entry.line, effective, tokens);
  }

  void rdata(int line, std::uint32_t ttl, Tokens tokens) {
    const std::string type(tokens.front());
    const ldns_rr_type number = ldns_get_rr_type_by_name(type.c_str());
    if (number == 0) return mistake(line, type + " is not a record type");
    std::string text = ". 0 IN " + type;
    for (const std::string_view token : tokens.subspan(1)) (text += ' ') += token;

    ldns_rr* raw = nullptr;
    const LdnsRdf origin(
        ldns_dname_new_frm_data(static_cast<std::uint16_t>(origin_.size()), origin_.wire().data()));
    const ldns_status status = ldns_rr_new_frm_str(&raw, text.c_str(), 0, origin.get(), nullptr);
    const LdnsRR rr(raw);
    if (status != LDNS_STATUS_OK) {
      return mistake(line, type + " record of " + owner_->to_string() + ": " +
                               ldns_get_errorstr_by_id(status));
    }
    rdata_.clear();
    for (std::size_t index = 0; index < ldns_rr_rd_count(rr.get()); ++index) {
      const ldns_rdf* part = ldns_rr_rdf(rr.get(), index);
      const std::uint8_t* octets = ldns_rdf_data(part);
      rdata_.insert(rdata_.end(), octets, octets + ldns_rdf_size(part));
    }
    const auto rr_type = static_cast<RRType>(number);
    if (rdata_.size() > 65'535 || !well_formed(rr_type, rdata_)) {
      return mistake(line, type + " record of " + owner_->to_string() + ": RDATA is malformed");
    }
    sink_({*owner_, rr_type, ttl, rdata_, file_line(line)});
  }

  const config::Zone& zone_;
  const std::string& path_;
  const std::function<void(const Record&)>& sink_;
  MasterFileScanner scanner_;
  Name origin_;
  std::optional<Name> owner_;
  std::optional<std::uint32_t> ttl_;
  bool ttl_directive_ = false;
  std::vector<std::uint8_t> rdata_;
  std::vector<base::Error> errors_;
};

}  // namespace

std::vector<base::Error> read_master_file(const config::Zone& zone, const std::string& path,
                                          const std::function<void(const Record&)>& sink) {
  return MasterFileReader(zone, path, sink).read();
}

}  // namespace sluice::dns
