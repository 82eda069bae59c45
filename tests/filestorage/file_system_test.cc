#include "filestorage/file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/simulated_file_system.h"

namespace zrs::filestorage {
namespace {

using tests::SimulatedFileSystem;
using tests::SimulatedOperation;

TEST(DirectoryOfTest, DirectoryPart) {
  EXPECT_EQ(DirectoryOf("/var/zope/Data.fs"), "/var/zope");
  EXPECT_EQ(DirectoryOf("zope/Data.fs"), "zope");
  EXPECT_EQ(DirectoryOf("/Data.fs"), "/");
  EXPECT_EQ(DirectoryOf("Data.fs"), ".");
  EXPECT_EQ(DirectoryOf("zope//Data.fs"), "zope");
  EXPECT_EQ(DirectoryOf("//Data.fs"), "/");
}

class WholeFileTest : public testing::Test {
 protected:
  WholeFileTest() { EXPECT_TRUE(file_system_.CreateDirectories("/d", 0755).ok()); }
  SimulatedFileSystem file_system_;
};

TEST_F(WholeFileTest, ReplaceCreates) {
  EXPECT_TRUE(ReplaceFile(file_system_, "/d/f", "contents", 0600).ok());
  EXPECT_EQ(file_system_.Contents("/d/f"), "contents");
  EXPECT_FALSE(file_system_.Exists("/d/f.new"));
}

TEST_F(WholeFileTest, ReplaceReplacesByShorterContents) {
  file_system_.SetContents("/d/f", "long old contents");
  EXPECT_TRUE(ReplaceFile(file_system_, "/d/f", "new", 0600).ok());
  EXPECT_EQ(file_system_.Contents("/d/f"), "new");
}

TEST_F(WholeFileTest, ReplaceUsesWhatACrashLeft) {
  file_system_.SetContents("/d/f.new", "half of something longer");
  EXPECT_TRUE(ReplaceFile(file_system_, "/d/f", "new", 0600).ok());
  EXPECT_EQ(file_system_.Contents("/d/f"), "new");
}

TEST_F(WholeFileTest, ReplaceThatFailsAnywhereLeavesTheOldOrTheNew) {
  int failed = 0;
  for (uint64_t failing = 1;; ++failing) {
    file_system_.SetContents("/d/f", "old");
    uint64_t count = 0;
    file_system_.SetHook([&](const SimulatedOperation&) {
      return ++count == failing ? absl::DataLossError("injected") : absl::OkStatus();
    });
    const absl::Status status = ReplaceFile(file_system_, "/d/f", "new", 0600);
    file_system_.SetHook(nullptr);
    if (status.ok()) break;
    ++failed;
    EXPECT_TRUE(absl::IsDataLoss(status));
    const std::string contents = file_system_.Contents("/d/f");
    EXPECT_TRUE(contents == "old" || contents == "new") << contents;
  }
  EXPECT_EQ(failed, 6) << "create, truncate, write, sync, rename, sync of the directory";
}

TEST_F(WholeFileTest, ReplaceSyncsBeforeAndAfterTheRename) {
  std::vector<SimulatedOperation::Kind> kinds;
  file_system_.SetHook([&](const SimulatedOperation& operation) {
    kinds.push_back(operation.kind);
    return absl::OkStatus();
  });
  EXPECT_TRUE(ReplaceFile(file_system_, "/d/f", "new", 0600).ok());
  using Kind = SimulatedOperation::Kind;
  EXPECT_THAT(kinds, testing::ElementsAre(Kind::kCreate, Kind::kTruncate, Kind::kWrite, Kind::kSync, Kind::kRename,
                                          Kind::kSyncDirectory));
}

TEST_F(WholeFileTest, ReadReads) {
  for (const size_t size : {0, 1, 4095, 4096, 4097, 100'000}) {
    const std::string contents(size, 'x');
    file_system_.SetContents("/d/f", contents);
    EXPECT_EQ(ReadWholeFile(file_system_, "/d/f", size).value(), contents) << size;
    EXPECT_EQ(ReadWholeFile(file_system_, "/d/f", ~uint64_t{0}).value(), contents) << size;
  }
}

TEST_F(WholeFileTest, ReadRefusesMoreThanTheLimit) {
  file_system_.SetContents("/d/f", "12345");
  const absl::Status status = ReadWholeFile(file_system_, "/d/f", 4).status();
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_THAT(status.message(), testing::HasSubstr("/d/f"));
}

TEST_F(WholeFileTest, ReadRefusesWhatGrewPastTheLimit) {
  file_system_.SetContents("/d/f", "1234");
  file_system_.SetHook([&](const SimulatedOperation& operation) {
    if (operation.kind == SimulatedOperation::Kind::kRead) file_system_.SetContents("/d/f", "123456789");
    return absl::OkStatus();
  });
  const absl::StatusOr<std::string> contents = ReadWholeFile(file_system_, "/d/f", 4);
  file_system_.SetHook(nullptr);
  EXPECT_TRUE(absl::IsResourceExhausted(contents.status()) || *contents == "1234") << *contents;
}

TEST_F(WholeFileTest, ReadOfNoFileIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(ReadWholeFile(file_system_, "/d/f", 4).status()));
}

}  // namespace
}  // namespace zrs::filestorage
