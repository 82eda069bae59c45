#include "sidecar/runtime/command_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <future>
#include <memory>
#include <string>

namespace zrs::runtime {
namespace {

using ::testing::HasSubstr;

// What `done` was told.
absl::Status RunToItsEnd(const std::string& command, const Variables& variables) {
  const auto ended = std::make_shared<std::promise<absl::Status>>();
  RunShellCommand(command, variables, [ended](const absl::Status& status) { ended->set_value(status); });
  return ended->get_future().get();
}

TEST(CommandRunnerTest, TellsHowItEnded) {
  EXPECT_TRUE(RunToItsEnd("test \"$ZRS_PATH\" = /a", {{"ZRS_PATH", "/a"}}).ok());
  EXPECT_THAT(RunToItsEnd("exit 3", {}).message(), HasSubstr("exit code 3"));
  EXPECT_THAT(RunToItsEnd("kill -9 $$", {}).message(), HasSubstr("killed"));
}

TEST(CommandRunnerTest, AThreadThatIsNotToBeHadIsAnAnswer) {
  pthread_attr_t before;
  ASSERT_EQ(pthread_getattr_default_np(&before), 0);
  pthread_attr_t huge;
  ASSERT_EQ(pthread_attr_init(&huge), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&huge, size_t{1} << 50), 0);
  ASSERT_EQ(pthread_setattr_default_np(&huge), 0);
  const absl::Status status = RunToItsEnd("true", {});
  ASSERT_EQ(pthread_setattr_default_np(&before), 0);
  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr("could not be started"));
  EXPECT_TRUE(RunToItsEnd("true", {}).ok());
}

}  // namespace
}  // namespace zrs::runtime
