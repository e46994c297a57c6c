#include "tools/bench/load/questions.h"

#include <array>
#include <fstream>
#include <sstream>
#include <utility>

#include "dns/wire/name.h"
#include "dns/wire/types.h"

namespace sluice::bench {
namespace {

struct Word {
  std::string_view text;
  std::uint16_t number;
};
constexpr std::array<Word, 3> kTypes = {{{"A", 1}, {"AAAA", 28}, {"SRV", 33}}};
constexpr std::array<Word, 3> kRcodes = {{{"NOERROR", 0}, {"NXDOMAIN", 3}, {"REFUSED", 5}}};

const Word* find(const std::array<Word, 3>& words, std::string_view text) {
  for (const Word& word : words) {
    if (word.text == text) return &word;
  }
  return nullptr;
}

std::vector<std::uint8_t> make_query(const dns::Name& name, std::uint16_t type) {
  std::vector<std::uint8_t> query{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  query.insert(query.end(), name.wire().begin(), name.wire().end());
  query.insert(query.end(),
               {static_cast<std::uint8_t>(type >> 8), static_cast<std::uint8_t>(type), 0, 1});
  return query;
}

// The root, type 41, payload size 1232, no extended RCODE, version 0, no flags, no options.
void add_opt(std::vector<std::uint8_t>& query) {
  query[11] = 1;  // ARCOUNT
  query.insert(query.end(), {0, 0, 41, 0x04, 0xD0, 0, 0, 0, 0, 0, 0});
}

}  // namespace

base::Checked<Question> parse_question(std::string_view line, bool edns) {
  std::istringstream words{std::string(line)};
  std::string name;
  std::string type = "A";
  std::string rcode = "NOERROR";
  std::string answers = "any";
  words >> name >> type >> rcode >> answers;
  const auto owner = dns::Name::parse(name);
  const Word* qtype = find(kTypes, type);
  const Word* expected = find(kRcodes, rcode);
  const bool counted = answers != "any";
  if (!owner || qtype == nullptr || expected == nullptr ||
      (counted && answers.find_first_not_of("0123456789") != std::string::npos)) {
    return base::failure("\"" + std::string(line) +
                         "\": must be NAME [A|AAAA|SRV [NOERROR|NXDOMAIN|REFUSED [ANSWERS]]]");
  }
  Question question;
  question.octets = make_query(*owner, qtype->number);
  question.question_end = question.octets.size();
  if (edns) add_opt(question.octets);
  question.rcode = static_cast<std::uint8_t>(expected->number);
  if (counted) question.answers = std::stoi(answers);
  return question;
}

base::Checked<std::vector<Question>> read_questions(const std::string& file, bool edns) {
  std::ifstream input(file);
  if (!input) return base::failure(file + ": can't be read");
  std::vector<Question> questions;
  for (std::string line; std::getline(input, line);) {
    if (line.empty() || line.front() == '#') continue;
    auto question = parse_question(line, edns);
    if (!question) return base::Unexpected{question.error()};
    questions.push_back(*std::move(question));
  }
  if (questions.empty()) return base::failure(file + ": no question in it");
  return questions;
}

}  // namespace sluice::bench
