#include "tools/sluiced/open_files.h"

#include <algorithm>

#include "gtest/gtest.h"
#include <sys/resource.h>

namespace sluice {
namespace {

TEST(OpenFiles, TheSoftLimitIsRaisedToTheHardOne) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit lowered{std::min<rlim_t>(256, before.rlim_max), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &lowered), 0);
  EXPECT_EQ(raise_open_files(), before.rlim_max);
  rlimit after{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST(ApiLimits, HaveRoomForTenThousandAgentsWhereFilesAreOrdinary) {
  // 20,000 and two workers; systemd's hard limit and 64 of them.
  EXPECT_GE(api_limits(20'000, 2 * 1'024).connections, 10'100U);
  EXPECT_GE(api_limits(524'288, 64 * 1'024).connections, 20'000U);
}

TEST(ApiLimits, LeaveWhatDnsClientsAndTheStoreNeed) {
  for (const std::size_t files : {1'024U, 4'096U, 20'000U, 65'536U}) {
    const std::size_t dns = files / 2;
    const health::HttpLimits limits = api_limits(files, dns);
    EXPECT_LE(limits.connections + limits.local_connections, files - dns - files / 16) << files;
  }
}

TEST(ApiLimits, LeaveTheLocalAdministratorAPlaceWhereFilesAreFew) {
  for (const std::size_t files : {0U, 8U, 64U, 256U, 1'024U}) {
    // More DNS clients than there are files: the operator said so.
    const health::HttpLimits limits = api_limits(files, 1'000'000);
    EXPECT_GE(limits.connections, 1U) << files;
    EXPECT_GE(limits.local_connections, 1U) << files;
    EXPECT_LE(limits.connections + limits.local_connections, std::max<std::size_t>(files / 4, 2));
  }
}

}  // namespace
}  // namespace sluice
