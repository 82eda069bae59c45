// A secondary of a secondary that was down while the primary was packed more than once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/pack_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kState[] = "/state/secondary.state";
constexpr char kOld[] = "/secondary/Data.fs.old";

class PackBehindSecondaryTest : public PackTest {
 protected:
  void BeginAll() {
    Begin();
    third_.Start();
    RunUntilEqual(primary_, third_);
    RunUntilState(third_, "streaming");
    world_.RunFor(absl::Minutes(1));
    state_ = secondary_.disk().Contents(kState);
    EXPECT_THAT(state_, HasSubstr("\"followers\": []"));
  }
  // What is not in its state by then it has forgotten.
  void KillSecondary() {
    secondary_.Stop();
    secondary_.disk().SetContents(kState, state_);
  }
  void Commit() {
    primary_.Write(file_.AddMany(5, 100).bytes());
    world_.RunFor(absl::Seconds(3));
  }
  void CommitAndPack() {
    Commit();
    const std::string epoch = primary_.Status().epoch();
    file_ = Pack(file_, 50);
    primary_.Pack(file_.bytes());
    EXPECT_TRUE(world_.RunUntil([&] { return primary_.serving() && primary_.Status().epoch() != epoch; }));
  }
  // The secondary is back, and has what the primary has, before the third one comes.
  void FollowAlone() {
    world_.network().Block("secondary", "third", absl::Minutes(10));
    secondary_.Start();
    RunUntilFollowed();
  }
  void LetThirdCome() {
    world_.network().Unblock();
    third_.Start();
  }

  Machine third_{world_, "third", "secondary"};
  std::string state_;
};

TEST_F(PackBehindSecondaryTest, KilledAndPackedTwiceItKnowsWhereItWasItself) {
  BeginAll();
  const std::string copy = third_.Data();
  KillSecondary();
  third_.Stop();
  CommitAndPack();
  CommitAndPack();
  FollowAlone();
  EXPECT_EQ(OldOfSecondary(), copy);
  // Another pack is over before the third one comes.
  CommitAndPack();
  RunUntilFollowed();
  LetThirdCome();
  RunUntilEqual(primary_, third_);
}

TEST_F(PackBehindSecondaryTest, KilledWithAStreamAndPackedTwice) {
  BeginAll();
  KillSecondary();
  CommitAndPack();
  CommitAndPack();
  FollowAlone();
  world_.network().Unblock();
  RunUntilEqual(primary_, third_);
}

class OldFileOfSecondaryTest : public PackBehindSecondaryTest {
 protected:
  // The third one has less than the secondary had when that was killed, and is not remembered.
  void BeginWithLess() {
    BeginAll();
    third_.Stop();
    Commit();
    RunUntilFollowed();
    KillSecondary();
    CommitAndPack();
    CommitAndPack();
    FollowAlone();
  }
};

TEST_F(OldFileOfSecondaryTest, ProvesWhatIsABeginningOfIt) {
  BeginWithLess();
  LetThirdCome();
  RunUntilEqual(primary_, third_);
}

TEST_F(OldFileOfSecondaryTest, ProvesItAfterARestartToo) {
  BeginWithLess();
  secondary_.Stop();
  secondary_.Start();
  LetThirdCome();
  RunUntilEqual(primary_, third_);
}

TEST_F(OldFileOfSecondaryTest, ProvesItWithoutAName) {
  secondary_.SetKeepOld(false);
  BeginWithLess();
  EXPECT_FALSE(secondary_.disk().Exists(kOld));
  LetThirdCome();
  RunUntilEqual(primary_, third_);
}

// Of another size it is not the file that was kept, though it has all of the third one's.
TEST_F(OldFileOfSecondaryTest, ProvesNothingOnceItIsAnother) {
  BeginWithLess();
  const std::string copy = third_.Data();
  secondary_.Stop();
  secondary_.disk().SetContents(kOld, copy);
  secondary_.Start();
  LetThirdCome();
  RunUntilState(third_, "diverged");
  EXPECT_TRUE(third_.Data() == copy);
  EXPECT_THAT(third_.Status().error().message(), Not(HasSubstr("it is gone")));
}

TEST_F(OldFileOfSecondaryTest, ProvesNothingOfAnotherTransaction) {
  BeginWithLess();
  std::string copy = third_.Data();
  copy += tests::EncodeTransaction({.tid = tests::TestTid(40) + 1}, copy.size());
  third_.disk().SetContents("/third/Data.fs", copy);
  LetThirdCome();
  RunUntilState(third_, "diverged");
  EXPECT_TRUE(third_.Data() == copy);
}

// The last file that was kept is of a later time than the third one's.
TEST_F(OldFileOfSecondaryTest, ProvesNothingOfAnEarlierOne) {
  BeginWithLess();
  const std::string copy = third_.Data();
  CommitAndPack();
  RunUntilFollowed();
  LetThirdCome();
  RunUntilState(third_, "diverged");
  EXPECT_TRUE(third_.Data() == copy);
}

}  // namespace
}  // namespace zrs::storage
