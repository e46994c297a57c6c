#include "health/api/unix_listener.h"

#include <cstdio>
#include <filesystem>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/health/api/world.h"

namespace sluice::health::testing {
namespace {

using ::testing::HasSubstr;

TEST_F(ApiTest, MakesTheSocketWithItsModeAndRemovesIt) {
  config_.api.socket.mode = 0620;
  start();
  struct stat status {};
  ASSERT_EQ(stat(config_.api.socket.path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0620U);
  sockets_ = {};
  EXPECT_NE(stat(config_.api.socket.path.c_str(), &status), 0);
}

TEST_F(ApiTest, ReplacesASocketThatNobodyAnswersOn) {
  std::filesystem::create_directory(directory_ + "/run");
  {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    config_.api.socket.path.copy(address.sun_path, sizeof address.sun_path - 1);
    const int stale = socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_EQ(bind(stale, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    close(stale);
  }
  start();
  EXPECT_EQ(Client(config_.api.socket.path).ask(request("GET", "/v1/pools")).status, 200);
}

TEST_F(ApiTest, LeavesASocketAloneThatSomebodyAnswersOn) {
  start();
  config::Api second = config_.api;
  second.listen.clear();
  const auto refused = UnixListener::open(second.socket);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("another process listens there"));
  EXPECT_TRUE(Client(config_.api.socket.path).connected());
}

TEST_F(ApiTest, LeavesAFileAloneThatIsNoSocket) {
  config_.api.socket.path = directory_ + "/file";
  fclose(fopen(config_.api.socket.path.c_str(), "w"));
  const auto refused = UnixListener::open(config_.api.socket);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("is not a socket"));
  EXPECT_TRUE(std::filesystem::exists(config_.api.socket.path));
}

}  // namespace
}  // namespace sluice::health::testing
