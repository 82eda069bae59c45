// Commits that come often are expected: the next one is announced before it is known, and taken back when none comes.
#include <gtest/gtest.h>

#include "filestorage/format.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/storage_test_fixture.h"

namespace zrs::storage {
namespace {

class FrequentCommitsTest : public PairTest {
 protected:
  FrequentCommitsTest() {
    Begin();
    world_.RunFor(absl::Seconds(1));
  }

  void CommitEach(absl::Duration interval, int times) {
    for (int i = 0; i < times; ++i) {
      primary_.Write(file_.AddMany(1, 500).bytes());
      world_.RunFor(interval);
    }
  }
  // What the secondary's file has behind the primary's.
  uint64_t behind() const { return secondary_.Data().size() - primary_.Data().size(); }
};

TEST_F(FrequentCommitsTest, TheNextOneIsExpectedUntilItIsQuiet) {
  bool expected = false;
  for (int i = 0; i < 20; ++i) {
    CommitEach(absl::Milliseconds(20), 1);
    expected = expected || behind() == filestorage::kTransactionHeaderSize;
  }
  EXPECT_TRUE(expected);
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Data() == primary_.Data(); }));
  CommitEach(absl::Milliseconds(20), 20);
  world_.RunFor(absl::Milliseconds(500));
  EXPECT_EQ(behind(), 0u);
}

TEST_F(FrequentCommitsTest, ASingleOneIsFollowedByNothing) {
  for (int i = 0; i < 5; ++i) {
    CommitEach(absl::Milliseconds(60), 1);
    EXPECT_EQ(secondary_.Data(), primary_.Data());
  }
}

// A group that overwrites takes a shorter sync than one that makes the file longer.
TEST_F(FrequentCommitsTest, ManyInARowFindRoomThatIsTakenBackWhenItIsQuiet) {
  CommitEach(absl::Milliseconds(20), 5);
  EXPECT_LE(behind(), filestorage::kTransactionHeaderSize);
  CommitEach(absl::Milliseconds(20), 15);
  EXPECT_GT(behind(), 50'000u);
  int overwrote = 0;  // all but those behind which the next one begins in two sectors
  for (int i = 0; i < 10; ++i) {
    const size_t size = secondary_.Data().size();
    CommitEach(absl::Milliseconds(20), 1);
    overwrote += secondary_.Data().size() == size ? 1 : 0;
  }
  EXPECT_GE(overwrote, 6);
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Data() == primary_.Data(); }));
}

TEST_F(FrequentCommitsTest, LargeOnesFindNoRoom) {
  for (int i = 0; i < 20; ++i) {
    primary_.Write(file_.AddMany(1, 100'000).bytes());
    world_.RunFor(absl::Milliseconds(20));
    EXPECT_LE(behind(), filestorage::kTransactionHeaderSize);
  }
}

TEST_F(FrequentCommitsTest, AStopLeavesNothingBehind) {
  CommitEach(absl::Milliseconds(20), 20);
  secondary_.Stop();
  EXPECT_EQ(secondary_.Data(), primary_.Data());
}

}  // namespace
}  // namespace zrs::storage
