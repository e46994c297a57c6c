#include "tools/sluice-agent/control_socket.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/base/timer.h"
#include "tools/sluice-agent/unix_listener.h"

namespace sluice::agent {
namespace {

std::optional<int> descriptor_of(const uv_pipe_t* pipe) {
  uv_os_fd_t fd = -1;
  if (uv_fileno(reinterpret_cast<const uv_handle_t*>(pipe), &fd) != 0) return {};
  return fd;
}

// The user at the other end, as the kernel knows him; "uid 1234" when he has no name.
std::string peer_name(const uv_pipe_t* pipe) {
  const auto fd = descriptor_of(pipe);
  ucred peer{};
  socklen_t length = sizeof peer;
  if (!fd || getsockopt(*fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return "unknown";
  std::vector<char> buffer(16'384);
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(peer.uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return "uid " + std::to_string(peer.uid);
}

}  // namespace

class ControlSocket::Client {
 public:
  Client(ControlSocket& owner, ClientId id, base::UvHandle<uv_pipe_t> pipe)
      : owner_(owner),
        id_(id),
        pipe_(std::move(pipe)),
        by_(peer_name(pipe_.get())),
        idle_(owner.loop_, [this] { owner_.remove(id_); }) {
    pipe_->data = this;
    idle_.start(kIdle);
    read();
  }

  // Both may destroy the client.
  void answer(const ControlAnswer& answer) {
    waiting_ = false;
    if (send(answer)) serve();
  }

 private:
  void read();
  void on_read(ssize_t count, const char* octets);
  void serve();
  std::optional<std::string> take_line();
  bool send(const ControlAnswer& answer);

  ControlSocket& owner_;
  ClientId id_;
  base::UvHandle<uv_pipe_t> pipe_;
  std::string by_;
  base::Timer idle_;
  std::string input_;
  std::array<char, 4096> buffer_{};
  bool waiting_ = false;  // for the handler's answer
  bool ended_ = false;    // the peer sends no more
};

void ControlSocket::Client::read() {
  uv_read_start(
      reinterpret_cast<uv_stream_t*>(pipe_.get()),
      [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        auto& mine = static_cast<Client*>(handle->data)->buffer_;
        *buffer = uv_buf_init(mine.data(), static_cast<unsigned>(mine.size()));
      },
      [](uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
        static_cast<Client*>(stream->data)->on_read(count, buffer->base);
      });
}

void ControlSocket::Client::on_read(ssize_t count, const char* octets) {
  if (count < 0) {
    ended_ = true;
    if (!input_.empty()) input_ += '\n';  // the last line may lack its end
    uv_read_stop(reinterpret_cast<uv_stream_t*>(pipe_.get()));
  } else {
    input_.append(octets, static_cast<std::size_t>(count));
    idle_.start(kIdle);
  }
  if (!waiting_) serve();
}

std::optional<std::string> ControlSocket::Client::take_line() {
  const auto end = input_.find('\n');
  if (end == std::string::npos) return {};
  std::string line = input_.substr(0, end);
  input_.erase(0, end + 1);
  return line;
}

// One request after the other; while one waits for its answer nothing is read.
void ControlSocket::Client::serve() {
  while (true) {
    const auto line = take_line();
    if (line ? line->size() >= kMaxLine : input_.size() >= kMaxLine) {
      if (send({ExitCode::Usage, "the line is too long", {}})) owner_.remove(id_);
      return;
    }
    if (!line) break;
    const auto request = parse_request(*line);
    if (!request) {
      if (!send({ExitCode::Usage, request.error().message, {}})) return;
      continue;
    }
    waiting_ = true;
    uv_read_stop(reinterpret_cast<uv_stream_t*>(pipe_.get()));
    idle_.stop();
    // The answer may come within this call and the client go with it: nothing of it is used after.
    owner_.handler_(*request, by_, [owner = &owner_, id = id_](const ControlAnswer& answer) {
      const auto client = owner->clients_.find(id);
      if (client != owner->clients_.end()) client->second->answer(answer);
    });
    return;
  }
  if (ended_) {
    owner_.remove(id_);
    return;
  }
  idle_.start(kIdle);
  read();
}

// An answer fits in the socket's buffer (some 200 kB); a client that lets it fill up is cut, and so
// no answer waits in our memory. False: the client is gone.
bool ControlSocket::Client::send(const ControlAnswer& answer) {
  const std::string line = render(answer);
  const auto fd = descriptor_of(pipe_.get());
  const ssize_t count =
      fd ? ::send(*fd, line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT) : -1;
  if (count == static_cast<ssize_t>(line.size())) return true;
  owner_.remove(id_);
  return false;
}

ControlSocket::ControlSocket(uv_loop_t* loop, std::string path, Handler handler)
    : loop_(loop), path_(std::move(path)), handler_(std::move(handler)) {
  auto* listener = new uv_pipe_t;
  uv_pipe_init(loop, listener, 0);  // cannot fail
  listener->data = this;
  listener_.reset(listener);
}

ControlSocket::~ControlSocket() {
  unlink(path_.c_str());
}

base::Checked<std::unique_ptr<ControlSocket>> ControlSocket::listen(uv_loop_t* loop,
                                                                    const config::UnixSocket& where,
                                                                    Handler handler) {
  const auto fd = bind_unix_socket(where);
  if (!fd) return base::Unexpected{fd.error()};
  std::unique_ptr<ControlSocket> made(new ControlSocket(loop, where.path, std::move(handler)));
  if (const int error = made->open(*fd); error != 0) {
    return base::failure(where.path + ": " + uv_strerror(error));
  }
  return made;
}

int ControlSocket::open(int fd) {
  if (const int error = uv_pipe_open(listener_.get(), fd); error != 0) {
    close(fd);
    return error;
  }
  return uv_listen(reinterpret_cast<uv_stream_t*>(listener_.get()), kMaxClients,
                   [](uv_stream_t* listener, int status) {
                     if (status == 0) static_cast<ControlSocket*>(listener->data)->accept();
                   });
}

void ControlSocket::accept() {
  auto* pipe = new uv_pipe_t;
  uv_pipe_init(loop_, pipe, 0);
  base::UvHandle<uv_pipe_t> owned(pipe);
  const int error = uv_accept(reinterpret_cast<uv_stream_t*>(listener_.get()),
                              reinterpret_cast<uv_stream_t*>(pipe));
  if (error != 0 || clients_.size() >= kMaxClients) return;
  const ClientId id = next_id_++;
  clients_.emplace(id, std::make_unique<Client>(*this, id, std::move(owned)));
}

void ControlSocket::remove(ClientId id) {
  clients_.erase(id);
}

}  // namespace sluice::agent
