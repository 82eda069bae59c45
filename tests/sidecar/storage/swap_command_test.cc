// What becomes of the user's command when swaps come faster than it ends.
#include "sidecar/storage/swap_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {
namespace {

using ::testing::HasSubstr;

class SwapCommandTest : public ::testing::Test {
 protected:
  SwapCommandTest() { spdlog::set_level(spdlog::level::off); }

  v1::LastSwap LastSwap() const {
    v1::StorageStatus status;
    command_.FillStatus(status);
    return status.last_swap();
  }

  std::vector<absl::AnyInvocable<void(absl::Status)>> runs_;
  SwapCommand command_{"main",
                       [this](absl::AnyInvocable<void(absl::Status)> done) { runs_.push_back(std::move(done)); }};
};

TEST_F(SwapCommandTest, ASwapWhileItRunsHasItRunOnceMoreWhenItHasEnded) {
  command_.Run("first");
  command_.Run("second");
  command_.Run("third");
  command_.RunIfDue();
  EXPECT_EQ(runs_.size(), 1u) << "no second one beside it";
  EXPECT_EQ(LastSwap().time(), "third");
  // How the one before ends is no news of this swap.
  runs_[0](absl::AbortedError("it ended with exit code 3"));
  EXPECT_FALSE(LastSwap().has_command_error());
  EXPECT_EQ(command_.TakeEnded(), std::nullopt);
  command_.RunIfDue();
  command_.RunIfDue();
  ASSERT_EQ(runs_.size(), 2u) << "one for both";
  EXPECT_EQ(command_.TakeEnded(), std::nullopt);
  runs_[1](absl::AbortedError("it ended with exit code 4"));
  EXPECT_THAT(LastSwap().command_error(), HasSubstr("exit code 4"));
  EXPECT_EQ(command_.TakeEnded(), "third");
  command_.RunIfDue();
  EXPECT_EQ(runs_.size(), 2u);
}

TEST_F(SwapCommandTest, ItsEndIsTakenOnce) {
  EXPECT_EQ(command_.TakeEnded(), std::nullopt);
  command_.Run("first");
  EXPECT_EQ(command_.TakeEnded(), std::nullopt);
  runs_[0](absl::OkStatus());
  EXPECT_EQ(command_.TakeEnded(), "first");
  EXPECT_EQ(command_.TakeEnded(), std::nullopt);
  command_.Run("second");
  ASSERT_EQ(runs_.size(), 2u);
  EXPECT_FALSE(LastSwap().has_command_error());
  runs_[1](absl::AbortedError("it ended with exit code 3"));
  EXPECT_EQ(command_.TakeEnded(), "second") << "a failure is an end too";
}

TEST_F(SwapCommandTest, WithoutACommandNothingIsOwed) {
  SwapCommand none("main", nullptr);
  none.Run("first");
  EXPECT_EQ(none.TakeEnded(), "first");
  none.Run("second");
  EXPECT_EQ(none.TakeEnded(), "second");
}

}  // namespace
}  // namespace zrs::storage
