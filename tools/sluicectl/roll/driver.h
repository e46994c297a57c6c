#pragma once

#include <cstddef>
#include <string>

#include "tools/sluicectl/context.h"
#include "tools/sluicectl/roll/children.h"
#include "tools/sluicectl/roll/journal_file.h"
#include "tools/sluicectl/roll/machine.h"
#include "tools/sluicectl/roll/report.h"

namespace sluice::ctl::rolling {

// Does what the machine says, until it is over: asks the authority, runs the commands, tells, and
// keeps the journal.
class Driver {
 public:
  // `kept`: what the file says now.
  Driver(const Options& options, Context& context, const Pool& pool, Machine machine,
         JournalFile& file, Journal kept);

  Exit run();

 private:
  void look();
  void perform(const Action& action);
  void drain(std::size_t lane);
  void resume(std::size_t lane);
  base::Result<Got<Acknowledgement>, ApiError> post(std::size_t lane, const char* what,
                                                    const Json& body);
  void start(std::size_t lane);
  void reap();
  void rest();
  void on_signal(Exit signal);
  void on_error(const ApiError& error);
  bool interrupted_or_passing(const ApiError& error);
  void stop(Exit exit, const std::string& why);
  void heard();
  void keep();
  const std::string& server_of(std::size_t lane) const { return machine_.lanes()[lane].server; }

  const Options& options_;
  Context& context_;
  const std::string pool_;
  Machine machine_;
  JournalFile& file_;
  Report report_;
  Children children_;
  base::MonoTime heard_;  // when the authority last answered
  std::string silent_;    // what to show while it does not; empty: it does
  Journal kept_;          // what the state file says
  bool told_ = false;
  bool machine_stopped_ = false;
  bool left_ = false;
};

}  // namespace sluice::ctl::rolling
