#include "tools/sluice-agent/checks/sip_udp_probe.h"

#include <algorithm>
#include <utility>

namespace sluice::agent {
namespace {

constexpr base::Duration kT1 = std::chrono::milliseconds(500);
constexpr base::Duration kT2 = std::chrono::seconds(4);
constexpr std::size_t kLargestDatagram = 65'535;

}  // namespace

SipUdpProbe::SipUdpProbe(uv_loop_t* loop, const config::SipCheck& check,
                         const std::optional<base::SocketAddress>& from, base::Duration limit,
                         Done done)
    : Probe(std::move(done)),
      question_(check),
      wait_(kT1),
      again_(loop, [this] { send(); }),
      limit_(loop, [this] { finish(no_answer_); }),
      no_answer_("no answer in time") {
  if (const int status = open(loop, check.target, from); status != 0) {
    no_answer_ = uv_strerror(status);
    limit = base::Duration::zero();
  } else {
    send();
  }
  limit_.start(limit);
}

int SipUdpProbe::open(uv_loop_t* loop, const base::SocketAddress& target,
                      const std::optional<base::SocketAddress>& from) {
  auto* socket = new uv_udp_t;
  const int made = uv_udp_init(loop, socket);
  socket_.reset(socket);
  if (made != 0) return made;
  socket->data = this;
  sockaddr_storage storage{};
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  if (from) {
    from->to(storage);
    static_cast<void>(uv_udp_bind(socket, address, 0));  // somebody else's now: any other will do
  }
  target.to(storage);
  // Connected, so that the kernel tells us when nobody listens there.
  if (const int status = uv_udp_connect(socket, address); status != 0) return status;
  int length = sizeof storage;
  if (const int status = uv_udp_getsockname(socket, address, &length); status != 0) return status;
  local_ = base::SocketAddress::from(address);
  request_ = question_.request(*local_);
  return uv_udp_recv_start(
      socket,
      [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        std::string& room = static_cast<SipUdpProbe*>(handle->data)->buffer_;
        room.resize(kLargestDatagram);
        *buffer = uv_buf_init(room.data(), static_cast<unsigned>(room.size()));
      },
      [](uv_udp_t* handle, ssize_t count, const uv_buf_t* buffer, const sockaddr*, unsigned) {
        SipUdpProbe& probe = *static_cast<SipUdpProbe*>(handle->data);
        if (count < 0) return probe.finish(uv_strerror(static_cast<int>(count)));
        probe.on_datagram({buffer->base, static_cast<std::size_t>(count)});
      });
}

void SipUdpProbe::send() {
  const uv_buf_t octets = uv_buf_init(request_.data(), static_cast<unsigned>(request_.size()));
  const int status = uv_udp_try_send(socket_.get(), &octets, 1, nullptr);
  // Said by the kernel of the datagram before: nobody listens. From the loop, as all else.
  if (status < 0 && status != UV_EAGAIN) {
    no_answer_ = uv_strerror(status);
    limit_.start(base::Duration::zero());
    return;
  }
  again_.start(wait_);
  wait_ = std::min(2 * wait_, kT2);
}

void SipUdpProbe::on_datagram(std::string_view octets) {
  if (const auto verdict = question_.judge(octets)) finish(*verdict);
}

void SipUdpProbe::finish(std::string failure) {
  limit_.stop();
  again_.stop();
  socket_.reset();
  tell(std::move(failure));
}

}  // namespace sluice::agent
