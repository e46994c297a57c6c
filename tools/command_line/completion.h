#pragma once

#include <iosfwd>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "tools/command_line/value.h"

// What a shell offers when the user presses TAB. The scripts for bash and zsh (tools/pages) hand
// the words of the line to `PROGRAM __complete WORD...`; what is declared decides here, once for
// both.
namespace sluice::command_line {

// The first word of such a call. No command: help and manual pages do not know it.
constexpr const char* kCompleteWord = "__complete";

struct Candidate {
  std::string text;
  std::string help{};  // a line about it, or empty
};

struct Completion {
  std::vector<Candidate> candidates;  // that the declarations know
  // What else may stand in this place, and only running programs or the file system know.
  ValueKind wanted = ValueKind::Other;
  std::string begun;   // what is there of it already
  std::string before;  // what stands before it in the same word: "--service="
  // The values so far, by name_of(): "--socket", "SERVER". Of several the last.
  std::map<std::string, std::string, std::less<>> typed{};
};

// `words` without the program's name; the last is the one that the cursor stands in, up to the
// cursor, and may be empty.
Completion complete(const CLI::App& program, std::span<const std::string> words);

// Adds what begins as `completion.begun` does, in order, none twice.
void add(Completion& completion, std::span<const Candidate> live);

// For the scripts: a line "files" (complete the word's value as a file) or "words", then a line
// "TEXT<tab>HELP" for each candidate.
void print(const Completion& completion, std::ostream& out);

}  // namespace sluice::command_line
