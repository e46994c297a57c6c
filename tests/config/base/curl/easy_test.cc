#include "config/base/curl/easy.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "config/base/file_descriptor.h"

namespace sluice::base {
namespace {

TEST(MakeEasy, FollowsHttpAlone) {
  const CurlEasy easy = make_easy();
  curl_easy_setopt(easy.get(), CURLOPT_URL, "file:///etc/hostname");
  EXPECT_EQ(curl_easy_perform(easy.get()), CURLE_UNSUPPORTED_PROTOCOL);
}

TEST(OpenUninherited, ClosesOnExec) {
  curl_sockaddr address{};
  address.family = AF_INET;
  address.socktype = SOCK_STREAM;
  const FileDescriptor fd(open_uninherited(address));
  ASSERT_GE(fd.get(), 0);
  EXPECT_EQ(fcntl(fd.get(), F_GETFD), FD_CLOEXEC);
}

}  // namespace
}  // namespace sluice::base
