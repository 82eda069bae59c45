#include "sidecar/cli/process_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"

namespace zrs::cli {
namespace {

using ::testing::HasSubstr;

class ProcessLockTest : public ::testing::Test {
 protected:
  ProcessLockTest() {
    char pattern[] = "/tmp/zrs-lock-XXXXXX";
    directory_ = mkdtemp(pattern);
  }
  ~ProcessLockTest() override {
    std::remove((directory_ + "/zrs.lock").c_str());
    rmdir(directory_.c_str());
  }

  std::string directory_;
};

TEST_F(ProcessLockTest, NobodyHasOneThatWasNeverTaken) {
  EXPECT_EQ(ProcessLock::Holder(directory_).value(), std::nullopt);
  EXPECT_EQ(ProcessLock::Holder(directory_ + "/missing").value(), std::nullopt);
}

TEST_F(ProcessLockTest, NamesItsHolderAsLongAsItIsHeld) {
  {
    const auto lock = ProcessLock::Take(directory_);
    ASSERT_TRUE(lock.ok()) << lock.status();
    EXPECT_EQ(ProcessLock::Holder(directory_).value(), getpid());
  }
  EXPECT_EQ(ProcessLock::Holder(directory_).value(), std::nullopt);
}

TEST_F(ProcessLockTest, IsHeldByOne) {
  const auto first = ProcessLock::Take(directory_);
  const absl::Status second = ProcessLock::Take(directory_).status();
  EXPECT_TRUE(absl::IsUnavailable(second)) << second;
  EXPECT_THAT(second.message(), HasSubstr(absl::StrCat("process ", getpid())));
}

TEST_F(ProcessLockTest, AFormerHoldersNameIsOverwritten) {
  std::ofstream(directory_ + "/zrs.lock") << "12345678901234567890 and more\n";
  const auto lock = ProcessLock::Take(directory_);
  ASSERT_TRUE(lock.ok()) << lock.status();
  EXPECT_EQ(ProcessLock::Holder(directory_).value(), getpid());
}

TEST_F(ProcessLockTest, AHolderThatIsNotNamedIsAnError) {
  const auto lock = ProcessLock::Take(directory_);
  std::ofstream(directory_ + "/zrs.lock") << "nobody\n";
  EXPECT_TRUE(absl::IsUnavailable(ProcessLock::Holder(directory_).status()));
}

TEST_F(ProcessLockTest, ADirectoryThatIsNotThereIsAnError) {
  EXPECT_FALSE(ProcessLock::Take(directory_ + "/missing").ok());
}

}  // namespace
}  // namespace zrs::cli
