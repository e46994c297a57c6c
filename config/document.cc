#include "config/document.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <istream>
#include <limits>
#include <streambuf>
#include <utility>

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "config/utf8.h"

namespace sluice::config {
namespace {

// Aliases may let a document stand for so many nodes more than are written: a shared block in each
// of many pools is far below, "a billion laughs" is far above.
constexpr std::uint64_t kFreeNodes = 100'000;
constexpr std::uint64_t kExpansion = 32;
// Sums stop here, so that nested aliases cannot make them overflow.
constexpr std::uint64_t kManyNodes = std::uint64_t{1} << 40U;

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// yaml-cpp reads a stream; this one needs no copy of the text.
class TextSource : public std::streambuf {
 public:
  explicit TextSource(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // a get area is never written to
    setg(begin, begin, begin + text.size());
  }
};

int line_of(const YAML::Mark& mark) {
  return mark.is_null() ? 0 : mark.line + 1;
}

}  // namespace

// Turns the parser's events into nodes. After the first mistake it only waits for the end.
class DocumentBuilder final : public YAML::EventHandler {
 public:
  // `text` without a byte order mark: marks count its octets.
  explicit DocumentBuilder(std::string_view text) : text_(text) {}

  bool empty() const {
    return document_.nodes_.empty() || document_.nodes_.front().kind == Document::Kind::Null;
  }
  bool failed() const { return failed_; }
  int failed_line() const { return failed_line_; }
  const std::string& failure() const { return failure_; }
  Document take() && { return std::move(document_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) fail(mark, "a second document starts here: a configuration is one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add_leaf(mark, anchor, {Document::Kind::Null, Document::Style::Plain}, {});
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    // yaml-cpp gives "?" to a plain scalar without a tag and "!" to any other.
    const auto style = tag == "?" ? Document::Style::Plain : style_at(mark);
    add_leaf(mark, anchor, {Document::Kind::Scalar, style}, value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    refuse_tag(mark, tag);
    open(mark, anchor, Document::Kind::Sequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    refuse_tag(mark, tag);
    open(mark, anchor, Document::Kind::Mapping);
  }
  void OnMapEnd() override { close(); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const std::uint64_t size = anchor < anchors_.size() ? anchors_[anchor].size : 0;
    if (size == 0) return fail(mark, "this alias stands inside of what it is an alias for");
    if (failed_) return;
    const Document::Id id = add(mark, Document::Kind::Scalar);
    if (failed_) return;
    document_.nodes_[id].alias = true;
    document_.nodes_[id].first_child = anchors_[anchor].node;
    count(size);
    if (at_key_) fail(mark, "a key must be a word, is an alias");
    if (total_ > kFreeNodes + kExpansion * document_.nodes_.size()) {
      fail(mark, "aliases make this document stand for too much: write it out");
    }
  }

 private:
  struct Open {
    Document::Id node = 0;
    Document::Id last_child = 0;
    std::uint64_t children = 0;
    std::uint64_t size = 1;  // nodes that it stands for, aliases followed
    YAML::anchor_t anchor = 0;
  };
  struct Anchor {
    Document::Id node = 0;
    std::uint64_t size = 0;  // 0 while it is open
  };
  struct Form {
    Document::Kind kind;
    Document::Style style;
  };

  void fail(const YAML::Mark& mark, std::string message) {
    if (failed_) return;
    failed_ = true;
    failed_line_ = line_of(mark);
    failure_ = std::move(message);
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!") {
      fail(mark, "tags (!) have no meaning here: the place of a value says what it is");
    }
  }

  // The character that begins the scalar, behind an anchor if there is one.
  Document::Style style_at(const YAML::Mark& mark) const {
    auto at = static_cast<std::size_t>(std::max(mark.pos, 0));
    constexpr std::string_view kSpace = " \t\r\n";
    if (at < text_.size() && text_[at] == '&') {
      at = text_.find_first_of(kSpace, at);
      at = text_.find_first_not_of(kSpace, at);
    }
    if (at >= text_.size()) return Document::Style::Quoted;
    if (text_[at] == '|') return Document::Style::Literal;
    return text_[at] == '>' ? Document::Style::Folded : Document::Style::Quoted;
  }

  // Appends a node to the innermost open one.
  Document::Id add(const YAML::Mark& mark, Document::Kind kind) {
    if (document_.nodes_.size() >= std::numeric_limits<Document::Id>::max()) {
      fail(mark, "the document is too large");
      return 0;
    }
    const auto id = static_cast<Document::Id>(document_.nodes_.size());
    document_.nodes_.push_back({});
    document_.nodes_.back().line = static_cast<std::uint32_t>(line_of(mark));
    document_.nodes_.back().kind = kind;
    at_key_ = false;
    if (open_.empty()) return id;
    Open& parent = open_.back();
    Document::Node& parent_node = document_.nodes_[parent.node];
    const bool in_mapping = parent_node.kind == Document::Kind::Mapping;
    at_key_ = in_mapping && parent.children % 2 == 0;
    // The parser marks a value that is not there where the next thing begins: take the key's line.
    if (in_mapping && !at_key_ && kind == Document::Kind::Null) {
      document_.nodes_.back().line = document_.nodes_[parent.last_child].line;
    }
    (parent.children == 0 ? parent_node.first_child : document_.nodes_[parent.last_child].next) =
        id;
    parent.last_child = id;
    ++parent.children;
    return id;
  }

  // Adds to what the innermost open node, and the whole document, stand for.
  void count(std::uint64_t size) {
    total_ = std::min(total_ + size, kManyNodes);
    if (!open_.empty()) open_.back().size = std::min(open_.back().size + size, kManyNodes);
  }

  void remember(YAML::anchor_t anchor, Document::Id node, std::uint64_t size) {
    if (anchor == 0) return;
    if (anchors_.size() <= anchor) anchors_.resize(anchor + 1);
    anchors_[anchor] = {node, size};
  }

  void add_leaf(const YAML::Mark& mark, YAML::anchor_t anchor, Form form, std::string_view text) {
    if (failed_) return;
    const Document::Id id = add(mark, form.kind);
    if (failed_) return;
    if (at_key_ && form.kind != Document::Kind::Scalar)
      fail(mark, "a key must be a word, is empty");
    Document::Node& node = document_.nodes_[id];
    node.style = form.style;
    node.text = static_cast<std::uint32_t>(document_.texts_.size());
    node.text_size = static_cast<std::uint32_t>(text.size());
    document_.texts_ += text;
    remember(anchor, id, 1);
    count(1);
  }

  void open(const YAML::Mark& mark, YAML::anchor_t anchor, Document::Kind kind) {
    if (failed_) return;
    const Document::Id id = add(mark, kind);
    if (at_key_) fail(mark, "a key must be a word, is a list or a mapping");
    if (failed_) return;
    remember(anchor, id, 0);
    total_ = std::min(total_ + 1, kManyNodes);
    open_.push_back({id, 0, 0, 1, anchor});
  }

  void close() {
    if (failed_) return;
    const Open closed = open_.back();
    open_.pop_back();
    remember(closed.anchor, closed.node, closed.size);
    if (open_.empty()) return;
    open_.back().size = std::min(open_.back().size + closed.size, kManyNodes);
  }

  std::string_view text_;
  Document document_;
  std::vector<Open> open_;
  std::vector<Anchor> anchors_;  // by yaml-cpp's number, from 1
  std::uint64_t total_ = 0;      // nodes that the document stands for, aliases followed
  bool at_key_ = false;          // the node that was added last is a key
  int documents_ = 0;
  bool failed_ = false;
  int failed_line_ = 0;
  std::string failure_;
};

namespace {

std::string describe(std::string_view text, const BadOctet& bad) {
  const auto octet = static_cast<std::uint8_t>(text[bad.offset]);
  std::array<char, 64> message{};
  static_cast<void>(std::snprintf(message.data(), message.size(), "octet 0x%02x is not %s", octet,
                                  octet < 0x80 ? "text: a control character" : "UTF-8"));
  return message.data();
}

// The parser's words for a tab before a key are no help.
std::string tab_hint(std::string_view text, int line) {
  std::size_t at = 0;
  for (int i = 1; i < line && at != std::string_view::npos; ++i) {
    at = text.find('\n', at);
    if (at != std::string_view::npos) ++at;
  }
  if (at == std::string_view::npos) return {};
  const auto end = text.find_first_not_of(" \t", at);
  const bool tab = text.substr(at, end - at).find('\t') != std::string_view::npos;
  return tab ? " (a tab before it: YAML is indented by spaces)" : "";
}

// yaml-cpp quotes what it stumbles over, its own mark for the end of the file included.
std::string visible(std::string message) {
  for (char& c : message) {
    if ((c >= 0 && c < ' ') || c == 0x7f) c = '?';
  }
  return message;
}

}  // namespace

base::Checked<Document> Document::parse(std::string_view text, const std::string& file) {
  const auto fail = [&](int line, std::string message) {
    return base::Unexpected{base::Error{{file, line}, {}, std::move(message)}};
  };
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  // yaml-cpp passes bad UTF-8 on, guesses UTF-16, and takes 0x04 for the end of the file.
  if (const auto bad = find_bad_octet(text)) return fail(bad->line, describe(text, *bad));
  TextSource source(text);
  std::istream stream(&source);
  DocumentBuilder builder(text);
  try {
    YAML::Parser parser(stream);
    while (!builder.failed() && parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::DeepRecursion& error) {
    if (!builder.failed()) return fail(line_of(error.mark), "is nested too deeply");
  } catch (const YAML::Exception& error) {
    if (!builder.failed()) {
      const int line = line_of(error.mark);
      return fail(line, "not YAML: " + visible(error.msg) + tab_hint(text, line));
    }
  }
  if (builder.failed()) return fail(builder.failed_line(), builder.failure());
  if (builder.empty()) return fail(0, "is empty");
  return std::move(builder).take();
}

}  // namespace sluice::config
