// Who reads the copy is told of every swap, at least once: also where the process ended before the command did.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/pack_test_fixture.h"
#include "tests/support/file_builder.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::storage {
namespace {

using testing::HasSubstr;
using testing::Not;

class SwapToTellTest : public PackTest {
 protected:
  SwapToTellTest() {
    secondary_.SetOnSwap([this](absl::AnyInvocable<void(absl::Status)> done) { runs_.push_back(std::move(done)); });
  }

  std::string State() { return secondary_.disk().Contents("/state/secondary.state"); }
  // Time for the end of a command to be noticed.
  void Look() { world_.RunFor(absl::Seconds(2)); }
  void Restart() {
    secondary_.Stop();
    secondary_.Start();
    RunUntilFollowed();
  }

  std::vector<absl::AnyInvocable<void(absl::Status)>> runs_;
};

TEST_F(SwapToTellTest, OnceWhereTheCommandEnds) {
  Begin();
  primary_.Pack(Pack(file_).bytes());
  RunUntilFollowed();
  ASSERT_EQ(runs_.size(), 1u);
  EXPECT_THAT(State(), HasSubstr("swapToTell"));
  runs_[0](absl::OkStatus());
  Look();
  EXPECT_THAT(State(), Not(HasSubstr("swapToTell")));
  Restart();
  EXPECT_EQ(runs_.size(), 1u);
}

TEST_F(SwapToTellTest, AProcessThatStopsWhileTheCommandRunsTellsAgainAtItsNextStart) {
  Begin();
  primary_.Pack(Pack(file_).bytes());
  RunUntilFollowed();
  const std::string time = secondary_.Status().last_swap().time();
  EXPECT_NE(time, "");
  Restart();
  ASSERT_EQ(runs_.size(), 2u);
  EXPECT_EQ(secondary_.Status().last_swap().time(), time);
  runs_[1](absl::AbortedError("it ended with exit code 3"));
  Look();
  EXPECT_THAT(secondary_.Status().last_swap().command_error(), HasSubstr("exit code 3"));
  Restart();
  EXPECT_EQ(runs_.size(), 2u) << "one that failed was told all the same";
}

TEST_F(SwapToTellTest, ACommandThatEndedJustBeforeTheStopIsNotRunAgain) {
  Begin();
  primary_.Pack(Pack(file_).bytes());
  EXPECT_TRUE(world_.RunUntil([&] { return !runs_.empty(); }));
  runs_[0](absl::OkStatus());
  Restart();
  EXPECT_EQ(runs_.size(), 1u);
}

// The rename is done, and nothing of what follows it: as after a kill, or a power loss.
TEST_F(SwapToTellTest, ASwapThatWasInterruptedBehindTheRename) {
  Begin();
  bool renamed = false;
  secondary_.disk().SetHook([&renamed](const tests::SimulatedOperation& operation) {
    using Kind = tests::SimulatedOperation::Kind;
    if (renamed && operation.kind == Kind::kSyncDirectory) return absl::DataLossError("sync: Input/output error");
    renamed = renamed || (operation.kind == Kind::kRename && operation.to == "/secondary/Data.fs");
    return absl::OkStatus();
  });
  const FileBuilder packed = Pack(file_);
  primary_.Pack(packed.bytes());
  RunUntilState(secondary_, "stopped");
  EXPECT_TRUE(secondary_.Data() == packed.bytes());
  EXPECT_TRUE(runs_.empty());
  secondary_.Stop();
  secondary_.disk().SetHook(nullptr);
  secondary_.Start();
  RunUntilFollowed();
  ASSERT_EQ(runs_.size(), 1u);
  EXPECT_NE(secondary_.Status().last_swap().time(), "");
  runs_[0](absl::OkStatus());
  Look();
  Restart();
  EXPECT_EQ(runs_.size(), 1u);
}

TEST_F(SwapToTellTest, SwapsWhileTheCommandRunsAreToldByOneMoreRun) {
  Begin();
  const FileBuilder packed = Pack(file_, 2);
  primary_.Pack(packed.bytes());
  RunUntilFollowed();
  const FileBuilder again = Pack(packed, 2);
  primary_.Pack(again.bytes());
  RunUntilFollowed();
  primary_.Pack(Pack(again, 2).bytes());
  RunUntilFollowed();
  ASSERT_EQ(runs_.size(), 1u);
  runs_[0](absl::OkStatus());
  Look();
  ASSERT_EQ(runs_.size(), 2u);
  EXPECT_THAT(State(), HasSubstr("swapToTell"));
  runs_[1](absl::OkStatus());
  Look();
  EXPECT_EQ(runs_.size(), 2u);
  EXPECT_THAT(State(), Not(HasSubstr("swapToTell")));
}

}  // namespace
}  // namespace zrs::storage
