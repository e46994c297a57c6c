#include "tools/sluicectl/api/problem.h"

#include <algorithm>

namespace sluice::ctl {
namespace {

base::Error read_error(JsonReader& reader) {
  base::Error error;
  error.where.file = reader.text_if("file").value_or("");
  // A line beyond a million is no line of a configuration that anybody wrote.
  constexpr std::uint64_t kLastLine = 1'000'000;
  error.where.line = static_cast<int>(std::min(reader.number_if("line").value_or(0), kLastLine));
  error.path = reader.text_if("path").value_or("");
  error.message = reader.text_if("message").value_or("");
  return error;
}

// The floor in numbers, where they came.
std::optional<std::string> floor_sentence(const Problem& problem) {
  const auto would_leave = problem.number("would_leave");
  const auto least = problem.number("min_accepting");
  if (problem.rule != "floor" || !would_leave || !least || problem.answer_set.empty()) return {};
  std::string text = problem.answer_set + " would keep " + std::to_string(*would_leave) +
                     " of at least " + std::to_string(*least);
  if (const auto has = problem.number("accepting")) text += " (has " + std::to_string(*has) + ")";
  return text;
}

std::string said(const Problem& problem) {
  if (const auto floor = floor_sentence(problem)) return *floor;
  std::string text = problem.detail.empty() ? problem.title : problem.detail;
  if (text.empty()) text = "the authority did not say why";
  // Not every detail repeats where it was.
  if (!problem.member.empty() && text.find(problem.member) == std::string::npos) {
    text = problem.member + ": " + text;
  }
  return text;
}

}  // namespace

std::optional<std::uint64_t> Problem::number(std::string_view name) const {
  const auto found = std::ranges::find(numbers, name, &decltype(numbers)::value_type::first);
  if (found == numbers.end()) return {};
  return found->second;
}

Problem read_problem(JsonReader& reader) {
  Problem problem;
  problem.title = reader.text_if("title").value_or("");
  problem.detail = reader.text_if("detail").value_or("");
  problem.rule = reader.text_if("rule").value_or("");
  problem.answer_set = reader.text_if("answer_set").value_or("");
  problem.member = reader.text_if("member").value_or("");
  problem.numbers = reader.numbers_if("numbers").value_or(decltype(problem.numbers){});
  problem.in_force = reader.flag_if("in_force").value_or(false);
  reader.each("errors", [&](JsonReader& each) { problem.errors.push_back(read_error(each)); });
  return problem;
}

std::string to_string(const Problem& problem) {
  // As `sluiced --check` prints them; the detail may repeat them all.
  if (!problem.errors.empty()) {
    return "the configuration was not taken over:\n" + base::to_string(problem.errors);
  }
  std::string text = problem.rule.empty()
                         ? said(problem)
                         : "refused by rule " + problem.rule + ": " + said(problem);
  if (problem.in_force) {
    text += "\nThe hold is in force. Trying again is harmless.";
  }
  return text;
}

}  // namespace sluice::ctl
