#include "tools/command_line/completion.h"

#include <algorithm>
#include <cctype>
#include <ostream>
#include <set>
#include <utility>

namespace sluice::command_line {
namespace {

// Reads the line as the parser would, without minding mistakes: it is not whole yet.
class Reading {
 public:
  explicit Reading(const CLI::App& program) : command_(&program) {}

  void take(const std::string& word) {
    if (pending_ != nullptr) {
      typed_[name_of(*std::exchange(pending_, nullptr))] = word;
    } else if (maybe_ != nullptr && is_digit(word)) {
      maybe_ = nullptr;  // the DURATION of --wait
    } else if (!only_positionals_ && word == "--") {
      only_positionals_ = true;
    } else if (!only_positionals_ && word.starts_with('-') && word != "-") {
      take_option(word);
    } else if (const CLI::App* below = command_named(word)) {
      command_ = below;
      positional_ = 0;
    } else {
      take_positional(word);
    }
  }

  Completion finish(const std::string& word) && {
    Completion completion;
    completion.typed = std::move(typed_);
    completion.begun = word;
    const auto equals = word.find('=');
    if (pending_ != nullptr) {
      want(*pending_, completion);
    } else if (!only_positionals_ && word.starts_with("--") && equals != std::string::npos) {
      completion.before = word.substr(0, equals + 1);
      completion.begun = word.substr(equals + 1);
      const CLI::Option* option = option_named(word.substr(0, equals));
      if (option != nullptr && takes_value(*option)) want(*option, completion);
    } else if (!only_positionals_ && word.starts_with('-')) {
      offer_options(completion);
    } else {
      offer_words(completion);
    }
    return completion;
  }

 private:
  static bool is_digit(const std::string& word) {
    return !word.empty() && std::isdigit(static_cast<unsigned char>(word.front())) != 0;
  }

  void take_option(const std::string& word) {
    maybe_ = nullptr;
    const auto equals = word.find('=');
    const std::string name = word.substr(0, equals);
    given_.insert(name);
    const CLI::Option* option = option_named(name);
    if (option == nullptr || !takes_value(*option)) return;
    if (equals != std::string::npos) {
      typed_[name_of(*option)] = word.substr(equals + 1);
    } else {
      (value_of(*option).optional ? maybe_ : pending_) = option;
    }
  }

  void take_positional(const std::string& word) {
    maybe_ = nullptr;
    const auto all = positionals(*command_);
    if (positional_ < all.size()) typed_[name_of(*all[positional_])] = word;
    ++positional_;
  }

  // Options of a command's parents may stand behind it where it lets them fall through.
  template <class Visit>
  void each_level(Visit visit) const {
    for (const CLI::App* at = command_; at != nullptr; at = at->get_parent()) {
      visit(*at);
      if (!at->get_fallthrough()) return;
    }
  }

  const CLI::Option* option_named(const std::string& name) const {
    const CLI::Option* found = nullptr;
    each_level([&](const CLI::App& level) {
      for (const CLI::Option* option : options(level)) {
        if (found == nullptr && option->check_name(name)) found = option;
      }
    });
    return found;
  }

  const CLI::App* command_named(const std::string& word) const {
    if (positional_ > 0 || only_positionals_) return nullptr;
    for (const CLI::App* each : commands(*command_)) {
      if (each->check_name(word)) return each;
    }
    return nullptr;
  }

  static void offer(Candidate candidate, Completion& completion) {
    const Candidate candidates[]{std::move(candidate)};
    add(completion, candidates);
  }

  static void want(const CLI::Option& option, Completion& completion) {
    const Value value = value_of(option);
    completion.wanted = value.kind;
    for (const std::string& word : value.words) offer({word}, completion);
  }

  void offer_options(Completion& completion) const {
    each_level([&](const CLI::App& level) {
      for (const CLI::Option* option : options(level)) {
        const std::string name = name_of(*option);
        if (!given_.contains(name))
          offer({name, first_line(option->get_description())}, completion);
      }
    });
  }

  void offer_words(Completion& completion) const {
    const auto all = positionals(*command_);
    if (positional_ < all.size()) want(*all[positional_], completion);
    if (positional_ == 0 && !only_positionals_) {
      for (const CLI::App* each : commands(*command_)) {
        offer({each->get_name(), first_line(each->get_description())}, completion);
        // A second name is for who types it, not for who looks what there is.
        if (completion.begun.empty()) continue;
        for (const std::string& alias : each->get_aliases()) {
          offer({alias, first_line(each->get_description())}, completion);
        }
      }
    }
    // Nothing but options can follow.
    const bool full = positional_ >= all.size() && completion.candidates.empty();
    if (full && completion.begun.empty() && !only_positionals_) offer_options(completion);
  }

  static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

  const CLI::App* command_;
  std::size_t positional_ = 0;            // how many of command_'s are there
  bool only_positionals_ = false;         // behind "--"
  const CLI::Option* pending_ = nullptr;  // its value comes next
  const CLI::Option* maybe_ = nullptr;    // its value may come next
  std::set<std::string> given_{};
  std::map<std::string, std::string, std::less<>> typed_{};
};

}  // namespace

Completion complete(const CLI::App& program, std::span<const std::string> words) {
  Reading reading(program);
  if (words.empty()) return std::move(reading).finish({});
  for (const std::string& word : words.first(words.size() - 1)) reading.take(word);
  return std::move(reading).finish(words.back());
}

void add(Completion& completion, std::span<const Candidate> live) {
  std::set<std::string> known;
  for (const Candidate& each : completion.candidates) known.insert(each.text);
  for (const Candidate& each : live) {
    if (!each.text.starts_with(completion.begun) || !known.insert(each.text).second) continue;
    completion.candidates.push_back(each);
  }
}

void print(const Completion& completion, std::ostream& out) {
  out << (completion.wanted == ValueKind::File ? "files\n" : "words\n");
  for (const Candidate& each : completion.candidates) {
    out << completion.before << each.text << '\t' << each.help << '\n';
  }
}

}  // namespace sluice::command_line
