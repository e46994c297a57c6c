#include "tools/sluice-agent/process.h"

#include <array>
#include <csignal>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

#include "tools/sluice-agent/log.h"

namespace sluice::agent {
namespace {

// A pipe from the child and what came out of it.
struct Capture {
  base::UvHandle<uv_pipe_t> pipe;
  std::string text;

  void add(std::string_view octets) { text += octets.substr(0, Process::kMaxOutput - text.size()); }
};

// All that is read goes through one buffer: reads are of one thread and end within the callback.
std::array<char, 4096>& read_buffer() {
  static std::array<char, 4096> buffer;
  return buffer;
}

void start_reading(Capture& capture) {
  capture.pipe->data = &capture;
  uv_read_start(
      reinterpret_cast<uv_stream_t*>(capture.pipe.get()),
      [](uv_handle_t*, std::size_t, uv_buf_t* buffer) {
        *buffer = uv_buf_init(read_buffer().data(), static_cast<unsigned>(read_buffer().size()));
      },
      [](uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
        if (count < 0) {
          uv_read_stop(stream);
        } else {
          static_cast<Capture*>(stream->data)->add({buffer->base, static_cast<std::size_t>(count)});
        }
      });
}

// What the command wrote before it ended may still be in the pipe. The end of the pipe itself is
// not waited for: a child of the command may keep it open for ever.
void read_rest(Capture& capture) {
  uv_os_fd_t fd = -1;
  if (uv_fileno(reinterpret_cast<uv_handle_t*>(capture.pipe.get()), &fd) != 0) return;
  while (capture.text.size() < Process::kMaxOutput) {
    const ssize_t count = read(fd, read_buffer().data(), read_buffer().size());
    if (count <= 0) return;
    capture.add({read_buffer().data(), static_cast<std::size_t>(count)});
  }
}

}  // namespace

// Outlives its Process until the kernel has told of the end, so that no zombie is left.
struct Process::Child {
  Process* owner = nullptr;
  base::UvHandle<uv_process_t> handle;
  Capture output;
  Capture errors;

  int start(uv_loop_t* loop, const config::Command& command);
  void kill_group() const { kill(-handle->pid, SIGKILL); }
  void on_exit(std::int64_t status, int signal);
};

int Process::Child::start(uv_loop_t* loop, const config::Command& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::array<uv_stdio_container_t, 3> stdio{};
  stdio[0].flags = UV_IGNORE;  // /dev/null
  for (std::size_t i = 1; i < stdio.size(); ++i) {
    auto* pipe = new uv_pipe_t;
    uv_pipe_init(loop, pipe, 0);  // cannot fail
    (i == 1 ? output : errors).pipe.reset(pipe);
    stdio.at(i).flags = static_cast<uv_stdio_flags>(UV_CREATE_PIPE | UV_WRITABLE_PIPE);
    stdio.at(i).data.stream = reinterpret_cast<uv_stream_t*>(pipe);
  }
  uv_process_options_t options{};
  options.file = arguments.front();
  options.args = arguments.data();
  options.flags = UV_PROCESS_DETACHED;  // setsid(): its number is its group's
  options.stdio = stdio.data();
  options.stdio_count = static_cast<int>(stdio.size());
  options.exit_cb = [](uv_process_t* process, std::int64_t status, int signal) {
    static_cast<Child*>(process->data)->on_exit(status, signal);
  };
  auto* process = new uv_process_t;
  const int error = uv_spawn(loop, process, &options);  // initialises the handle even if it fails
  handle.reset(process);
  process->data = this;
  if (error == 0) {
    start_reading(output);
    start_reading(errors);
  }
  return error;
}

void Process::Child::on_exit(std::int64_t status, int signal) {
  read_rest(output);
  read_rest(errors);
  ProcessResult result;
  result.end = signal != 0 ? ProcessResult::End::Signalled : ProcessResult::End::Exited;
  result.code = signal != 0 ? signal : static_cast<int>(status);
  result.output = std::move(output.text);
  result.errors = std::move(errors.text);
  Process* const process = owner;
  delete this;
  if (process == nullptr) return;
  process->child_ = nullptr;
  process->finish(std::move(result));
}

Process::Process(uv_loop_t* loop, const config::Command& command, base::Duration limit, Done done)
    : timer_(loop, [this] { time_out(); }), done_(std::move(done)) {
  auto child = std::make_unique<Child>();
  child->owner = this;
  start_error_ = child->start(loop, command);
  if (start_error_ == 0) child_ = child.release();
  timer_.start(start_error_ == 0 ? limit : base::Duration::zero());
}

Process::~Process() {
  if (child_ == nullptr) return;
  child_->owner = nullptr;
  child_->kill_group();
}

void Process::time_out() {
  ProcessResult result;
  if (start_error_ != 0) {
    result.code = start_error_;
  } else {
    // Not reaped yet, or child_ would be null: the number is still its own.
    child_->kill_group();
    result.end = ProcessResult::End::TimedOut;
    result.output = child_->output.text;
    result.errors = child_->errors.text;
  }
  finish(std::move(result));
}

void Process::finish(ProcessResult result) {
  timer_.stop();
  // Said once: the end of a command that its limit killed is no news.
  const Done done = std::exchange(done_, nullptr);
  if (done) done(result);
}

std::string ProcessResult::text() const {
  std::string text;
  switch (end) {
    case End::Exited:
      text = "exit status " + std::to_string(code);
      break;
    case End::Signalled:
      text = "ended by signal " + std::to_string(code);
      break;
    case End::TimedOut:
      text = "killed at its time limit";
      break;
    case End::NotStarted:
      return std::string("cannot be started: ") + uv_strerror(code);
  }
  const std::string said = printable(errors.empty() ? output : errors);
  return said.empty() ? text : text + ": " + said;
}

}  // namespace sluice::agent
