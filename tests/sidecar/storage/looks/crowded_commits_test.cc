// Where a look at the primary's file finds several transactions, the next one is a moment later; else nothing waits.
#include <gtest/gtest.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/pack_test_fixture.h"
#include "tests/sidecar/storage/storage_test_fixture.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::storage {
namespace {

// What is noticed and looked at at once is looked at in less; see the delays of the simulated watcher and runtime.
constexpr absl::Duration kAtOnce = absl::Milliseconds(5);
constexpr absl::Duration kPause = absl::Milliseconds(12);

class CrowdedCommitsTest : public PairTest {
 protected:
  void BeginStreaming() {
    Begin();
    RunUntilState(secondary_, "streaming");
    CountLooks();
  }
  // Notes from now on when a look finds something: it is synced then.
  void CountLooks() {
    primary_.disk().SetHook([this](const tests::SimulatedOperation& operation) {
      const bool sync = operation.kind == tests::SimulatedOperation::Kind::kSync;
      if (sync && operation.path == "/primary/Data.fs") looks_.push_back(Now());
      return absl::OkStatus();
    });
  }
  absl::Duration Now() { return world_.queue().now(); }
  void Commit(size_t count) { primary_.Write(file_.AddMany(count, 100).bytes()); }
  // One transaction each millisecond.
  void CommitWithoutPauses(int count) {
    for (int i = 0; i < count; ++i) {
      Commit(1);
      world_.RunFor(absl::Milliseconds(1));
    }
  }
  // Runs until what is committed now is found. How long that takes.
  absl::Duration FindAll() {
    const absl::Duration began = Now();
    const size_t before = looks_.size();
    EXPECT_TRUE(world_.RunUntil([&] { return looks_.size() > before; }));
    return Now() - began;
  }
  // A look has found several transactions just now, and its report is there.
  void BeginPause() {
    Commit(2);
    FindAll();
    EXPECT_TRUE(world_.RunUntil([&] { return primary_.Status().committed_end() == file_.size(); }));
  }

  std::vector<absl::Duration> looks_;
};

TEST_F(CrowdedCommitsTest, TheNextLookIsAMomentLater) {
  BeginStreaming();
  BeginPause();
  Commit(1);
  FindAll();
  ASSERT_EQ(looks_.size(), 2u);
  EXPECT_GE(looks_[1] - looks_[0], kPause);
  EXPECT_LE(looks_[1] - looks_[0], kPause + kAtOnce);
}

TEST_F(CrowdedCommitsTest, OneThatFindsASingleTransactionOrNothingIsFollowedByNoPause) {
  BeginStreaming();
  BeginPause();
  Commit(1);
  FindAll();
  for (int i = 0; i < 20; ++i) {
    world_.RunFor(kAtOnce);
    Commit(1);
    EXPECT_LE(FindAll(), kAtOnce);
  }
}

TEST_F(CrowdedCommitsTest, WhatIsCommittedBehindThePauseIsFoundAtOnce) {
  BeginStreaming();
  BeginPause();
  world_.RunFor(kPause);
  Commit(1);
  EXPECT_LE(FindAll(), kAtOnce);
}

TEST_F(CrowdedCommitsTest, AWriterWithoutPausesIsLookedAtSeldom) {
  BeginStreaming();
  constexpr int kCommits = 1000;
  CommitWithoutPauses(kCommits);
  EXPECT_LE(looks_.size(), static_cast<size_t>(kCommits * absl::Milliseconds(1) / kPause));
  EXPECT_GE(looks_.size(), static_cast<size_t>(kCommits * absl::Milliseconds(1) / (kPause + kAtOnce)));
  RunUntilEqual(primary_, secondary_);
}

TEST_F(CrowdedCommitsTest, AWriterWithoutPausesTellsNobodyUntilItPauses) {
  BeginStreaming();
  BeginPause();
  EXPECT_TRUE(primary_.IsToldOfWrites()) << "one crowd is no crowd";
  CommitWithoutPauses(100);
  EXPECT_FALSE(primary_.IsToldOfWrites());
  world_.RunFor(2 * kPause + kAtOnce);
  EXPECT_TRUE(primary_.IsToldOfWrites());
  EXPECT_EQ(primary_.Status().committed_end(), file_.size());
  Commit(1);
  EXPECT_LE(FindAll(), kAtOnce);
}

TEST_F(CrowdedCommitsTest, AWriterThatCommitsNowAndThenIsNotPausedForAgainAndAgain) {
  BeginStreaming();
  BeginPause();
  Commit(1);
  world_.RunFor(absl::Milliseconds(7));
  Commit(1);
  FindAll();  // two of them, behind the pause
  for (int i = 0; i < 20; ++i) {
    world_.RunFor(absl::Milliseconds(10));
    Commit(1);
    EXPECT_LE(FindAll(), kAtOnce);
  }
}

TEST_F(CrowdedCommitsTest, AQuestionInBetweenDoesNotMakeACrowdLessOfOne) {
  BeginStreaming();
  CommitWithoutPauses(100);
  ASSERT_FALSE(primary_.IsToldOfWrites());
  std::optional<v1::WaitResponse> answer;
  FindAll();
  world_.RunFor(absl::Milliseconds(2));
  Commit(1);
  primary_.BeginWait(1, absl::Seconds(10), answer);
  EXPECT_TRUE(world_.RunUntil([&] { return answer.has_value(); }));
  EXPECT_FALSE(primary_.IsToldOfWrites());
  world_.RunFor(2 * kPause);
  EXPECT_TRUE(primary_.IsToldOfWrites());
}

TEST_F(CrowdedCommitsTest, AFileThatTakesThePlaceOfACrowdedOneIsTold) {
  BeginStreaming();
  CommitWithoutPauses(100);
  ASSERT_FALSE(primary_.IsToldOfWrites());
  FileBuilder packed = Pack(file_, 2);
  primary_.Pack(packed.bytes());
  file_ = packed;
  EXPECT_TRUE(world_.RunUntil([&] { return !primary_.serving(); }));
  EXPECT_TRUE(world_.RunUntil([&] { return primary_.serving(); }));
  world_.RunFor(kAtOnce);
  EXPECT_TRUE(primary_.IsToldOfWrites());
  Commit(1);
  EXPECT_LE(FindAll(), kAtOnce);
  RunUntilEqual(primary_, secondary_);
}

TEST_F(CrowdedCommitsTest, TheFirstLookThroughTheFileIsFollowedByNoPause) {
  primary_.SetPieces(4096);
  primary_.Write(file_.bytes());
  CountLooks();
  primary_.Start();
  const absl::Duration began = Now();
  RunUntilState(primary_, "streaming");
  EXPECT_TRUE(world_.RunUntil([&] { return primary_.Status().committed_end() == file_.size(); }));
  EXPECT_GT(looks_.size(), 10u) << "there are pieces of several transactions each";
  EXPECT_LE(Now() - began, looks_.size() * kAtOnce);
  world_.RunFor(kAtOnce);
  Commit(1);
  EXPECT_LE(FindAll(), kAtOnce);
}

TEST_F(CrowdedCommitsTest, AWaitLooksAtOnce) {
  BeginStreaming();
  BeginPause();
  Commit(1);
  std::optional<v1::WaitResponse> answer;
  primary_.BeginWait(1, absl::Seconds(10), answer);
  EXPECT_LE(FindAll(), kAtOnce);
  EXPECT_TRUE(world_.RunUntil([&] { return answer.has_value(); }));
  EXPECT_EQ(answer->result(), v1::WaitResponse::RESULT_DONE);
}

TEST_F(CrowdedCommitsTest, AWaitThatComesWhileALookFindsSeveralLooksRightBehindIt) {
  BeginStreaming();
  Commit(2);
  FindAll();  // it is under way
  Commit(1);
  std::optional<v1::WaitResponse> answer;
  primary_.BeginWait(1, absl::Seconds(10), answer);
  EXPECT_LE(FindAll(), kAtOnce);
  EXPECT_TRUE(world_.RunUntil([&] { return answer.has_value(); }));
}

TEST_F(CrowdedCommitsTest, WhatHappensWhileALookFindsSeveralIsFoundBehindThePause) {
  BeginStreaming();
  Commit(2);
  FindAll();  // it is under way
  const absl::Duration found = Now();
  Commit(1);
  world_.RunFor(absl::Milliseconds(1));
  FindAll();
  EXPECT_GE(Now() - found, kPause);
  EXPECT_LE(Now() - found, kPause + kAtOnce);
}

TEST_F(CrowdedCommitsTest, AStopLooksAtOnceAndSendsAll) {
  BeginStreaming();
  BeginPause();
  Commit(1);
  int stopped = 0;
  primary_.BeginStop(absl::Seconds(10), stopped);
  EXPECT_LE(FindAll(), kAtOnce);
  EXPECT_TRUE(world_.RunUntil([&] { return stopped == 1; }));
  primary_.Stop();
  RunUntilEqual(primary_, secondary_);
}

TEST_F(CrowdedCommitsTest, APackIsNoticedBehindThePauseAndWhatComesAfterItAtOnce) {
  BeginStreaming();
  BeginPause();
  Commit(1);  // which nobody has looked at
  const absl::Duration began = Now();
  FileBuilder packed = Pack(file_, 2);
  primary_.Pack(packed.bytes());
  EXPECT_TRUE(world_.RunUntil([&] { return !primary_.serving(); }));
  EXPECT_LE(Now() - began, kPause + kAtOnce);
  EXPECT_TRUE(world_.RunUntil([&] { return primary_.serving(); }));
  file_ = packed;
  world_.RunFor(kAtOnce);
  Commit(1);
  EXPECT_LE(FindAll(), kAtOnce);
  RunUntilEqual(primary_, secondary_);
  EXPECT_EQ(primary_.Status().epoch(), secondary_.Status().epoch());
}

}  // namespace
}  // namespace zrs::storage
