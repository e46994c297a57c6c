#include "tools/sluiced/successor.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/pointers.h"
#include "tools/sluiced/predecessor.h"

namespace sluice {
namespace {

// Where the new process finds its end of the channel.
constexpr int kChannel = 3;
// It reads at once, or hangs.
constexpr base::Duration kAnswersWithin = std::chrono::seconds(5);

// This process's own, but for what is about this process.
std::vector<std::string> environment_of_successor() {
  constexpr std::array<std::string_view, 2> kOwn{"WATCHDOG_PID=", kHandoverVariable};
  std::vector<std::string> environment;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view line = *each;
    if (!line.starts_with(kOwn[0]) && !line.starts_with(kOwn[1])) environment.emplace_back(line);
  }
  environment.push_back(std::string(kHandoverVariable) + '=' + std::to_string(kChannel));
  return environment;
}

}  // namespace

Successor::Successor(uv_loop_t* loop, HandoverChannel channel, Calls calls)
    : loop_(loop), channel_(std::move(channel)), calls_(std::move(calls)) {}

Successor::~Successor() = default;

base::Checked<std::unique_ptr<Successor>> Successor::start(uv_loop_t* loop,
                                                           const OwnProgram& program, Calls calls) {
  auto ends = HandoverChannel::make();
  if (!ends) return base::Unexpected{std::move(ends).error()};
  std::unique_ptr<Successor> self(new Successor(loop, std::move(ends->first), std::move(calls)));
  std::vector<std::string> environment = environment_of_successor();
  std::vector<std::string> arguments = program.arguments;
  std::vector<char*> environment_pointers = pointers(environment);
  std::vector<char*> argument_pointers = pointers(arguments);
  std::array<uv_stdio_container_t, kChannel + 1> stdio{};
  for (int fd = 0; fd < kChannel; ++fd) {
    const bool is_open = ::fcntl(fd, F_GETFD) >= 0;
    stdio[static_cast<std::size_t>(fd)].flags = is_open ? UV_INHERIT_FD : UV_IGNORE;
    stdio[static_cast<std::size_t>(fd)].data.fd = fd;
  }
  stdio.back().flags = UV_INHERIT_FD;
  stdio.back().data.fd = ends->second.get();
  uv_process_options_t options{};
  options.file = program.path.c_str();
  options.args = argument_pointers.data();
  options.env = environment_pointers.data();
  options.stdio = stdio.data();
  options.stdio_count = stdio.size();
  options.exit_cb = [](uv_process_t* process, std::int64_t status, int signal) {
    static_cast<Successor*>(process->data)->on_exit(status, signal);
  };
  self->process_.reset(new uv_process_t{});
  self->process_->data = self.get();
  if (const int error = uv_spawn(loop, self->process_.get(), &options); error != 0) {
    return base::failure(program.path + ": " + uv_strerror(error));
  }
  self->listen();
  return self;
}

int Successor::pid() const noexcept {
  return pid_ != 0 ? pid_ : process_->pid;
}

void Successor::listen() {
  auto* timer = new uv_timer_t;
  uv_timer_init(loop_, timer);  // can't fail
  timer->data = this;
  patience_.reset(timer);
  auto* poll = new uv_poll_t;
  if (uv_poll_init(loop_, poll, channel_.fd()) != 0) {
    delete poll;
    return kill("its channel can't be polled");
  }
  poll->data = this;
  poll_.reset(poll);
  uv_poll_start(poll, UV_READABLE | UV_DISCONNECT,
                [](uv_poll_t* handle, int, int) { static_cast<Successor*>(handle->data)->hear(); });
}

void Successor::hear() {
  while (poll_) {
    auto message = channel_.receive({});
    if (message) {
      calls_.said(*std::move(message));
      continue;
    }
    if (message.error() == HandoverChannel::Silence::NotYet) return;
    if (message.error() == HandoverChannel::Silence::Ended) return lose_channel();
    poll_.reset();
    return kill("it is not understood");
  }
}

// Its end is its exit's to tell; one that only closed the channel is of no more use.
void Successor::lose_channel() {
  poll_.reset();
  expect(kAnswersWithin, "end after it closed the channel");
}

bool Successor::tell(const std::vector<handover::Letter>& letters) {
  for (const handover::Letter& letter : letters) {
    auto sent = channel_.send(letter.body, letter.descriptors, kAnswersWithin);
    if (sent) continue;
    // Perhaps it has ended, and said why before.
    hear();
    poll_ ? kill(std::move(sent).error().message) : lose_channel();
    return false;
  }
  return true;
}

void Successor::give_up(std::string why) {
  if (said_.empty()) said_ = std::move(why);
  expect(kAnswersWithin, "end");
}

void Successor::expect(base::Duration patience, std::string doing) {
  doing_ = std::move(doing);
  uv_update_time(loop_);
  uv_timer_start(
      patience_.get(),
      [](uv_timer_t* timer) {
        auto& self = *static_cast<Successor*>(timer->data);
        // It may be we who were late (stopped, starved): what it has said by now counts, and may be
        // its last word.
        self.hear();
        if (!self.patience_ || uv_is_active(reinterpret_cast<uv_handle_t*>(timer)) != 0) return;
        self.kill("it did not " + self.doing_ + " in time");
      },
      static_cast<std::uint64_t>(patience.count()), 0);
}

void Successor::kill(std::string why) {
  if (ended_for_.empty()) ended_for_ = std::move(why);
  if (exited_) return;
  // Its attendant ends after it. As long as it is not known the attendant's end is its own.
  ::kill(pid(), SIGKILL);
  if (pid() != process_->pid) ::kill(process_->pid, SIGCONT);  // to tell of it, if it was stopped
}

void Successor::on_exit(std::int64_t status, int signal) {
  exited_ = true;
  if (!patience_) return;  // released: it is on its own
  uv_timer_stop(patience_.get());
  hear();
  poll_.reset();
  calls_.ended(why_it_ended(status, signal));
}

std::string Successor::why_it_ended(std::int64_t status, int signal) const {
  if (!ended_for_.empty()) return ended_for_ + (said_.empty() ? "" : " (" + said_ + ")");
  std::string text = signal != 0 ? "it was ended by signal " + std::to_string(signal)
                                 : "it exited with status " + std::to_string(status);
  // Both have one standard error.
  return text + (said_.empty() ? "; what it wrote, if anything, is in the log" : ": " + said_);
}

void Successor::stand_alone() {
  if (pid() == process_->pid) return;
  ::kill(process_->pid, SIGKILL);
  // It is given away before the attendant can be waited for. Reaped by the loop.
  siginfo_t information{};
  while (waitid(P_PID, static_cast<id_t>(process_->pid), &information, WEXITED | WNOWAIT) != 0 &&
         errno == EINTR) {
  }
}

void Successor::release() {
  poll_.reset();
  patience_.reset();
  channel_ = HandoverChannel(base::FileDescriptor());
}

}  // namespace sluice
