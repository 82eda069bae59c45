#include "tests/simulation/process_file_system.h"

#include <memory>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "filestorage/format.h"
#include "gtest/gtest.h"
#include "tests/support/encode.h"

namespace zrs::simulation {
namespace {

constexpr char kPath[] = "/data/Data.fs";

class NextFate : public ProcessFate {
 public:
  Fate Before(const FileOperation& operation) override {
    last = operation;
    return fate;
  }
  void OnDied() override { ++died; }
  Fate fate = Fate::kGo;
  FileOperation last;
  int died = 0;
};

class ProcessFileSystemTest : public testing::Test {
 protected:
  ProcessFileSystemTest() { disk_.SetContents(kPath, "FS30"); }

  std::unique_ptr<filestorage::File> Open(ProcessFileSystem& system) {
    auto file = system.OpenForWriting(kPath);
    EXPECT_TRUE(file.ok()) << file.status();
    return *std::move(file);
  }

  // The file as it is after a power loss that takes everything unsynced.
  std::string AfterPowerLoss() {
    const auto copy = disk_.Clone();
    tests::LoseEverything lose_everything;
    copy->Crash(lose_everything);
    return copy->Contents(kPath);
  }

  tests::SimulatedFileSystem disk_;
  NextFate fate_;
  SeededRandom random_{1};
};

TEST_F(ProcessFileSystemTest, PassesOperationsOn) {
  ProcessFileSystem system(disk_, fate_, random_, {});
  const auto file = Open(system);
  EXPECT_TRUE(file->WriteAt(4, "abc").ok());
  EXPECT_EQ(fate_.last.kind, FileOperation::Kind::kWrite);
  EXPECT_EQ(fate_.last.offset, 4u);
  EXPECT_EQ(fate_.last.size, 3u);
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_EQ(AfterPowerLoss(), "FS30abc");
}

TEST_F(ProcessFileSystemTest, KillFreesLocksAndEndsAllEffects) {
  ProcessFileSystem system(disk_, fate_, random_, {});
  const auto file = Open(system);
  ASSERT_TRUE(file->LockExclusively().ok());
  system.Kill();
  EXPECT_TRUE(absl::IsUnavailable(file->WriteAt(4, "abc")));
  EXPECT_TRUE(absl::IsUnavailable(file->Sync()));
  EXPECT_TRUE(absl::IsUnavailable(system.Remove(kPath)));
  EXPECT_EQ(disk_.Contents(kPath), "FS30");
  ProcessFileSystem next(disk_, fate_, random_, {});
  EXPECT_TRUE(Open(next)->LockExclusively().ok());
}

TEST_F(ProcessFileSystemTest, DyingInAWriteLeavesWholePagesOfIt) {
  const std::string data(10000, 'x');
  std::set<size_t> sizes;
  for (int i = 0; i < 50; ++i) {
    disk_.SetContents(kPath, "FS30");
    fate_ = NextFate();
    ProcessFileSystem system(disk_, fate_, random_, {});
    const auto file = Open(system);
    fate_.fate = Fate::kDie;
    EXPECT_TRUE(absl::IsUnavailable(file->WriteAt(4, data)));
    EXPECT_EQ(fate_.died, 1);
    EXPECT_TRUE(system.dead());
    sizes.insert(disk_.Contents(kPath).size());
  }
  EXPECT_EQ(sizes, (std::set<size_t>{4, 4096, 8192, 10004}));
}

TEST_F(ProcessFileSystemTest, FailedSyncIsNotMadeGoodByTheNext) {
  ProcessFileSystem system(disk_, fate_, random_, {});
  const auto file = Open(system);
  ASSERT_TRUE(file->WriteAt(4, "abc").ok());
  fate_.fate = Fate::kFail;
  EXPECT_TRUE(absl::IsDataLoss(file->Sync()));
  fate_.fate = Fate::kGo;
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_FALSE(absl::StrContains(AfterPowerLoss(), "abc"));
}

TEST_F(ProcessFileSystemTest, LiesAboutSyncs) {
  ProcessFileSystem system(disk_, fate_, random_, {.ignore_file_syncs = true, .path = kPath});
  const auto file = Open(system);
  ASSERT_TRUE(file->WriteAt(4, "abc").ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_EQ(AfterPowerLoss(), "FS30");
}

TEST_F(ProcessFileSystemTest, LiesAboutTheHeadersSyncAlone) {
  ProcessFileSystem system(disk_, fate_, random_, {.ignore_header_syncs = true, .path = kPath});
  const auto file = Open(system);
  const std::string header = tests::EncodeTransactionHeader({.tid = 1, .length = 23, .status = 'c'});
  ASSERT_TRUE(file->WriteAt(4, header).ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_EQ(AfterPowerLoss(), "FS30");
  ASSERT_TRUE(file->WriteAt(27, "rest").ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_EQ(AfterPowerLoss(), "FS30" + header + "rest");
}

}  // namespace
}  // namespace zrs::simulation
