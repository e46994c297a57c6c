#include "tools/sluice-agent/sessions/netlink.h"

#include <cerrno>

#include <gtest/gtest.h>
#include <linux/netlink.h>

namespace sluice::agent {
namespace {

using Octets = std::vector<std::uint8_t>;

Octets octets(std::span<const std::uint8_t> span) {
  return {span.begin(), span.end()};
}

TEST(Netlink, ReadsWhatARequestWrote) {
  NetlinkRequest request(77, NLM_F_REQUEST);
  request.header(std::uint32_t{0x01020304});
  request.attribute(5, Octets{1, 2, 3});
  const std::size_t nest = request.begin_nest(6);
  request.number(7, std::uint16_t{258});
  request.end_nest(nest);

  auto left = request.octets();
  EXPECT_EQ(left.size() % 4, 0U);
  const auto message = next_message(left);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->type, 77);
  EXPECT_EQ(message->flags, NLM_F_REQUEST);
  EXPECT_EQ(message->start<std::uint32_t>(), 0x01020304U);
  EXPECT_FALSE(next_message(left));

  auto attributes = message->body.subspan(4);
  const auto first = next_attribute(attributes);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->type, 5);
  EXPECT_EQ(octets(first->body), (Octets{1, 2, 3}));
  EXPECT_FALSE(first->start<std::uint32_t>()) << "three octets are no number of four";
  const auto second = next_attribute(attributes);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->type, 6) << "without the mark of a nest";
  auto inner = second->body;
  EXPECT_EQ(next_attribute(inner)->start<std::uint16_t>(), 258);
  EXPECT_FALSE(next_attribute(attributes));
}

TEST(Netlink, EndsWhereAPartDoesNotFit) {
  NetlinkRequest request(1, 0);
  request.attribute(5, Octets{1, 2, 3, 4});
  const Octets whole = octets(request.octets());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    auto left = std::span<const std::uint8_t>(whole).first(size);
    EXPECT_FALSE(next_message(left)) << size;
    auto attributes = std::span<const std::uint8_t>(whole)
                          .subspan(sizeof(nlmsghdr))
                          .first(size > sizeof(nlmsghdr) ? size - sizeof(nlmsghdr) : 0);
    EXPECT_FALSE(next_attribute(attributes)) << size;
  }
  Octets lies = whole;
  lies[0] = 3;  // a length below that of the header
  auto left = std::span<const std::uint8_t>(lies);
  EXPECT_FALSE(next_message(left));
}

TEST(Netlink, TellsTheEndOfAnAnswerAndItsError) {
  const auto end = [](std::uint16_t type, std::int32_t error) {
    return end_of_answer({type, 0, {reinterpret_cast<const std::uint8_t*>(&error), sizeof error}});
  };
  EXPECT_EQ(end(NLMSG_DONE, 0), 0);
  EXPECT_EQ(end(NLMSG_ERROR, -EPERM), EPERM);
  EXPECT_FALSE(end(20, 0));
  EXPECT_EQ(end_of_answer({NLMSG_DONE, 0, {}}), 0);
}

}  // namespace
}  // namespace sluice::agent
