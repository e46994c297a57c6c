#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <uv.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/uv_handle.h"
#include "tools/sluiced/handover.h"
#include "tools/sluiced/handover_channel.h"
#include "tools/sluiced/own_program.h"

namespace sluice {

// The process that is to take this one's place, as this one sees it: started, spoken with, and
// ended when it does not do what it should in time. On the control thread.
class Successor {
 public:
  struct Calls {
    // It said something.
    std::function<void(HandoverMessage)> said;
    // It is dead: nothing of it opens a file or sends an answer any more. `why`: a sentence, with
    // its exit status unless it was ended here. Called once, and last; what it had said before
    // came to said() first.
    std::function<void(const std::string& why)> ended;
  };

  static base::Checked<std::unique_ptr<Successor>> start(uv_loop_t* loop, const OwnProgram& program,
                                                         Calls calls);
  ~Successor();
  Successor(const Successor&) = delete;
  Successor& operator=(const Successor&) = delete;

  // Its own, once it has said so; before that its attendant's (attendant.h).
  int pid() const noexcept;
  void is(int pid) noexcept { pid_ = pid; }

  // False: it did not take it; ended() follows.
  bool tell(const std::vector<handover::Letter>& letters);
  // Ends it if it says nothing within that time; `doing`: what it was to do, for the sentence.
  void expect(base::Duration patience, std::string doing);
  // Ends it; ended() follows.
  void kill(std::string why);
  // It said that it will end, and why, in a line.
  void give_up(std::string why);
  // It was not ended here, and has not ended.
  bool lives() const noexcept { return ended_for_.empty() && said_.empty() && !exited_; }
  // It is who this process is, to whoever started this one: his child, without an attendant.
  void stand_alone();
  // Closes the channel and forgets it: it lives on, alone.
  void release();

 private:
  Successor(uv_loop_t* loop, HandoverChannel channel, Calls calls);

  void listen();
  void hear();
  void lose_channel();
  void on_exit(std::int64_t status, int signal);
  std::string why_it_ended(std::int64_t status, int signal) const;

  uv_loop_t* loop_;
  HandoverChannel channel_;
  Calls calls_;
  std::string ended_for_;  // why it was ended here; empty: it was not
  std::string said_;       // why it gives up, in its own words
  std::string doing_;
  bool exited_ = false;
  int pid_ = 0;  // 0: not said
  base::UvHandle<uv_process_t> process_;
  base::UvHandle<uv_timer_t> patience_;
  base::UvHandle<uv_poll_t> poll_;  // after the channel: closed before it
};

}  // namespace sluice
