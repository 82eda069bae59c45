// A copy that is held as it is: under load, through a stop, and afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/pack_test_fixture.h"
#include "tests/support/captured_log.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using testing::HasSubstr;
using testing::Not;

class PauseTest : public PackTest {
 protected:
  // Stops the paused secondary, which takes no time and changes nothing.
  void StopUnchanged() {
    const std::string held = secondary_.Data();
    const absl::Duration begin = world_.queue().now();
    secondary_.Stop();
    EXPECT_LT(world_.queue().now() - begin, absl::Seconds(1));
    EXPECT_TRUE(secondary_.Data() == held) << "from " << held.size() << " to " << secondary_.Data().size();
  }
};

TEST_F(PauseTest, AStopDropsTheCommitsThatWereHeld) {
  Begin();
  secondary_.Pause();
  primary_.Write(file_.AddMany(3, 500).bytes());
  world_.RunFor(absl::Seconds(5));
  StopUnchanged();
  EXPECT_TRUE(world_.RunUntil([&] { return primary_.Status().followers_size() == 0; }));
  secondary_.Start();
  RunUntilFollowed();
}

TEST_F(PauseTest, AStopDropsASwapThatWasHeld) {
  Begin();
  secondary_.Pause();
  const FileBuilder packed = Pack(file_);
  primary_.Pack(packed.bytes());
  EXPECT_TRUE(
      world_.RunUntil([&] { return secondary_.disk().Contents("/secondary/Data.fs.zrs-new") == packed.bytes(); }));
  world_.RunFor(absl::Seconds(5));
  StopUnchanged();
  EXPECT_FALSE(secondary_.disk().Exists("/secondary/Data.fs.old"));
  secondary_.Start();
  RunUntilFollowed();
}

TEST_F(PauseTest, AStopWithinATransactionLeavesItsBeginning) {
  Begin();
  const uint64_t before = secondary_.Size();
  primary_.Write(file_.AddMany(1, 8'000'000).bytes());
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Size() > before + 100'000; }));
  secondary_.Pause();
  world_.RunFor(absl::Seconds(5));
  EXPECT_LT(secondary_.Size(), file_.size());
  EXPECT_GT(secondary_.Size(), before);
  StopUnchanged();
  secondary_.Start();
  RunUntilFollowed();
  EXPECT_FALSE(secondary_.disk().Exists("/secondary/Data.fs.tr0"));
}

TEST_F(PauseTest, AStopWhileTheConnectionIsLostWithinATransaction) {
  Begin();
  const uint64_t before = secondary_.Size();
  primary_.Write(file_.AddMany(1, 8'000'000).bytes());
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Size() > before + 100'000; }));
  secondary_.Pause();
  primary_.Stop();
  world_.RunFor(absl::Seconds(5));
  StopUnchanged();
  primary_.Start();
  secondary_.Start();
  RunUntilFollowed();
}

TEST_F(PauseTest, AStopOfAFirstCopyThatWasHeld) {
  primary_.Write(file_.bytes());
  primary_.Start();
  secondary_.Start();
  secondary_.Pause();
  world_.RunFor(absl::Seconds(5));
  StopUnchanged();
  EXPECT_FALSE(secondary_.disk().Exists("/secondary/Data.fs"));
  secondary_.Start();
  RunUntilFollowed();
}

// What was committed meanwhile cannot be applied before it is resumed: the connection is there all the same.
TEST_F(PauseTest, AConnectionThatIsBackIsNoTroubleAnyMore) {
  Begin();
  secondary_.Pause();
  primary_.Stop();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().has_error(); }));
  primary_.Write(file_.AddMany(3, 500).bytes());
  primary_.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().upstream().connected(); }));
  EXPECT_TRUE(world_.RunUntil([&] { return !secondary_.Status().has_error(); }));
  EXPECT_EQ(secondary_.Status().state(), "paused");
  secondary_.Resume();
  RunUntilFollowed();
}

// More is committed than a follower takes in before it has written: so no heartbeat is read either.
TEST_F(PauseTest, UnderLoadNobodyIsBlamedForTheSilence) {
  const tests::CapturedLog log;
  Begin();
  secondary_.Pause();
  for (int i = 0; i < 30; ++i) {
    primary_.Write(file_.AddMany(1, 400'000).bytes());
    world_.RunFor(absl::Seconds(1));
    EXPECT_FALSE(secondary_.Status().has_error()) << secondary_.Status().error().message();
  }
  EXPECT_FALSE(secondary_.serving());
  EXPECT_FALSE(secondary_.Status().has_lag_bytes()) << "the test commits too little";
  secondary_.Resume();
  RunUntilFollowed();
  EXPECT_THAT(log.text(), Not(HasSubstr("nothing is heard")));
}

TEST_F(PauseTest, ASilenceThatGoesOnAfterwardsIsTold) {
  Begin();
  secondary_.Pause();
  primary_.HoldStrand(absl::Seconds(40));
  world_.RunFor(absl::Seconds(15));
  EXPECT_FALSE(secondary_.Status().has_error());
  secondary_.Resume();
  world_.RunFor(absl::Seconds(2));
  EXPECT_FALSE(secondary_.Status().has_error());
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().has_error(); }));
  EXPECT_THAT(secondary_.Status().error().message(), HasSubstr("nothing is heard of the primary"));
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.serving(); }));
}

}  // namespace
}  // namespace zrs::storage
