#include "filestorage/lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "filestorage/posix_file_system.h"
#include "tests/filestorage/temporary_directory.h"

namespace zrs::filestorage {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class LockTest : public testing::Test {
 protected:
  std::string Contents() { return ReadWholeFile(posix_, data_ + ".lock", 1000).value(); }
  void Write(absl::string_view contents) {
    ASSERT_TRUE((*posix_.OpenOrCreate(data_ + ".lock", 0644))->WriteAt(0, contents).ok());
  }

  TemporaryDirectory directory_;
  FileSystem& posix_ = PosixFileSystem();
  const std::string data_ = directory_ / "Data.fs";
};

TEST_F(LockTest, ContentIsThatOfZcLockfile) {
  const auto lock = DataFileLock::Take(posix_, data_, {.mode = 0640});
  ASSERT_TRUE(lock.ok()) << lock.status();
  EXPECT_EQ(Contents(), absl::StrCat(" ", ::getpid(), "\n"));
  EXPECT_EQ(posix_.Stat(data_ + ".lock")->mode & 0700, 0600u);
}

TEST_F(LockTest, LongerContentOfAnEarlierHolderIsReplaced) {
  Write(" 12345678901234\nhost\n");
  const auto lock = DataFileLock::Take(posix_, data_, {.mode = 0640});
  ASSERT_TRUE(lock.ok()) << lock.status();
  EXPECT_EQ(Contents(), absl::StrCat(" ", ::getpid(), "\n"));
}

TEST_F(LockTest, ASecondOneIsRefusedAndToldWhoHasIt) {
  const auto first = DataFileLock::Take(posix_, data_, {.mode = 0640});
  const absl::Status status = DataFileLock::Take(posix_, data_, {.mode = 0640}).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(status.message(), AllOf(HasSubstr(data_ + ".lock"), HasSubstr(absl::StrCat("process ", ::getpid()))));
  EXPECT_EQ(Contents(), absl::StrCat(" ", ::getpid(), "\n")) << "the holder's content stays";
}

TEST_F(LockTest, UnreadableContentIsNotQuoted) {
  for (const char* contents : {"", "\n", "no number", "123456789012345678901234567890123456789"}) {
    const auto holder = posix_.OpenOrCreate(data_ + ".lock", 0644);
    ASSERT_TRUE((*holder)->Truncate(0).ok());
    ASSERT_TRUE((*holder)->WriteAt(0, contents).ok());
    ASSERT_TRUE((*holder)->LockExclusively().ok());
    const absl::Status status = DataFileLock::Take(posix_, data_, {.mode = 0640}).status();
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_THAT(status.message(), HasSubstr("another process has")) << contents;
  }
}

TEST_F(LockTest, ALinkIsNotFollowed) {
  const std::string target = directory_ / "of_another_user";
  ASSERT_TRUE((*posix_.OpenOrCreate(target, 0644))->WriteAt(0, "kept").ok());
  for (const std::string& to : {target, directory_ / "missing"}) {
    ASSERT_EQ(::symlink(to.c_str(), (data_ + ".lock").c_str()), 0);
    const absl::Status status = DataFileLock::Take(posix_, data_, {.mode = 0640}).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_THAT(status.message(), AllOf(HasSubstr(data_ + ".lock"), HasSubstr("symbolic link")));
    ASSERT_TRUE(posix_.Remove(data_ + ".lock").ok());
  }
  EXPECT_EQ(ReadWholeFile(posix_, target, 100).value(), "kept");
  EXPECT_TRUE(absl::IsNotFound(posix_.Stat(directory_ / "missing").status()));
}

TEST_F(LockTest, IsReleasedWithTheObject) {
  { const auto lock = DataFileLock::Take(posix_, data_, {.mode = 0640}); }
  EXPECT_TRUE(DataFileLock::Take(posix_, data_, {.mode = 0640}).ok());
}

TEST_F(LockTest, AMissingDirectoryIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(DataFileLock::Take(posix_, directory_ / "missing/Data.fs", {.mode = 0640}).status()));
}

}  // namespace
}  // namespace zrs::filestorage
