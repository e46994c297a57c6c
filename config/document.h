#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/error.h"

namespace sluice::config {

// A YAML text as a tree that knows its lines. Nothing is interpreted yet: a scalar is text, and
// value.h reads it as what the place asks for.
//
// YAML is read narrowly, since a configuration that means something else than it seems to is worse
// than one that is refused: one document; UTF-8 without control characters; keys are scalars; no
// tags, since the place says what a value is. Anchors and aliases stand for a whole value; merge
// keys ("<<") are not part of YAML 1.2 and are unknown keys to who reads the mapping.
class Document {
 public:
  enum class Kind : std::uint8_t { Null, Scalar, Sequence, Mapping };
  // How a scalar is written. Literal is "|", whose lines are those of the file; Folded is ">".
  enum class Style : std::uint8_t { Plain, Quoted, Literal, Folded };
  using Id = std::uint32_t;

  // The first mistake that keeps the text from being a tree. `file` is for its location.
  static base::Checked<Document> parse(std::string_view text, const std::string& file);

  Id root() const noexcept { return 0; }
  Kind kind(Id id) const noexcept { return target(id).kind; }
  Style style(Id id) const noexcept { return target(id).style; }
  // Where the value itself stands, which for an alias is at its anchor; counts from 1.
  int line(Id id) const noexcept { return static_cast<int>(target(id).line); }
  // Of a scalar; lives as long as the document.
  std::string_view text(Id id) const noexcept {
    return std::string_view(texts_).substr(target(id).text, target(id).text_size);
  }

  // The children of a sequence in order; of a mapping key, value, key, value.
  std::optional<Id> first_child(Id id) const noexcept { return some(target(id).first_child); }
  std::optional<Id> next(Id id) const noexcept { return some(nodes_[id].next); }

 private:
  friend class DocumentBuilder;

  // 28 octets a node: 100,000 pools have some five million nodes.
  struct Node {
    Id next = 0;         // sibling; 0: none, since nobody points at the root
    Id first_child = 0;  // 0: none. Of an alias: what it stands for
    std::uint32_t line = 0;
    std::uint32_t text = 0;  // offset in texts_
    std::uint32_t text_size = 0;
    Kind kind = Kind::Null;
    Style style = Style::Plain;
    bool alias = false;
  };

  const Node& target(Id id) const noexcept {
    return nodes_[id].alias ? nodes_[nodes_[id].first_child] : nodes_[id];
  }
  static std::optional<Id> some(Id id) noexcept {
    return id == 0 ? std::nullopt : std::optional(id);
  }

  std::vector<Node> nodes_;
  std::string texts_;
};

}  // namespace sluice::config
