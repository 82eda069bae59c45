// What becomes of the user's command when swaps come faster than it ends.
#include "sidecar/storage/swap_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST_F(SwapCommandTest, ASwapWhileItRunsDoesNotRunItAgain) {
  command_.Run("first");
  command_.Run("second");
  EXPECT_EQ(runs_.size(), 1u);
  EXPECT_EQ(LastSwap().time(), "second");
  EXPECT_THAT(LastSwap().command_error(), HasSubstr("was not run again"));
  // How the one before ends is no news of this swap.
  runs_[0](absl::OkStatus());
  EXPECT_THAT(LastSwap().command_error(), HasSubstr("was not run again"));
}

TEST_F(SwapCommandTest, OneThatWasSkippedDoesNotHoldUpTheNext) {
  command_.Run("first");
  command_.Run("second");
  command_.Run("third");
  EXPECT_EQ(runs_.size(), 1u);
  runs_[0](absl::OkStatus());
  command_.Run("fourth");
  ASSERT_EQ(runs_.size(), 2u);
  EXPECT_EQ(LastSwap().command_error(), "");
  runs_[1](absl::AbortedError("it ended with exit code 3"));
  EXPECT_THAT(LastSwap().command_error(), HasSubstr("exit code 3"));
}

}  // namespace
}  // namespace zrs::storage
