// A packed file takes the copy's place: no room and errors of the disk at each operation, and crashes on top of them.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sidecar/replication/lineage.h"
#include "tests/sidecar/storage/crash_outcomes.h"
#include "tests/sidecar/storage/swap_test_fixture.h"

namespace zrs::storage {
namespace {

using tests::FileBuilder;
using tests::SimulatedFileSystem;
using tests::SimulatedOperation;
using Kind = SimulatedOperation::Kind;

class SwapFaultsTest : public SwapTest {};

// What can find the disk full, or say so.
bool MayFindNoRoom(Kind kind) {
  return kind == Kind::kCreate || kind == Kind::kWrite || kind == Kind::kTruncate || kind == Kind::kRename ||
         kind == Kind::kLink || kind == Kind::kSync || kind == Kind::kSyncDirectory;
}

TEST_P(SwapFaultsTest, NoRoomAnywhereHealsOrIsMendedByARestart) {
  const uint64_t operations = CountOperations();
  for (uint64_t n = 1; n <= operations && !HasFailure(); ++n) {
    SCOPED_TRACE(absl::StrCat("no room at operation ", n));
    const auto disk = disk_.Clone();
    bool sync = false;
    disk->SetHook([&](const SimulatedOperation& operation) {
      if (operation.number != n || !MayFindNoRoom(operation.kind)) return absl::OkStatus();
      sync = operation.kind == Kind::kSync || operation.kind == Kind::kSyncDirectory;
      return absl::ResourceExhaustedError("no room (simulated)");
    });
    {
      CopyFile copy(options_, *disk);
      absl::Status done = Open(copy);
      if (absl::IsResourceExhausted(done)) done = Open(copy);
      EXPECT_TRUE(done.ok() || sync) << done;
      if (done.ok()) CheckFinished(*disk);
      copy.Close();
    }
    disk->SetHook(nullptr);
    CrashOutcomes({"/data", "/state"}, 3).ForEach(*disk, n, [this](SimulatedFileSystem& crashed) { Check(crashed); });
  }
}

TEST_P(SwapFaultsTest, AnErrorOfTheDiskAnywhereIsMendedByARestart) {
  const uint64_t operations = CountOperations();
  for (uint64_t n = 1; n <= operations && !HasFailure(); ++n) {
    for (const bool in_order : {true, false}) {
      SCOPED_TRACE(absl::StrCat("an error at operation ", n, in_order ? ", closed in order" : ", killed"));
      const auto disk = disk_.Clone();
      disk->SetHook([n](const SimulatedOperation& operation) {
        return operation.number == n ? absl::DataLossError("I/O error (simulated)") : absl::OkStatus();
      });
      CopyFile copy(options_, *disk);
      const absl::Status done = Open(copy);
      if (done.ok()) CheckFinished(*disk);
      if (in_order) copy.Close();
      disk->SetHook(nullptr);
      CrashOutcomes({"/data", "/state"}, 3).ForEach(*disk, n, [this](SimulatedFileSystem& crashed) { Check(crashed); });
    }
  }
}

// The swap was decided and there was no room for it; then the upstream's address came to lead to a host that still has
// the old file, and more of it.
TEST_P(SwapFaultsTest, ASwapThatWasPutOffDoesNotTakeAwayWhatCameMeanwhile) {
  FileBuilder grown = old_;
  grown.AddMany(1, 100);
  for (const Kind kind : {Kind::kLink, Kind::kRename}) {
    if (kind == Kind::kLink && !GetParam().keep_old) continue;
    const auto disk = disk_.Clone();
    disk->SetHook([&](const SimulatedOperation& operation) {
      const bool full = operation.kind == kind && absl::StartsWith(operation.path, kPath);
      return full ? absl::ResourceExhaustedError("no room (simulated)") : absl::OkStatus();
    });
    CopyFile copy(options_, *disk);
    ASSERT_TRUE(absl::IsResourceExhausted(Open(copy)));
    ASSERT_TRUE(copy.Cut().ok());
    disk->SetHook(nullptr);
    const size_t last = old_.boundaries().size() - 1;
    ASSERT_TRUE(copy.Write(GroupOf(grown, last, last + 1), /*more_expected=*/false).ok());
    const auto killed = disk->Clone();
    CopyFile again(options_, *killed);
    const auto found = again.Open();
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(replication::PositionIn(new_lineage_, found->copy.lineage), 0);
    EXPECT_TRUE(killed->Contents(kPath) == grown.bytes());
  }
}

// It is not wanted any more, and that it was is forgotten: a power loss must not leave it in the way of the next one.
TEST_P(SwapFaultsTest, AFileBesideThatWasDroppedIsNeverInTheWay) {
  CopyFile copy(options_, disk_);
  const auto found = copy.Open();
  ASSERT_TRUE(found.ok());
  ASSERT_TRUE(copy.PrepareRebuild({new_lineage_, new_.magic(), new_.boundaries()[0], new_.size()}).ok());
  ASSERT_TRUE(copy.WriteRebuild(GroupOf(new_, 0, 2)).ok());
  disk_.SetHook([this](const SimulatedOperation& operation) {
    if (operation.IsChange()) {
      CrashOutcomes({"/data", "/state"}, 8).ForEach(disk_, operation.number, [this](SimulatedFileSystem& crashed) {
        Check(crashed);
      });
    }
    return absl::OkStatus();
  });
  ASSERT_TRUE(copy.DropRebuild().ok());
  disk_.SetHook(nullptr);
  EXPECT_FALSE(disk_.Exists(kNewPath));
}

INSTANTIATE_TEST_SUITE_P(All, SwapFaultsTest, SwapCases(), SwapCaseName);

}  // namespace
}  // namespace zrs::storage
