// What a copy gives up, and what it is adopted as: crashes and kills at each operation.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sidecar/storage/options.h"
#include "sidecar/storage/secondary/copy_file.h"
#include "sidecar/storage/state_file.h"
#include "tests/sidecar/storage/crash_outcomes.h"
#include "tests/support/file_builder.h"
#include "tests/support/read_index_model.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::storage {
namespace {

using filestorage::Boundary;
using tests::SimulatedFileSystem;
using tests::SimulatedOperation;

constexpr char kPath[] = "/data/Data.fs";
constexpr char kStatePath[] = "/state/1.state";
constexpr char kDifference[] = "it differs";

v1::Lineage LineageOf(char epoch) {
  v1::Lineage lineage;
  lineage.set_database_id(std::string(16, 'd'));
  v1::Epoch* only = lineage.add_epochs();
  only->set_id(std::string(16, epoch));
  only->set_origin(v1::Epoch::ORIGIN_FIRST);
  only->set_generation(1);
  return lineage;
}

class ResyncCrashTest : public testing::Test {
 protected:
  ResyncCrashTest() {
    file_.AddMany(9, 700);
    options_.name = "1";
    options_.node_id = std::string(16, 'n');
    options_.path = kPath;
    options_.state_path = kStatePath;
    disk_.SetContents(kPath, file_.bytes());
    disk_.SetContents("/data/Data.fs.index", "of the file");
    disk_.SetContents("/data/Data.fs.tr0", "an earlier tail");
    disk_.SetContents("/data/Data.fs1", "an earlier file");
    disk_.CreateDirectories("/state", 0755).IgnoreError();
  }

  // A copy that a comparison has found to differ.
  void SaveState() {
    State state;
    state.path = kPath;
    state.role = "secondary";
    state.lineage = LineageOf('o');
    state.lower_bound = file_.end();
    state.difference = kDifference;
    EXPECT_TRUE(StateFile(disk_, kStatePath).Save(state).ok());
  }

  static CopyFile::GiveUp GiveUp(const Boundary& same) {
    tests::FileBuilder file;
    file.AddMany(9, 700);
    return {LineageOf('n'), same, file.size(), false, "2026-11-23T06:00:00.000001Z"};
  }
  using Step = std::function<absl::Status(CopyFile&)>;
  static Step CutBack(const Boundary& same) {
    return [same](CopyFile& copy) {
      absl::Status would = copy.RehearseGivingUp(0);
      return would.ok() ? copy.CutBack(GiveUp(same)).status() : would;
    };
  }
  static absl::Status MoveAway(CopyFile& copy) { return copy.MoveAway(GiveUp({})).status(); }

  // Opens the copy and does it; before each change, `check` is called with what a crash would leave.
  void Run(const Step& step, const std::function<void(SimulatedFileSystem&)>& check) {
    CrashOutcomes outcomes({"/data", "/state"}, 8);
    CopyFile copy(options_, disk_);
    ASSERT_TRUE(copy.Open().ok());
    disk_.SetHook([&](const SimulatedOperation& operation) {
      if (!operation.IsChange() || HasFailure()) return absl::OkStatus();
      SCOPED_TRACE(absl::StrCat("crash before operation ", operation.number));
      outcomes.ForEach(disk_, operation.number, check);
      return absl::OkStatus();
    });
    EXPECT_TRUE(step(copy).ok());
    disk_.SetHook(nullptr);
    copy.Close();
    outcomes.ForEach(disk_, 0, check);
  }

  // Some file has what there was from `begin` on, or all of it.
  bool IsKept(SimulatedFileSystem& disk, uint64_t begin) const {
    for (const char* name : {"Data.fs", "Data.fs2", "Data.fs.tr1", "Data.fs.tr2"}) {
      const std::string bytes = disk.Contents(absl::StrCat("/data/", name));
      if (bytes == file_.bytes() || bytes == file_.bytes().substr(begin)) return true;
    }
    return false;
  }
  void CheckForeign(SimulatedFileSystem& disk) {
    EXPECT_EQ(disk.Contents("/data/Data.fs.tr0"), "an earlier tail");
    EXPECT_EQ(disk.Contents("/data/Data.fs1"), "an earlier file");
  }
  void CheckOpener(SimulatedFileSystem& disk, uint64_t least) {
    const tests::ReadIndexResult opened = tests::ReadIndexModel(disk.Contents(kPath));
    ASSERT_FALSE(opened.refused) << opened.reason;
    ASSERT_GE(opened.end, least);
    ASSERT_TRUE(absl::StartsWith(file_.bytes(), disk.Contents(kPath).substr(0, opened.end)));
  }

  tests::FileBuilder file_;
  StorageOptions options_;
  SimulatedFileSystem disk_;
};

TEST_F(ResyncCrashTest, ATailIsGivenUp) {
  SaveState();
  const Boundary same = file_.boundaries()[6];
  Run(CutBack(same), [&](SimulatedFileSystem& disk) {
    CheckForeign(disk);
    EXPECT_TRUE(IsKept(disk, same.offset));
    CheckOpener(disk, same.offset);
    CopyFile copy(options_, disk);
    const auto found = copy.Open();
    ASSERT_TRUE(found.ok()) << found.status();
    // The difference is forgotten with what differed, and not before.
    const bool cut = found->copy.committed == same;
    EXPECT_TRUE(cut || !found->difference.empty());
    EXPECT_TRUE(cut || disk.Contents(kPath).size() >= same.offset);
    if (found->difference.empty()) {
      EXPECT_EQ(found->copy.lineage.epochs(0).id(), LineageOf('n').epochs(0).id());
      EXPECT_FALSE(disk.Exists("/data/Data.fs.index"));
    }
    // A person types it again.
    EXPECT_TRUE(copy.CutBack(GiveUp(same)).ok());
    EXPECT_EQ(disk.Contents(kPath), file_.bytes().substr(0, same.offset));
    EXPECT_TRUE(IsKept(disk, same.offset));
  });
}

TEST_F(ResyncCrashTest, AWholeFileIsMovedAway) {
  SaveState();
  Run(MoveAway, [&](SimulatedFileSystem& disk) {
    CheckForeign(disk);
    EXPECT_TRUE(IsKept(disk, 0));
    CopyFile copy(options_, disk);
    const auto found = copy.Open();
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_TRUE(!found->copy.magic || !found->difference.empty());
    if (found->copy.magic) {
      EXPECT_TRUE(copy.MoveAway(GiveUp({})).ok());
      EXPECT_TRUE(IsKept(disk, 0));
    }
    EXPECT_FALSE(disk.Exists(kPath));
  });
}

TEST_F(ResyncCrashTest, WhatNobodyKnewNorSyncedIsDurableOnceItIsMovedAway) {
  ASSERT_TRUE(disk_.Remove(kPath).ok());
  auto file = disk_.CreateExclusively(kPath, 0644);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->WriteAt(0, file_.bytes()).ok());
  CopyFile copy(options_, disk_);
  ASSERT_TRUE(copy.Open().ok());
  ASSERT_TRUE(MoveAway(copy).ok());
  EXPECT_EQ(disk_.DurableContents("/data/Data.fs2", 0, UINT64_MAX), file_.bytes());
}

TEST_F(ResyncCrashTest, AFileThatNobodyKnewIsAdopted) {
  const std::string torn = tests::EncodeTransaction(
      {.tid = file_.end().tid + 5, .records = {{.oid = 3, .data = std::string(900, 't')}}}, file_.size());
  disk_.SetContents(kPath, file_.bytes() + torn.substr(0, 500));
  const auto adopt = [&](CopyFile& copy) {
    absl::Status adopted = copy.AdoptUnproved(LineageOf('n'), file_.end(), file_.size() + 500);
    return adopted.ok() ? copy.Open().status() : adopted;
  };
  Run(adopt, [&](SimulatedFileSystem& disk) {
    CheckForeign(disk);
    CopyFile copy(options_, disk);
    auto found = copy.Open();
    ASSERT_TRUE(found.ok()) << found.status();
    if (found->unproved) {
      ASSERT_TRUE(adopt(copy).ok());
    } else {
      EXPECT_EQ(found->copy.committed, file_.end());
    }
    EXPECT_EQ(disk.Contents(kPath), file_.bytes());
    EXPECT_TRUE(disk.Contents("/data/Data.fs.tr1") == torn.substr(0, 500) ||
                disk.Contents("/data/Data.fs.tr2") == torn.substr(0, 500));
    EXPECT_FALSE(disk.Exists("/data/Data.fs.index"));
  });
}

TEST_F(ResyncCrashTest, WhatNobodyKnewIsGivenUpInPart) {
  const Boundary same = file_.boundaries()[6];
  Run(CutBack(same), [&](SimulatedFileSystem& disk) {
    CheckForeign(disk);
    EXPECT_TRUE(IsKept(disk, same.offset));
    CheckOpener(disk, same.offset);
    CopyFile copy(options_, disk);
    const auto found = copy.Open();
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_TRUE(found->unproved || !found->difference.empty() || found->copy.committed == same);
  });
  EXPECT_EQ(disk_.Contents(kPath), file_.bytes().substr(0, same.offset));
}

}  // namespace
}  // namespace zrs::storage
