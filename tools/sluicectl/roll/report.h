#pragma once

#include <string>
#include <vector>

#include "tools/sluicectl/context.h"
#include "tools/sluicectl/render/progress.h"
#include "tools/sluicectl/roll/machine.h"

namespace sluice::ctl::rolling {

// Tells a roll: to people a line for each step and a table at the end, with --json an object a
// line, the last of them the report.
class Report {
 public:
  Report(std::string pool, const Options& options, Context& context);

  // --dry-run; returns what to exit with: whether it could go through as things stand.
  Exit plan(const Pool& pool, const std::vector<Group>& groups, const std::vector<Lane>& lanes);

  // "goes on" and the like, on stderr.
  void note(const std::string& text);

  void steps(const std::vector<Step>& steps, const std::vector<Lane>& lanes);
  // What is waited for; `instead` is shown in place of it when it is not empty.
  void progress(const std::vector<Lane>& lanes, const std::string& instead);

  // `journal` is where it goes on from; empty: it is complete.
  void end(const Machine& machine, const std::string& journal);

 private:
  std::string words(const Step& step, const Lane& lane) const;
  void people(const Machine& machine, const std::string& journal);
  std::string shown(const Lane& lane) const;

  std::string pool_;
  const Options& options_;
  Context& context_;
  Progress progress_;
};

}  // namespace sluice::ctl::rolling
