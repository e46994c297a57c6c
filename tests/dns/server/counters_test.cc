#include "dns/server/counters.h"

#include <gtest/gtest.h>

namespace sluice::dns {
namespace {

TEST(Counters, CountByTransportAndRcode) {
  WorkerCounters worker;
  worker.answered(Transport::Udp, Rcode::NoError);
  worker.answered(Transport::Udp, Rcode::BadVers);
  worker.answered(Transport::Tcp, Rcode::BadVers);
  worker.udp_dropped.add(7);
  const Counters counters = worker.read();
  EXPECT_EQ(counters.by(Transport::Udp, Rcode::NoError), 1U);
  EXPECT_EQ(counters.by(Transport::Udp, Rcode::BadVers), 1U);
  EXPECT_EQ(counters.by(Transport::Tcp, Rcode::BadVers), 1U);
  EXPECT_EQ(counters.by(Transport::Tcp, Rcode::NoError), 0U);
  EXPECT_EQ(counters.udp_dropped, 7U);
}

TEST(Counters, HaveAPlaceForEveryRcode) {
  WorkerCounters worker;
  worker.answered(Transport::Udp, static_cast<Rcode>(4'095));  // the largest there is
  EXPECT_EQ(worker.read().answers[0].back(), 1U);
}

TEST(Counters, AddUpOverWorkers) {
  WorkerCounters one;
  WorkerCounters other;
  one.answered(Transport::Tcp, Rcode::Refused);
  other.answered(Transport::Tcp, Rcode::Refused);
  one.truncated.add(2);
  other.tcp_accepted.add(3);
  Counters total = one.read();
  total += other.read();
  EXPECT_EQ(total.by(Transport::Tcp, Rcode::Refused), 2U);
  EXPECT_EQ(total.truncated, 2U);
  EXPECT_EQ(total.tcp_accepted, 3U);
}

}  // namespace
}  // namespace sluice::dns
