#include "tools/sluiced/privileges.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

// What takes root and a whole sluiced is in tests/scenario/privileges_test.py.
namespace sluice {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

config::Config as(const std::string& user) {
  config::Config config;
  config.file = "sluice.yaml";
  config.user = user;
  return config;
}

std::string own_name() {
  const passwd* user = getpwuid(geteuid());
  return user != nullptr ? user->pw_name : std::to_string(geteuid());
}

TEST(Privileges, RemainWhoItIsWhenNobodyIsNamed) {
  const auto privileges = Privileges::of(as(""));
  ASSERT_TRUE(privileges);
  EXPECT_EQ(privileges->name(), own_name());
  EXPECT_FALSE(privileges->changes_user());
  EXPECT_EQ(privileges->stays_root(), geteuid() == 0);
}

TEST(Privileges, RemainWhoItIsWhenThatOneIsNamed) {
  const auto privileges = Privileges::of(as(own_name()));
  ASSERT_TRUE(privileges);
  EXPECT_FALSE(privileges->changes_user());
  EXPECT_FALSE(privileges->stays_root()) << "somebody asked for it";
}

TEST(Privileges, SayThatThereIsNoSuchUser) {
  const auto privileges = Privileges::of(as("nobody-at-all"));
  ASSERT_FALSE(privileges);
  EXPECT_EQ(base::to_string(privileges.error()),
            "sluice.yaml: user: this machine has no user nobody-at-all");
}

class Places : public testing::Test {
 protected:
  Places() {
    std::string name = "/tmp/sluice-places-XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~Places() override { std::filesystem::remove_all(folder_); }

  // What an ordinary user hears; this process, if it is one, else one that becomes "nobody".
  template <class Ask>
  std::string as_ordinary_user(Ask ask) {
    const std::string out = folder_ + "-out";
    const pid_t child = fork();
    if (child == 0) {
      std::ofstream file(out);
      if (geteuid() == 0 && setuid(65'534) != 0) _exit(1);
      file << ask();
      file.close();
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    std::ifstream file(out);
    std::string said((std::istreambuf_iterator<char>(file)), {});
    std::filesystem::remove(out);
    return status == 0 ? said : "failed";
  }

  std::string folder_;
};

TEST_F(Places, OfOurOwnAreUsable) {
  const auto who = Privileges::of(as(""));
  EXPECT_TRUE(may_use_store(folder_, *who));
  EXPECT_TRUE(may_use_store(folder_ + "/to/be/made", *who));
  EXPECT_EQ(stale_socket({folder_ + "/socket", "", 0660}, *who), "");
  EXPECT_EQ(stale_socket({}, *who), "") << "none is configured";
}

TEST_F(Places, OfOthersAreToldWithWhatToDo) {
  const auto who = Privileges::of(as(""));
  const std::string store = "/etc/sluice-test/state";
  EXPECT_EQ(as_ordinary_user([&] { return may_use_store(store, *who).error().message; }),
            "/etc/sluice-test: user " + who->name() + " may not make it; as root: install -d -m " +
                "0750 -o " + who->name() + " " + store);
  EXPECT_THAT(as_ordinary_user([&] { return may_use_store("/etc", *who).error().message; }),
              EndsWith(" may not read and write it; as root: chown -R " + who->name() + " /etc"));
  EXPECT_THAT(as_ordinary_user([&] {
                return stale_socket({"/etc/socket", "", 0660}, *who);
              }),
              HasSubstr("/etc/socket stays there when sluiced ends"));
}

}  // namespace
}  // namespace sluice
