#include "tools/sluice-agent/checks/sip_tcp_probe.h"

#include <utility>

namespace sluice::agent {
namespace {

// An answer to OPTIONS has a head and perhaps a session description, a few kilobytes.
constexpr std::size_t kMaxReceived = 65'536;
constexpr std::size_t kChunk = 4096;

struct Write {
  uv_write_t request{};
  std::string octets;
};

}  // namespace

SipTcpProbe::SipTcpProbe(uv_loop_t* loop, const config::SipCheck& check, base::Duration limit,
                         Done done)
    : Probe(std::move(done)), question_(check), limit_(loop, [this] {
        const bool open = opening_ && uv_is_writable(opening_->stream()) != 0;
        finish(open ? "no answer in time" : "no connection in time");
      }) {
  limit_.start(limit);
  opening_.emplace(loop, check.target, [this](const std::string& failure) {
    if (failure.empty()) {
      on_open();
    } else {
      finish(failure);
    }
  });
}

std::optional<base::SocketAddress> SipTcpProbe::local() const {
  return opening_ ? opening_->local() : std::nullopt;
}

void SipTcpProbe::on_open() {
  if (!opening_->local()) return finish("the connection has no address");
  auto write = std::make_unique<Write>();
  write->octets = question_.request(*opening_->local());
  write->request.data = write.get();
  const uv_buf_t octets =
      uv_buf_init(write->octets.data(), static_cast<unsigned>(write->octets.size()));
  const int status =
      uv_write(&write->request, opening_->stream(), &octets, 1,
               [](uv_write_t* done, int) { delete static_cast<Write*>(done->data); });
  // What fails later is seen by the reader.
  if (status != 0) return finish(uv_strerror(status));
  static_cast<void>(write.release());
  read();
}

void SipTcpProbe::read() {
  uv_stream_t* const stream = opening_->stream();
  stream->data = this;
  const int status = uv_read_start(
      stream,
      [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        std::string& room = static_cast<SipTcpProbe*>(handle->data)->chunk_;
        room.resize(kChunk);
        *buffer = uv_buf_init(room.data(), static_cast<unsigned>(room.size()));
      },
      [](uv_stream_t* from, ssize_t count, const uv_buf_t* buffer) {
        SipTcpProbe& probe = *static_cast<SipTcpProbe*>(from->data);
        if (count == UV_EOF) return probe.finish("closed without an answer");
        if (count < 0) return probe.finish(uv_strerror(static_cast<int>(count)));
        probe.received_.append(buffer->base, static_cast<std::size_t>(count));
        probe.on_octets();
      });
  if (status != 0) finish(uv_strerror(status));
}

void SipTcpProbe::on_octets() {
  while (const auto size = sip_message_size(received_)) {
    if (const auto verdict = question_.judge(std::string_view(received_).substr(0, *size))) {
      return finish(*verdict);
    }
    received_.erase(0, *size);  // provisional, or a request of the other side's
  }
  if (received_.size() > kMaxReceived) finish("an answer without end");
}

void SipTcpProbe::finish(std::string failure) {
  limit_.stop();
  opening_.reset();
  tell(std::move(failure));
}

}  // namespace sluice::agent
