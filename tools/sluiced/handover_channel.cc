#include "tools/sluiced/handover_channel.h"

#include <array>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <system_error>

#include <poll.h>
#include <sys/socket.h>

namespace sluice {
namespace {

using Clock = std::chrono::steady_clock;

base::Unexpected<base::Error> failure(const char* what) {
  return base::failure(std::string(what) + ": " + std::generic_category().message(errno));
}

// Until there is something to do, or the time is over; true: try again.
bool wait(int fd, short events, Clock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  if (left <= 0) return false;
  pollfd one{fd, events, 0};
  const int ready = ::poll(&one, 1, static_cast<int>(left));
  return ready > 0 || (ready < 0 && errno == EINTR);
}

bool would_block(int error) noexcept {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

using Control = std::array<char, CMSG_SPACE(sizeof(int) * HandoverChannel::kMostDescriptors)>;

// Ends where lists are deeper in each other than in any message: who reads them calls itself for
// each, and the stack is not endless.
class Depth final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool start_object(std::size_t) override { return ++depth_ <= kMost; }
  bool start_array(std::size_t) override { return ++depth_ <= kMost; }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool key(string_t&) override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

 private:
  static constexpr int kMost = 16;

  bool leave() {
    --depth_;
    return true;
  }

  int depth_ = 0;
};

std::vector<base::FileDescriptor> take_descriptors(msghdr& header) {
  std::vector<base::FileDescriptor> descriptors;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      descriptors.emplace_back(fd);
    }
  }
  return descriptors;
}

}  // namespace

std::string_view HandoverMessage::type() const noexcept {
  if (!body.is_object()) return {};
  const auto found = body.find("type");
  if (found == body.end() || !found->is_string()) return {};
  return found->get_ref<const std::string&>();
}

nlohmann::json HandoverMessage::read(std::span<const std::uint8_t> octets) {
  using nlohmann::json;
  Depth depth;
  if (!json::sax_parse(octets, &depth, json::input_format_t::cbor)) {
    return json(json::value_t::discarded);
  }
  return json::from_cbor(octets, true, false);
}

base::Checked<std::pair<HandoverChannel, base::FileDescriptor>> HandoverChannel::make() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    return failure("a pair of sockets");
  }
  return std::pair{HandoverChannel(base::FileDescriptor(ends[0])), base::FileDescriptor(ends[1])};
}

base::Checked<base::Done> HandoverChannel::send(const nlohmann::json& body,
                                                const std::vector<int>& descriptors,
                                                base::Duration patience) {
  assert(descriptors.size() <= kMostDescriptors);
  std::vector<std::uint8_t> octets = nlohmann::json::to_cbor(body);
  iovec part{octets.data(), octets.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) Control control{};
  if (!descriptors.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
    std::memcpy(CMSG_DATA(rights), descriptors.data(), sizeof(int) * descriptors.size());
  }
  const auto until = Clock::now() + patience;
  while (::sendmsg(fd_.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (!would_block(errno)) return failure("the other process");
    if (!wait(fd_.get(), POLLOUT, until)) return base::failure("the other process does not listen");
  }
  return base::Done{};
}

base::Result<HandoverMessage, HandoverChannel::Silence> HandoverChannel::receive(
    base::Duration patience) {
  std::vector<std::uint8_t> octets(kMostOctets);
  alignas(cmsghdr) Control control{};
  const auto until = Clock::now() + patience;
  while (true) {
    iovec part{octets.data(), octets.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(fd_.get(), &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (size < 0) {
      if (errno == ECONNRESET) return base::Unexpected{Silence::Ended};
      if (!would_block(errno)) return base::Unexpected{Silence::Broken};
      if (!wait(fd_.get(), POLLIN, until)) return base::Unexpected{Silence::NotYet};
      continue;
    }
    HandoverMessage message{{}, take_descriptors(header)};
    if (size == 0) return base::Unexpected{Silence::Ended};
    if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
      return base::Unexpected{Silence::Broken};
    }
    octets.resize(static_cast<std::size_t>(size));
    message.body = HandoverMessage::read(octets);
    if (message.body.is_discarded()) return base::Unexpected{Silence::Broken};
    return message;
  }
}

}  // namespace sluice
