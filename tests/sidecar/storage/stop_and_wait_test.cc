// How long a stop and a wait take where the file is large or the disk is slow.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "filestorage/format.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/pack_test_fixture.h"
#include "tests/sidecar/storage/storage_test_fixture.h"
#include "tests/support/captured_log.h"
#include "tests/support/file_builder.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::storage {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::Duration kSlow = absl::Seconds(5);

class StopAndWaitTest : public PairTest {
 protected:
  // Each look at the data file takes kSlow, and there are many before all of it was looked through.
  void StartSlowly() {
    primary_.SetPieces(4096);
    primary_.Write(file_.bytes());
    primary_.disk().SetHook([this](const tests::SimulatedOperation& operation) {
      if (operation.kind == tests::SimulatedOperation::Kind::kRead && operation.size > 4000) primary_.HoldIo(kSlow);
      return absl::OkStatus();
    });
    primary_.Start();
    ASSERT_TRUE(world_.RunUntil([&] { return primary_.Status().has_progress(); }));
  }
  void BeginStreaming() {
    Begin();
    RunUntilState(secondary_, "streaming");
  }

  absl::Duration Now() { return world_.queue().now(); }
};

TEST_F(StopAndWaitTest, AStopDoesNotWaitForTheFirstScan) {
  StartSlowly();
  const absl::Duration began = Now();
  primary_.Stop();
  EXPECT_LE(Now() - began, 3 * kSlow);  // a look that is under way, the state and the end
  // And what was scanned was not for nothing.
  primary_.disk().SetHook(nullptr);
  primary_.Start();
  RunUntilState(primary_, "streaming");
  EXPECT_EQ(primary_.Status().committed_end(), file_.size());
}

TEST_F(StopAndWaitTest, AWaitDuringTheFirstScanEndsInTime) {
  StartSlowly();
  const absl::Duration began = Now();
  const v1::WaitResponse answer = primary_.Wait(1, absl::Seconds(10));
  EXPECT_EQ(answer.result(), v1::WaitResponse::RESULT_TIMEOUT);
  EXPECT_THAT(answer.message(), HasSubstr("still being looked through"));
  EXPECT_LE(Now() - began, absl::Seconds(11));
}

// The status byte of a transaction was changed back: what follows is committed, and nobody can say so. Or the file was
// cut in a transaction that is finished.
TEST_F(StopAndWaitTest, AWaitFailsWhereWhatIsCommittedIsNotKnown) {
  BeginStreaming();
  const uint64_t end = file_.size();
  const std::string more = file_.AddMany(2, 10).bytes();
  std::string in_progress = more;
  in_progress[end + filestorage::kTransactionStatusOffset] = 'c';
  for (const std::string& bytes : {in_progress, more.substr(0, end + 30)}) {
    primary_.Write(bytes);
    const v1::WaitResponse answer = primary_.Wait(1, absl::Minutes(1));
    EXPECT_EQ(answer.result(), v1::WaitResponse::RESULT_FAILED);
    EXPECT_THAT(answer.message(), HasSubstr("what is committed is not known: /primary/Data.fs: the transaction at"));
    EXPECT_FALSE(primary_.serving());
    EXPECT_THAT(primary_.Status().error().message(), HasSubstr(absl::StrCat("the transaction at ", end)));
    EXPECT_THAT(primary_.Status().error().remedy(), HasSubstr("zrs verify /primary/Data.fs"));
  }
  primary_.Write(more);
  EXPECT_EQ(primary_.Wait(1, absl::Minutes(1)).result(), v1::WaitResponse::RESULT_DONE);
  EXPECT_TRUE(primary_.serving());
  RunUntilEqual(primary_, secondary_);
}

TEST_F(StopAndWaitTest, AWaitEndsInTimeThoughTheDiskIsStuck) {
  BeginStreaming();
  primary_.HoldIo(absl::Seconds(40));
  file_.AddMany(1, 10);
  primary_.WriteUnnoticed(file_.bytes());
  const absl::Duration began = Now();
  std::optional<v1::WaitResponse> patient;
  primary_.BeginWait(1, absl::InfiniteDuration(), patient);
  EXPECT_EQ(primary_.Wait(1, absl::Seconds(10)).result(), v1::WaitResponse::RESULT_TIMEOUT);
  EXPECT_LE(Now() - began, absl::Seconds(11));
  EXPECT_FALSE(patient.has_value());
  // One that has the time learns it when the disk is back; so does one that came in the middle.
  EXPECT_EQ(primary_.Wait(1, absl::Seconds(50)).result(), v1::WaitResponse::RESULT_DONE);
  ASSERT_TRUE(world_.RunUntil([&] { return patient.has_value(); }));
  EXPECT_EQ(patient->result(), v1::WaitResponse::RESULT_DONE);
  EXPECT_EQ(secondary_.Data(), file_.bytes());
}

class MissingFileTest : public StopAndWaitTest {
 protected:
  // As a pack does for a moment.
  void TakeNameAway() { ASSERT_TRUE(primary_.disk().Rename("/primary/Data.fs", "/primary/Data.fs.old").ok()); }
  void GiveNameBack() {
    ASSERT_TRUE(primary_.disk().Rename("/primary/Data.fs.old", "/primary/Data.fs").ok());
    primary_.Write(file_.bytes());
  }
};

TEST_F(MissingFileTest, AWaitDoesNotTakeWhatIsKnownForWhatIsCommitted) {
  BeginStreaming();
  file_.AddMany(1, 10);
  primary_.WriteUnnoticed(file_.bytes());
  TakeNameAway();
  std::optional<v1::WaitResponse> patient;
  primary_.BeginWait(1, absl::InfiniteDuration(), patient);
  EXPECT_EQ(primary_.Wait(1, absl::Seconds(5)).result(), v1::WaitResponse::RESULT_TIMEOUT);
  EXPECT_FALSE(patient.has_value());
  GiveNameBack();
  ASSERT_TRUE(world_.RunUntil([&] { return patient.has_value(); }));
  EXPECT_EQ(patient->result(), v1::WaitResponse::RESULT_DONE);
  EXPECT_EQ(secondary_.Data(), file_.bytes());
}

TEST_F(MissingFileTest, AStopDoesNotWaitForIt) {
  primary_.Write(file_.bytes());
  primary_.Start();
  RunUntilState(primary_, "streaming");
  TakeNameAway();
  std::optional<v1::WaitResponse> patient;
  primary_.BeginWait(1, absl::Minutes(10), patient);
  const absl::Duration began = Now();
  primary_.Stop();
  EXPECT_LE(Now() - began, absl::Seconds(1));
  ASSERT_TRUE(patient.has_value());
  EXPECT_EQ(patient->result(), v1::WaitResponse::RESULT_FAILED);
}

// It was committed before the name went, and its client may have seen it.
TEST_F(MissingFileTest, AStopSendsWhatWasCommittedLastAllTheSame) {
  BeginStreaming();
  file_.AddMany(1, 10);
  primary_.WriteUnnoticed(file_.bytes());
  TakeNameAway();
  primary_.Stop();
  EXPECT_EQ(secondary_.Data(), file_.bytes());
}

TEST_F(MissingFileTest, AWaitThatNobodyCanEndIsNotBegun) {
  primary_.Write(file_.bytes());
  primary_.Start();
  RunUntilState(primary_, "streaming");
  TakeNameAway();
  const v1::WaitResponse hopeless = primary_.Wait(1, absl::InfiniteDuration());
  EXPECT_EQ(hopeless.result(), v1::WaitResponse::RESULT_NO_FOLLOWER) << hopeless.message();
  const v1::WaitResponse late = primary_.Wait(1, absl::Seconds(5));
  EXPECT_EQ(late.result(), v1::WaitResponse::RESULT_TIMEOUT);
  EXPECT_THAT(late.message(), HasSubstr("has no name"));
}

class PackWaitTest : public MissingFileTest, public ::testing::WithParamInterface<absl::Duration> {};

TEST_P(PackWaitTest, AWaitEndsWhenItsPackIsPublished) {
  const absl::Duration timeout = GetParam();
  BeginStreaming();
  TakeNameAway();
  std::optional<v1::WaitResponse> in_the_gap;
  primary_.BeginWait(1, timeout, in_the_gap);
  world_.RunFor(absl::Seconds(2));
  EXPECT_FALSE(in_the_gap.has_value());
  // The pack's file is looked through, and then proved, when the disk is back.
  bool held = false;
  primary_.disk().SetHook([&](const tests::SimulatedOperation& operation) {
    const bool scanned = operation.kind == tests::SimulatedOperation::Kind::kRead && operation.size > 4000;
    if (scanned && operation.path == "/primary/Data.fs" && !std::exchange(held, true)) primary_.HoldIo(2 * kSlow);
    return absl::OkStatus();
  });
  primary_.Replace(Pack(file_).bytes());
  RunUntilState(primary_, "starting");
  std::optional<v1::WaitResponse> while_it_is_proved;
  primary_.BeginWait(1, timeout, while_it_is_proved);
  world_.RunFor(kSlow);
  EXPECT_FALSE(while_it_is_proved.has_value());
  ASSERT_TRUE(world_.RunUntil([&] { return in_the_gap.has_value() && while_it_is_proved.has_value(); }));
  EXPECT_TRUE(held);
  EXPECT_EQ(in_the_gap->result(), v1::WaitResponse::RESULT_DONE) << in_the_gap->message();
  EXPECT_EQ(while_it_is_proved->result(), v1::WaitResponse::RESULT_DONE) << while_it_is_proved->message();
  EXPECT_EQ(secondary_.Data(), primary_.Data());
  primary_.disk().SetHook(nullptr);
}

INSTANTIATE_TEST_SUITE_P(Patience, PackWaitTest, ::testing::Values(absl::Seconds(50), absl::InfiniteDuration()));

// They are waited for, as they come back at once after a pack, but not for ever.
TEST_F(MissingFileTest, AWaitForFollowersThatAPackHasLostEnds) {
  BeginStreaming();
  TakeNameAway();
  std::optional<v1::WaitResponse> answer;
  primary_.BeginWait(1, absl::InfiniteDuration(), answer);
  world_.network().Block("primary", "secondary", absl::Minutes(30));
  primary_.Replace(Pack(file_).bytes());
  RunUntilState(primary_, "streaming");
  const absl::Duration published = Now();
  world_.RunFor(absl::Seconds(5));
  EXPECT_FALSE(answer.has_value()) << answer->message();
  ASSERT_TRUE(world_.RunUntil([&] { return answer.has_value(); }));
  EXPECT_EQ(answer->result(), v1::WaitResponse::RESULT_NO_FOLLOWER) << answer->message();
  EXPECT_LE(Now() - published, absl::Seconds(11));
}

TEST_F(MissingFileTest, AWaitEndsWhenWhatCameIsNoPack) {
  BeginStreaming();
  TakeNameAway();
  std::optional<v1::WaitResponse> answer;
  primary_.BeginWait(1, absl::Seconds(50), answer);
  world_.RunFor(absl::Seconds(2));
  EXPECT_FALSE(answer.has_value());
  primary_.Replace(FileBuilder().AddMany(39, 900).bytes());
  RunUntilState(primary_, "diverged");
  ASSERT_TRUE(world_.RunUntil([&] { return answer.has_value(); }));
  EXPECT_EQ(answer->result(), v1::WaitResponse::RESULT_FAILED) << answer->message();
  EXPECT_THAT(answer->message(), HasSubstr("not publishing"));
}

TEST_F(MissingFileTest, AFirstScanGoesOnWhenItIsBack) {
  StartSlowly();
  secondary_.Start();
  RunUntilState(secondary_, "copying");
  TakeNameAway();
  world_.RunFor(10 * kSlow);
  // Nothing tells the secondary that the part which it has is all.
  EXPECT_LT(secondary_.Size(), file_.size());
  EXPECT_NE(secondary_.Status().state(), "streaming") << secondary_.Status().DebugString();
  primary_.disk().SetHook(nullptr);
  GiveNameBack();
  RunUntilEqual(primary_, secondary_);
  RunUntilState(secondary_, "streaming");
}

// As after a crash of its host, where nobody has noticed yet that the stream of before is dead.
TEST_F(StopAndWaitTest, StreamsOfOneCopyAreOneFollowerOfAWait) {
  Machine again(world_, "again", "primary");
  for (Machine* one : {&secondary_, &again}) one->SetCopyId(std::string(16, 'c'));
  primary_.Write(file_.bytes());
  primary_.Start();
  for (Machine* one : {&secondary_, &again}) {
    one->Start();
    RunUntilEqual(primary_, *one);
    RunUntilState(*one, "streaming");
  }
  EXPECT_EQ(primary_.Wait(1, absl::Seconds(5)).result(), v1::WaitResponse::RESULT_DONE);
  EXPECT_EQ(primary_.Wait(2, absl::Seconds(5)).result(), v1::WaitResponse::RESULT_TIMEOUT);
  again.Stop();
  again.SetCopyId(std::string(16, 'a'));
  again.Start();
  EXPECT_EQ(primary_.Wait(2, absl::Seconds(5)).result(), v1::WaitResponse::RESULT_DONE);
}

TEST_F(StopAndWaitTest, TooManyWaitersAreTurnedAwayThoughTheDiskIsStuck) {
  primary_.Write(file_.bytes());
  primary_.Start();
  RunUntilState(primary_, "streaming");
  primary_.HoldIo(absl::Seconds(40));
  std::vector<std::optional<v1::WaitResponse>> answers(1000);
  for (auto& answer : answers) primary_.BeginWait(1, absl::Seconds(50), answer);
  EXPECT_EQ(primary_.Wait(1, absl::Seconds(1)).result(), v1::WaitResponse::RESULT_FAILED);
  primary_.Stop();
  for (const auto& answer : answers) ASSERT_TRUE(answer.has_value());
}

TEST_F(StopAndWaitTest, AStopThatIsAskedForAgainWhileTheFileIsClosedIsTheSameStop) {
  primary_.Write(file_.bytes());
  primary_.Start();
  RunUntilState(primary_, "streaming");
  const tests::CapturedLog log;
  int stopped = 0;
  uint64_t saves = 0;
  primary_.disk().SetHook([&](const tests::SimulatedOperation& operation) {
    // The followers have had their time, and the file is being closed.
    if (operation.kind == tests::SimulatedOperation::Kind::kRename && ++saves == 1) {
      primary_.BeginStop(absl::ZeroDuration(), stopped);
    }
    return absl::OkStatus();
  });
  primary_.BeginStop(absl::ZeroDuration(), stopped);
  ASSERT_TRUE(world_.RunUntil([&] { return stopped == 2; }));
  // Once more: it is answered, and nothing is left to do.
  primary_.Stop();
  EXPECT_THAT(log.text(), ContainsRegex("stopped"));
  EXPECT_THAT(log.text(), Not(ContainsRegex("stopped\n(.*\n)*.*stopped")));
}

}  // namespace
}  // namespace zrs::storage
