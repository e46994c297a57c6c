#include "tools/sluice-agent/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/sluice-agent/folder.h"

namespace sluice::agent {
namespace {

using testing::HasSubstr;

TEST(Credentials, ReadATokenOnceUntilItIsForgotten) {
  const TestFolder folder;
  const base::SystemClock clock;
  Credentials credentials(folder.write("token", "one\n"), {}, clock);
  EXPECT_EQ(credentials.current()->token, "one");
  folder.write("token", "two\n");
  EXPECT_EQ(credentials.current()->token, "one");
  credentials.forget_token();
  EXPECT_EQ(credentials.current()->token, "two");
  EXPECT_EQ(credentials.trouble(), std::nullopt);
  EXPECT_EQ(credentials.expires(), std::nullopt);
}

TEST(Credentials, SayWhatCannotBeReadAndComeWhenItCan) {
  const TestFolder folder;
  const base::SystemClock clock;
  Credentials tokens(folder.file("token"), {}, clock);
  EXPECT_THAT(tokens.current().error().message, HasSubstr("the token cannot be read"));
  folder.write("token", "one\n");
  EXPECT_TRUE(tokens.current());

  Credentials certificates("", {folder.file("a.pem"), folder.file("a.key"), ""}, clock);
  const auto shown = certificates.current();
  ASSERT_FALSE(shown);
  EXPECT_THAT(shown.error().message, HasSubstr("a.pem cannot be read: No such file"));
  EXPECT_EQ(certificates.trouble(), shown.error().message);
}

TEST(Credentials, MayBeNone) {
  const base::SystemClock clock;
  Credentials credentials("", {}, clock);
  const auto shown = credentials.current();
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->token, "");
  ASSERT_TRUE(shown->material);
  EXPECT_EQ(shown->material->ca, "");
}

}  // namespace
}  // namespace sluice::agent
