#include "tools/sluicectl/pki/lines.h"

#include <algorithm>
#include <map>

namespace sluice::ctl::pki {
namespace {

// As YAML takes it in a flow mapping, whatever is in it.
std::string quoted(const std::string& text) {
  const bool plain = std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-+").find(c) != std::string_view::npos;
  });
  if (plain && !text.empty()) return text;
  std::string quotes = "'";
  for (const char c : text) quotes += c == '\'' ? "''" : std::string(1, c);
  return quotes + "'";
}

std::string label_of(const std::string& name) {
  return name.substr(0, name.find('.'));
}

}  // namespace

std::string line_of(const Item& item, const Folder& folder, const std::string& token) {
  switch (item.kind) {
    case Kind::Authority:
      return {};
    case Kind::Server:
      return "tls: {certificate: " + quoted(item.certificate_file) +
             ", key: " + quoted(item.key_file) +
             ", client_ca: " + quoted(folder.certificate_file(Kind::Authority, "")) + "}";
    case Kind::Agent:
      return "- {name: " + quoted(token) + ", role: agent, server: " + quoted(item.name) +
             ", certificate: " + quoted(item.name) + "}";
    case Kind::Operator:
    case Kind::Reader:
      return "- {name: " + quoted(token) + ", role: " + std::string(word_of(item.kind)) +
             ", certificate: " + quoted(item.name) + "}";
  }
  return {};
}

std::vector<std::string> token_names(const std::vector<Item>& items) {
  std::map<std::string, int> labels;
  for (const Item& item : items)
    ++labels[item.kind == Kind::Agent ? label_of(item.name) : item.name];
  std::vector<std::string> names;
  for (const Item& item : items) {
    const std::string label = item.kind == Kind::Agent ? label_of(item.name) : item.name;
    names.push_back(labels[label] == 1 ? label : item.name);
  }
  return names;
}

std::string_view word_of(State state) {
  switch (state) {
    case State::Good:
      return "good";
    case State::Due:
      return "due for renewal";
    case State::Expired:
      return "expired";
    case State::NotYet:
      return "not valid yet";
    case State::NoKey:
      return "no key here";
    case State::OtherKey:
      return "another one's key";
    case State::OtherIssuer:
      return "signed by another authority";
  }
  return "";
}

}  // namespace sluice::ctl::pki
