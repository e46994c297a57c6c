#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config/base/clock.h"
#include "tools/sluicectl/api/answers.h"
#include "tools/sluicectl/exit_code.h"
#include "tools/sluicectl/roll/lane.h"
#include "tools/sluicectl/roll/plan.h"

namespace sluice::ctl::rolling {

// What is to be done now. Whoever does it tells how it ended; when nobody can (a connection broke),
// nothing is told, and the next look() finds out or asks again: each of these may be done twice.
struct Action {
  enum class Kind : std::uint8_t { Drain, Run, Resume };
  Kind kind;
  std::size_t lane;
};

// What came to pass, for the report.
struct Step {
  enum class Kind : std::uint8_t {
    Skipped,
    Drained,
    Safe,
    Command,  // begins
    CommandEnded,
    Resumed,
    PutBack,
    Accepting,
    SoakAnew,
    Done,
    Stopped,
  };
  Kind kind;
  std::size_t lane;
};
const char* to_string(Step::Kind kind) noexcept;

// Takes servers through a roll, one group after the other: looks at the pool as the authority shows
// it, and says what to do. Never lifts a hold that it did not place. Pure: no clock, no I/O.
//
// After the first failure it begins with no other server, ends what has come to the command, and
// puts back who has not: what the command broke on one it would break on the next.
class Machine {
 public:
  // `lanes` in the order of their groups; some may be on their way already.
  Machine(Settings settings, const std::vector<Group>& groups, std::vector<Lane> lanes);

  // Judges every server, begins with the next ones where there is room. Not after stop().
  std::vector<Action> look(const Pool& pool, base::Now now);

  void drained(std::size_t lane, base::Now now);
  // By the floor, with others on their way: its turn comes again when one of these is done.
  void refused(std::size_t lane, Exit exit, bool by_floor, const std::string& why);
  void started(std::size_t lane, base::Now now);
  void ran(std::size_t lane, int status, base::Now now);
  void resumed(std::size_t lane, base::Now now);
  void failed(std::size_t lane, Exit exit, const std::string& why);

  // A signal, or no authority: nothing more is begun or asked; commands that run are waited for.
  void stop(Exit exit, const std::string& why);

  bool over() const;
  bool runs_commands() const;
  Exit exit() const { return exit_; }
  const std::string& trouble() const { return trouble_; }  // the first; empty: none
  const std::vector<Lane>& lanes() const { return lanes_; }
  std::vector<Step> take_steps();

 private:
  void judge(std::size_t at, const Pool& pool, base::Now now, std::vector<Action>& actions);
  void judge_draining(std::size_t at, const Server& server, base::Now now,
                      std::vector<Action>& actions);
  void judge_leaving(std::size_t at, const Server& server, base::Now now,
                     std::vector<Action>& actions);
  void judge_resuming(std::size_t at, const Server& server, base::Now now,
                      std::vector<Action>& actions);
  void judge_returning(std::size_t at, const Server& server, base::Now now);
  void begin(const Pool& pool, base::Now now, std::vector<Action>& actions);
  bool has_room(const Lane& lane, const Pool& pool) const;
  std::size_t active() const;
  void enter(Lane& lane, Phase phase, base::Now now);
  bool late(const Lane& lane, base::Now now) const;
  void halt(Exit exit, const std::string& why);
  void say(Step::Kind kind, std::size_t lane) { steps_.push_back({kind, lane}); }

  Settings settings_;
  std::vector<std::size_t> at_once_;  // of each group
  std::vector<Lane> lanes_;
  std::vector<Step> steps_;
  bool halting_ = false;  // something failed
  bool stopped_ = false;  // stop()
  Exit exit_ = Exit::Done;
  std::string trouble_;
};

}  // namespace sluice::ctl::rolling
