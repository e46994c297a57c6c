#include "tools/tls/material.h"

#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/tools/tls/folder.h"

namespace sluice::tls {
namespace {

using std::chrono::days;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class MaterialTest : public testing::Test {
 protected:
  Certified fresh(base::WallTime from = now(), days length = days(365)) const {
    return certified(ca_, *ctl::pki::agent_holder("fe01.example.org"), from, length);
  }
  void put(const Certified& made) {
    files_.certificate = folder_.put("a.pem", made.pem());
    files_.key = folder_.put("a.key", made.key_pem());
  }
  std::string refused() const {
    const auto material = read_material(files_);
    EXPECT_FALSE(material);
    return material ? "" : material.error().message;
  }

  Folder folder_;
  Certified ca_ = authority();
  Files files_;
};

TEST_F(MaterialTest, IsWhatTheFilesHave) {
  const Certified made = fresh();
  put(made);
  files_.ca = folder_.put("ca.pem", ca_.pem());
  const auto material = read_material(files_);
  ASSERT_TRUE(material) << material.error().message;
  EXPECT_EQ(material->certificate, made.pem());
  EXPECT_EQ(material->key, made.key_pem());
  EXPECT_EQ(material->ca, ca_.pem());
  EXPECT_THAT(material->warnings, IsEmpty());
  EXPECT_EQ(material->trouble_at(now()), std::nullopt);
  EXPECT_TRUE(read_material({}));
}

TEST_F(MaterialTest, NamesTheFileThatIsWrong) {
  put(fresh());
  const Files good = files_;
  files_.certificate = folder_.path() + "/none";
  EXPECT_EQ(refused(), "the certificate " + folder_.path() +
                           "/none cannot be read: No such file or directory");
  files_ = good;
  files_.key = folder_.put("other.key", fresh().key_pem());
  EXPECT_EQ(refused(),
            "the key " + files_.key + " does not belong to the certificate " + files_.certificate);
  files_.key = good.certificate;
  EXPECT_THAT(refused(), HasSubstr("the key " + files_.key + " holds no private key"));
  files_ = good;
  files_.certificate = good.key;
  EXPECT_THAT(refused(), HasSubstr("the certificate " + good.key + " holds no certificate"));
  files_ = good;
  files_.ca = good.key;
  EXPECT_THAT(refused(), HasSubstr("the authorities' file " + good.key + " holds no certificate"));
}

TEST_F(MaterialTest, WarnsOfAKeyThatOthersReadAndOfAServersCertificate) {
  put(fresh());
  std::filesystem::permissions(files_.key, std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  EXPECT_THAT(read_material(files_)->warnings,
              ElementsAre(HasSubstr(files_.key + " may be read by everybody")));
  put(certified(ca_, *ctl::pki::server_holder("ns1.example.org", {})));
  EXPECT_THAT(read_material(files_)->warnings, ElementsAre(HasSubstr("is not for clients")));
}

TEST_F(MaterialTest, TellsOfTimeThatIsOverOrSoonWillBe) {
  put(fresh(now(), days(20)));
  const auto material = read_material(files_);
  ASSERT_TRUE(material);
  EXPECT_EQ(material->trouble_at(now()), std::nullopt);
  EXPECT_THAT(material->trouble_at(now() + days(7)).value_or(""), HasSubstr(" expires on "));
  EXPECT_FALSE(material->expired(now() + days(7)));
  EXPECT_THAT(material->trouble_at(now() + days(21)).value_or(""), HasSubstr(" expired on "));
  EXPECT_TRUE(material->expired(now() + days(21)));
  EXPECT_THAT(material->trouble_at(now() - days(1)).value_or(""), HasSubstr("clock right?"));
}

TEST_F(MaterialTest, OfFilesIsReadAgainWhenTheyHaveChanged) {
  put(fresh());
  MaterialFiles files(files_);
  const auto first = files.current();
  ASSERT_TRUE(first) << files.failure();
  EXPECT_EQ(files.current(), first);

  const Certified renewed = fresh();
  folder_.put("a.pem", renewed.pem());
  EXPECT_EQ(files.current(), first) << "half of a renewal is none";
  EXPECT_THAT(files.failure(), HasSubstr("does not belong"));
  folder_.put("a.key", renewed.key_pem());
  const auto second = files.current();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->certificate, renewed.pem());
  EXPECT_EQ(files.failure(), "");

  std::filesystem::remove(files_.certificate);
  EXPECT_EQ(files.current(), second);
  EXPECT_THAT(files.failure(), HasSubstr("No such file"));
}

TEST_F(MaterialTest, ThatNeverWasThereIsNoneUntilItComes) {
  files_ = {folder_.path() + "/a.pem", folder_.path() + "/a.key", ""};
  MaterialFiles files(files_);
  EXPECT_EQ(files.current(), nullptr);
  EXPECT_THAT(files.failure(), HasSubstr("No such file"));
  put(fresh());
  EXPECT_NE(files.current(), nullptr);
  EXPECT_EQ(files.failure(), "");
}

}  // namespace
}  // namespace sluice::tls
