#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/address.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/document.h"

namespace sluice::config {

// What is wrong with a file, gathered while it is read.
class Findings {
 public:
  explicit Findings(std::string file) : file_(std::move(file)) {}

  const std::string& file() const noexcept { return file_; }
  void add(int line, std::string path, std::string message);
  void add(base::Error error) { errors_.push_back(std::move(error)); }
  std::size_t size() const noexcept { return errors_.size(); }
  // In line order, those of other files behind; of one line, in the order in which they were found.
  std::vector<base::Error> take();

 private:
  std::string file_;
  std::vector<base::Error> errors_;
};

// One value of a document and the place where it stands. Each read says in Findings what is wrong,
// in the form "must be 0..255, is 300", and then yields nothing; the caller goes on with the rest.
//
// A value knows its path by its parent: it must not outlive the parent, the document or the
// Findings. Paths are put together only for messages.
class Value {
 public:
  Value(const Document& document, Findings& findings) noexcept
      : document_(&document), findings_(&findings), id_(document.root()) {}

  Document::Kind kind() const noexcept { return document_->kind(id_); }
  Document::Style style() const noexcept { return document_->style(id_); }
  int line() const noexcept { return document_->line(id_); }
  std::string path() const;  // "pools[0].servers[2].weight"
  Findings& findings() const noexcept { return *findings_; }

  void reject(std::string message) const { findings_->add(line(), path(), std::move(message)); }

  // Any scalar that is not empty, without NUL. The view lives as long as the document.
  std::optional<std::string_view> text() const;
  // A whole decimal number, not quoted. `instead` names for the message what may stand in its
  // place: "auto or ".
  std::optional<std::uint64_t> number(std::uint64_t min, std::uint64_t max,
                                      std::string_view instead = {}) const;
  std::optional<base::Duration> duration(base::Duration min, base::Duration max) const;
  std::optional<std::uint64_t> size(std::uint64_t min, std::uint64_t max,
                                    std::string_view instead = {}) const;  // "512MiB"
  std::optional<unsigned> percentage(unsigned min, unsigned max) const;    // "50%"
  std::optional<bool> flag() const;                                        // true, false
  // The place of the scalar in `words`. `later` are words that are understood but have no effect in
  // this version: refused, and told so.
  std::optional<std::size_t> word(std::initializer_list<std::string_view> words,
                                  std::initializer_list<std::string_view> later = {}) const;
  std::optional<base::IpAddress> address() const;
  std::optional<base::SocketAddress> socket_address() const;
  std::optional<base::Prefix> prefix() const;

  // Calls `visit(const Value& item)` for each item of a list. An empty value is an empty list: what
  // is left when every line of it is a comment.
  template <class Visit>
  void each(Visit&& visit) const {
    if (!is_list()) return;
    std::size_t index = 0;
    for (auto child = document_->first_child(id_); child; child = document_->next(*child)) {
      visit(Value(*this, {}, index++, *child));
    }
  }

  // Whether it is this word.
  bool is(std::string_view word) const;

  // As it is shown in messages: a scalar's text, shortened and without control characters, or
  // "empty", "a list", "a mapping".
  std::string shown() const;

 private:
  friend class Mapping;

  Value(const Value& parent, std::string_view key, std::size_t index, Document::Id id) noexcept
      : document_(parent.document_),
        findings_(parent.findings_),
        parent_(&parent),
        key_(key),
        index_(index),
        id_(id) {}

  bool is_list() const;  // says so if not

  const Document* document_;
  Findings* findings_;
  const Value* parent_ = nullptr;
  std::string_view key_;   // in a mapping
  std::size_t index_ = 0;  // in a list
  Document::Id id_;
};

// Foreign text for a message: at most 60 octets, control characters as "\xNN".
std::string printable(std::string_view text);

// "a", "a or b", "a, b or c"
std::string alternatives(std::initializer_list<std::string_view> words);

}  // namespace sluice::config
