#include "dns/zone/scanner.h"

namespace sluice::dns {

namespace {

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r';
}

// What ends a token outside of quotes.
bool is_special(char c) noexcept {
  return is_blank(c) || c == '\n' || c == ';' || c == '(' || c == ')';
}

}  // namespace

void MasterFileScanner::skip_line() noexcept {
  while (!at_end() && peek() != '\n') ++at_;
}

MasterFileScanner::Next MasterFileScanner::next() {
  MasterFileEntry entry;
  Parentheses parentheses;
  bool line_start = true;
  while (!at_end()) {
    const char c = peek();
    if (c == '\n') {
      ++at_;
      ++line_;
      if (parentheses.open > 0) continue;
      if (!entry.tokens.empty()) return std::optional(std::move(entry));
      line_start = true;
      entry.blank_owner = false;
      continue;
    }
    if (line_start && parentheses.open == 0) entry.blank_owner = is_blank(c);
    line_start = false;
    if (const auto mistake = read_item(entry, parentheses)) return base::Unexpected{*mistake};
  }
  if (parentheses.open > 0) {
    return base::Unexpected{Mistake{parentheses.opened_at, "a parenthesis is never closed"}};
  }
  if (entry.tokens.empty()) return std::optional<MasterFileEntry>();
  return std::optional(std::move(entry));
}

std::optional<MasterFileScanner::Mistake> MasterFileScanner::read_item(MasterFileEntry& entry,
                                                                       Parentheses& parentheses) {
  const char c = peek();
  if (is_blank(c)) {
    ++at_;
  } else if (c == ';') {
    skip_line();
  } else if (c == '(') {
    if (parentheses.open++ == 0) parentheses.opened_at = line_;
    ++at_;
  } else if (c == ')') {
    if (parentheses.open-- == 0) {
      skip_line();
      return Mistake{line_, "a closing parenthesis without an opening one"};
    }
    ++at_;
  } else {
    if (entry.tokens.empty()) entry.line = line_;
    return read_token(entry);
  }
  return std::nullopt;
}

std::optional<MasterFileScanner::Mistake> MasterFileScanner::read_token(MasterFileEntry& entry) {
  const std::size_t start = at_;
  bool quoted = false;
  for (; !at_end() && peek() != '\n' && (quoted || !is_special(peek())); ++at_) {
    if (peek() == '"') quoted = !quoted;
    if (peek() == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') ++at_;
  }
  if (quoted) return Mistake{line_, "a quote is not closed on its line"};
  entry.tokens.push_back(text_.substr(start, at_ - start));
  return std::nullopt;
}

}  // namespace sluice::dns
