#include "sidecar/runtime/command_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "tests/filestorage/temporary_directory.h"

namespace zrs::runtime {
namespace {

using ::testing::HasSubstr;

// What `done` was told.
absl::Status RunToItsEnd(const std::string& command, const Variables& variables) {
  const auto ended = std::make_shared<std::promise<absl::Status>>();
  RunShellCommand(command, variables, [ended](const absl::Status& status) { ended->set_value(status); });
  return ended->get_future().get();
}

// What a command leaves running. It waits for `fifo_`, and says in `word_` with which exit code it ended.
class Leftover {
 public:
  explicit Leftover(std::string program) : program_(std::move(program)) {
    EXPECT_EQ(mkfifo(fifo_.c_str(), 0600), 0);
    EXPECT_EQ(mkfifo(word_.c_str(), 0600), 0);
  }

  std::string Command(const std::string& rest) const {
    return "(sh -c '" + program_ + "'; echo $? >$ZRS_WORD) & " + rest;
  }
  Variables variables() const { return {{"ZRS_FIFO", fifo_}, {"ZRS_WORD", word_}}; }
  void Release() const { std::ofstream(fifo_) << "go" << std::endl; }
  std::string Word() const {
    std::string word;
    std::ifstream(word_) >> word;
    return word;
  }

 private:
  const std::string program_;
  const filestorage::TemporaryDirectory directory_;
  const std::string fifo_ = directory_.path() + "/fifo";
  const std::string word_ = directory_.path() + "/word";
};

TEST(CommandRunnerTest, TellsHowItEnded) {
  EXPECT_TRUE(RunToItsEnd("test \"$ZRS_PATH\" = /a", {{"ZRS_PATH", "/a"}}).ok());
  EXPECT_THAT(RunToItsEnd("exit 3", {}).message(), HasSubstr("exit code 3"));
  EXPECT_THAT(RunToItsEnd("kill -9 $$", {}).message(), HasSubstr("killed"));
}

TEST(CommandRunnerTest, TellsWhatItPrinted) {
  EXPECT_EQ(RunToItsEnd("echo out; echo 'the BMC says \"no\"' >&2; exit 3", {}).message(),
            R"(it ended with exit code 3, and printed "out\nthe BMC says \"no\"")");
  EXPECT_EQ(RunToItsEnd("printf 'a\\033[2J\\377'; kill -9 $$", {}).message(),
            R"(it was killed: Killed, and printed "a\033[2J\377")");
  EXPECT_EQ(RunToItsEnd("echo; exit 3", {}).message(), "it ended with exit code 3") << "nothing to tell";
}

TEST(CommandRunnerTest, OfMuchItTellsTheEnd) {
  const std::string message(RunToItsEnd("yes | head -c 300000; echo last; exit 3", {}).message());
  EXPECT_THAT(message, HasSubstr("and printed \"...y"));
  EXPECT_THAT(message, HasSubstr("last\""));
  EXPECT_LT(message.size(), 3000u);
}

TEST(CommandRunnerTest, ACutThroughACharacterLeavesThatOut) {
  // 2 bytes each, and one more: the kept kilobyte begins with a second byte.
  const std::string message(RunToItsEnd("printf '\\303\\244%.0s' $(seq 1000); printf x; exit 3", {}).message());
  EXPECT_THAT(message, HasSubstr("and printed \"...ä"));
  EXPECT_THAT(message, HasSubstr("äx\""));
}

// What it leaves running holds the pipe open; here for as long as this test runs.
TEST(CommandRunnerTest, WhatItLeavesRunningIsNotWaitedFor) {
  Leftover left("read -r _ <$ZRS_FIFO; echo on");
  EXPECT_EQ(RunToItsEnd(left.Command("echo before; exit 3"), left.variables()).message(),
            "it ended with exit code 3, and printed \"before\"");
  // It prints on, though nobody listens: that neither kills it nor fails.
  left.Release();
  EXPECT_EQ(left.Word(), "0");
}

TEST(CommandRunnerTest, WhatItLeavesRunningMayPrintWithoutEnd) {
  Leftover left("yes & read -r _ <$ZRS_FIFO; kill $!; wait $!");
  EXPECT_THAT(RunToItsEnd(left.Command("exit 3"), left.variables()).message(), HasSubstr("exit code 3"));
  left.Release();
  EXPECT_EQ(left.Word(), "143") << "SIGTERM ended it, and no broken pipe before";
}

TEST(CommandRunnerTest, LeavesNoDescriptorOpen) {
  const auto count = [] { return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}); };
  EXPECT_TRUE(RunToItsEnd("true", {}).ok());
  const auto before = count();
  for (int run = 0; run < 5; ++run) EXPECT_FALSE(RunToItsEnd("echo x; exit 3", {}).ok());
  EXPECT_EQ(count(), before);
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
