#include "health/store/export.h"

#include <fstream>

#include "health/store/store_file.h"
#include "tests/health/store/store_fixture.h"

namespace sluice::health {
namespace {

using namespace testing;
using ::testing::HasSubstr;

class ExportTest : public StoreTest {
 protected:
  static SqliteStore::Copy take(SqliteStore& store) {
    const auto promise = std::make_shared<std::promise<SqliteStore::Copy>>();
    store.export_copy([promise](SqliteStore::Copy copy) { promise->set_value(std::move(copy)); });
    return promise->get_future().get();
  }
  // What the operator does: while no sluiced runs.
  void put_in_place(const std::string& octets) const {
    for (const char* end : {"", "-wal", "-shm"}) fs::remove(database() + end);
    std::ofstream(database(), std::ios::binary) << octets;
  }
};

TEST_F(ExportTest, IsAFileOfWhatIsCommitted) {
  const auto store = open();
  ASSERT_TRUE(commit(*store, {PutHold{full_hold()}}));
  const auto octets = take(*store);
  ASSERT_TRUE(octets) << octets.error();
  const std::string file = parent() + "/export.db";
  std::ofstream(file, std::ios::binary) << *octets;
  const auto read = inspect(file, 0);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->condition, StoreFile::Condition::Whole) << read->why;
  EXPECT_TRUE(read->content.seal.exported);
  EXPECT_THAT(read->content.state.holds, ::testing::ElementsAre(full_hold()));
}

TEST_F(ExportTest, TakesThePlaceOfAStoreThatHasGoneOn) {
  std::string octets;
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {PutHold{full_hold()}, ReserveGenerations{1'024}}));
    octets = *take(*store);
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(
          commit(*store, {PutHold{plain_hold("fe" + std::to_string(i))}, ReserveGenerations{9'216},
                          ReserveSchedules{77}, PutSerialBase{"contoso.example", 5}}));
    }
  }
  put_in_place(octets);
  open().reset();
  EXPECT_THAT(state().holds, ::testing::ElementsAre(full_hold()));
  EXPECT_THAT(notices(), HasSubstr("is an export, age "));
  EXPECT_EQ(state().generation, 9'216U) << "numbers never go back";
  EXPECT_EQ(state().schedule, 77U);
  EXPECT_EQ(state().serial_bases.at("contoso.example"), 5U);

  const std::string before = notices();
  open().reset();
  EXPECT_THAT(state().holds, ::testing::ElementsAre(full_hold()));
  EXPECT_EQ(notices(), before) << "it is the store from now on";
}

TEST_F(ExportTest, StartsAStoreInAnEmptyDirectory) {
  std::string octets;
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {PutHold{full_hold()}}));
    octets = *take(*store);
  }
  fs::remove_all(state_directory());
  fs::create_directory(state_directory());
  put_in_place(octets);
  open().reset();
  EXPECT_THAT(state().holds, ::testing::ElementsAre(full_hold()));
}

TEST_F(ExportTest, SaysWhyThereIsNone) {
  const auto store = open();
  fs::remove(database());
  const auto octets = take(*store);
  ASSERT_FALSE(octets);
  EXPECT_THAT(octets.error(), HasSubstr("unable to open"));
}

TEST_F(ExportTest, EveryoneGetsAReplyWhenTheStoreCloses) {
  int replies = 0;
  {
    const auto store = open();
    for (int i = 0; i < 5; ++i) store->export_copy([&](const SqliteStore::Copy&) { ++replies; });
  }
  EXPECT_EQ(replies, 5);
}

}  // namespace
}  // namespace sluice::health
