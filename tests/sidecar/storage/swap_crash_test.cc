// A packed file takes the copy's place: crashes, kills and errors at each operation, and in the start that follows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/storage/copy_file.h"
#include "sidecar/storage/state_file.h"
#include "tests/sidecar/storage/crash_outcomes.h"
#include "tests/support/file_builder.h"
#include "tests/support/read_index_model.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::storage {
namespace {

using filestorage::Boundary;
using tests::FileBuilder;
using tests::SimulatedFileSystem;
using tests::SimulatedOperation;
using Kind = SimulatedOperation::Kind;

constexpr char kPath[] = "/data/Data.fs";
constexpr char kOldPath[] = "/data/Data.fs.old";
constexpr char kNewPath[] = "/data/Data.fs.zrs-new";
constexpr char kIndexPath[] = "/data/Data.fs.index";
constexpr char kSavedPath[] = "/data/Data.fs.tr0";
constexpr char kForeignPath[] = "/data/Other.fs";
constexpr char kStatePath[] = "/state/1.state";

struct Case {
  std::string name;
  bool keep_old = true;
  bool older = false;  // there is a Data.fs.old of an earlier pack
  // The pack dropped nothing but the last transaction, of a file that was packed before: the new file is the beginning
  // of the old one.
  bool prefix = false;
};

v1::Lineage MakeLineage(int epochs, const Boundary& left) {
  v1::Lineage lineage;
  lineage.set_database_id(std::string(16, 'd'));
  for (int i = 0; i < epochs; ++i) {
    v1::Epoch* epoch = lineage.add_epochs();
    epoch->set_id(std::string(16, static_cast<char>('1' + i)));
    epoch->set_origin(i == 0 ? v1::Epoch::ORIGIN_FIRST : v1::Epoch::ORIGIN_REPLACED);
    epoch->set_generation(1);
    if (i > 0) *epoch->mutable_left() = replication::ToProto(left);
  }
  return lineage;
}

replication::WriteGroup GroupOf(const FileBuilder& file, size_t from, size_t to) {
  const uint64_t begin = file.boundaries()[from].offset;
  const Boundary& end = file.boundaries()[to];
  return {{file.bytes().substr(begin, end.offset - begin)}, end, ""};
}

class SwapCrashTest : public testing::TestWithParam<Case> {
 protected:
  SwapCrashTest() {
    MakeFiles();
    options_.name = "1";
    options_.path = kPath;
    options_.state_path = kStatePath;
    options_.keep_old = GetParam().keep_old;
    disk_.SetContents(kPath, old_.bytes());
    disk_.SetContents(kIndexPath, "of the old file");
    disk_.SetContents(kSavedPath, "a saved tail");
    disk_.SetContents(kForeignPath, "of somebody else");
    if (GetParam().older) disk_.SetContents(kOldPath, kOlder);
    disk_.CreateDirectories("/state", 0755).IgnoreError();
    State state;
    state.path = kPath;
    state.role = "secondary";
    state.lineage = old_lineage_;
    state.lower_bound = old_.boundaries()[3];
    EXPECT_TRUE(StateFile(disk_, kStatePath).Save(state).ok());
  }

  // Opens the copy on `disk` and does all that is still to be done.
  absl::Status Run(SimulatedFileSystem& disk) {
    CopyFile copy(options_, disk);
    return Open(copy);
  }
  absl::Status Open(CopyFile& copy) {
    auto found = copy.Open();
    if (!found.ok()) return found.status();
    return GoOn(copy, found->copy);
  }
  // From what is known of the copy; as a session and its storage do it, for what heals by itself too.
  absl::Status GoOn(CopyFile& copy, replication::Copy known);
  absl::Status Rebuild(CopyFile& copy, const replication::Copy& known);
  absl::Status WriteBehind(CopyFile& copy, const Boundary& committed);

  // What holds after a crash at any moment.
  void Check(SimulatedFileSystem& disk);
  void CheckOpener(const SimulatedFileSystem& disk);
  void CheckFinished(SimulatedFileSystem& disk);
  // The whole way, with `look` called before each change.
  void RunWithLook(SimulatedFileSystem& disk, const std::function<void(uint64_t operation)>& look);
  // The same once more, of a start on what a crash left.
  void CheckCrashesOfStart(const SimulatedFileSystem& left, uint64_t salt, CrashOutcomes& outcomes);
  uint64_t CountOperations() {
    const auto disk = disk_.Clone();
    EXPECT_TRUE(Run(*disk).ok());
    return disk->operations();
  }

  static constexpr char kOlder[] = "of an earlier pack";
  FileBuilder old_;
  FileBuilder new_;    // where it is when it takes the old one's place
  FileBuilder after_;  // and later
  v1::Lineage old_lineage_;
  v1::Lineage new_lineage_;
  StorageOptions options_;
  SimulatedFileSystem disk_;

 private:
  void MakeFiles();
};

void SwapCrashTest::MakeFiles() {
  const auto add = [](FileBuilder& file, uint64_t n, char status, size_t size) {
    tests::TransactionSpec transaction{.tid = tests::TestTid(n), .status = status};
    if (size > 0) transaction.records.push_back({.oid = n, .data = std::string(size, 'd')});
    file.Add(std::move(transaction));
  };
  const char before = GetParam().prefix ? filestorage::kStatusPacked : filestorage::kStatusComplete;
  for (uint64_t n = 1; n <= 8; ++n) {
    add(old_, n, before, 900);
    if (GetParam().prefix || n % 2 == 0) add(new_, n, filestorage::kStatusPacked, 900);
  }
  if (GetParam().prefix) add(old_, 9, filestorage::kStatusComplete, 0);
  if (!GetParam().prefix) add(new_, 10, filestorage::kStatusComplete, 5000);
  after_ = new_;
  add(after_, 11, filestorage::kStatusComplete, 300);
  add(after_, 12, filestorage::kStatusComplete, 300);
  old_lineage_ = MakeLineage(1, {});
  new_lineage_ = MakeLineage(2, old_.end());
}

absl::Status SwapCrashTest::WriteBehind(CopyFile& copy, const Boundary& committed) {
  size_t at = 0;
  while (at < after_.boundaries().size() && after_.boundaries()[at] != committed) ++at;
  if (at == after_.boundaries().size()) return absl::InternalError("the copy is no beginning of the new file");
  const size_t last = after_.boundaries().size() - 1;
  absl::Status written = at == last ? absl::OkStatus() : copy.Write(GroupOf(after_, at, last), /*more_expected=*/false);
  if (written.ok()) copy.SaveState().IgnoreError();  // as SecondarySource: it only saves time
  return written;
}

absl::Status SwapCrashTest::Rebuild(CopyFile& copy, const replication::Copy& known) {
  size_t at = 0;
  if (known.rebuild && replication::PositionIn(new_lineage_, known.rebuild->lineage) == 1) {
    for (size_t n = 1; n < new_.boundaries().size(); ++n) {
      if (known.rebuild->committed == new_.boundaries()[n]) at = n;
    }
  }
  replication::PrepareRebuild prepare{new_lineage_, new_.magic(), new_.boundaries()[at], new_.size()};
  if (auto prepared = copy.PrepareRebuild(prepare); !prepared.ok()) return prepared;
  const size_t last = new_.boundaries().size() - 1;
  for (const size_t to : {last / 2, last}) {
    if (to <= at) continue;
    if (auto written = copy.WriteRebuild(GroupOf(new_, at, to)); !written.ok()) return written;
    at = to;
  }
  const auto proof = copy.ProveRebuild();
  if (!proof.ok()) return proof.status();
  EXPECT_TRUE(proof->proved()) << proof->reason;
  return copy.Swap({new_.end()});
}

absl::Status SwapCrashTest::GoOn(CopyFile& copy, replication::Copy known) {
  if (replication::PositionIn(new_lineage_, known.lineage) == 1) return WriteBehind(copy, known.committed);
  absl::Status done = Rebuild(copy, known);
  if (absl::IsResourceExhausted(done)) {
    // There is room again.
    if (absl::Status cut = copy.Cut(); !cut.ok()) return cut;
    known.rebuild = copy.rebuild();
    done = Rebuild(copy, known);
  }
  if (!done.ok()) return done;
  done = WriteBehind(copy, new_.end());
  if (!absl::IsResourceExhausted(done)) return done;
  if (absl::Status cut = copy.Cut(); !cut.ok()) return cut;
  return WriteBehind(copy, new_.end());
}

void SwapCrashTest::CheckOpener(const SimulatedFileSystem& disk) {
  ASSERT_TRUE(disk.Exists(kPath)) << "the name is gone";
  const std::string live = disk.Contents(kPath);
  const tests::ReadIndexResult opened = tests::ReadIndexModel(live);
  ASSERT_FALSE(opened.refused) << opened.reason;
  const std::string found = live.substr(0, opened.end);
  const bool is_old = found == old_.bytes();
  const bool is_new = opened.end >= new_.size() && absl::StartsWith(after_.bytes(), found);
  ASSERT_TRUE(is_old || is_new) << "an opener finds " << opened.end << " bytes that are neither the old file nor the "
                                << "new one";
  if (GetParam().keep_old) {
    ASSERT_TRUE(is_old || disk.Contents(kOldPath) == old_.bytes()) << "the old file is lost";
  }
  ASSERT_EQ(disk.Contents(kSavedPath), "a saved tail");
  ASSERT_EQ(disk.Contents(kForeignPath), "of somebody else");
  ASSERT_FALSE(disk.Exists("/data/Data.fs.tr1")) << "a tail was saved that was our own";
  if (is_new && !is_old) {
    ASSERT_FALSE(disk.Exists(kIndexPath)) << "an index of the old file beside the new one";
  }
}

void SwapCrashTest::CheckFinished(SimulatedFileSystem& disk) {
  ASSERT_TRUE(disk.Contents(kPath) == after_.bytes());
  ASSERT_FALSE(disk.Exists(kNewPath));
  ASSERT_FALSE(disk.Exists(kIndexPath));
  if (GetParam().keep_old) {
    ASSERT_TRUE(disk.Contents(kOldPath) == old_.bytes());
    ASSERT_EQ(disk.Contents(absl::StrCat(kOldPath, "1")), GetParam().older ? kOlder : "");
  } else {
    ASSERT_EQ(disk.Contents(kOldPath), GetParam().older ? kOlder : "");
  }
  CheckOpener(disk);
}

void SwapCrashTest::Check(SimulatedFileSystem& disk) {
  CheckOpener(disk);
  if (HasFailure()) return;
  CopyFile copy(options_, disk);
  auto found = copy.Open();
  ASSERT_TRUE(found.ok()) << found.status();
  CheckOpener(disk);
  if (HasFailure()) return;
  const bool in_new = replication::PositionIn(new_lineage_, found->copy.lineage) == 1;
  const std::string committed = disk.Contents(kPath);
  ASSERT_EQ(committed.size(), found->copy.committed.offset);
  if (in_new) {
    ASSERT_TRUE(absl::StartsWith(after_.bytes(), committed)) << "the state tells of the new file";
    ASSERT_GE(committed.size(), new_.size());
  } else {
    ASSERT_TRUE(committed == old_.bytes()) << "the state tells of the old file";
  }
  const absl::Status finished = GoOn(copy, found->copy);
  ASSERT_TRUE(finished.ok()) << finished;
  CheckFinished(disk);
}

void SwapCrashTest::RunWithLook(SimulatedFileSystem& disk, const std::function<void(uint64_t)>& look) {
  disk.SetHook([&](const SimulatedOperation& operation) {
    if (operation.IsChange() && !HasFailure()) look(operation.number);
    return absl::OkStatus();
  });
  const absl::Status done = Run(disk);
  disk.SetHook(nullptr);
  ASSERT_TRUE(done.ok()) << done;
  if (!HasFailure()) look(disk.operations());
}

void SwapCrashTest::CheckCrashesOfStart(const SimulatedFileSystem& left, uint64_t salt, CrashOutcomes& outcomes) {
  const auto disk = left.Clone();
  RunWithLook(*disk, [&](uint64_t operation) {
    SCOPED_TRACE(absl::StrCat("and the next start before its operation ", operation));
    outcomes.ForEach(*disk, salt + operation, [this](SimulatedFileSystem& crashed) { Check(crashed); });
  });
}

TEST_P(SwapCrashTest, TheWholeWay) {
  ASSERT_TRUE(Run(disk_).ok());
  CheckFinished(disk_);
  EXPECT_GT(disk_.operations(), 60u);
}

TEST_P(SwapCrashTest, ACrashAnywhere) {
  CrashOutcomes outcomes({"/data", "/state"}, 8);
  RunWithLook(disk_, [&](uint64_t operation) {
    SCOPED_TRACE(absl::StrCat("crash before operation ", operation));
    outcomes.ForEach(disk_, operation, [this](SimulatedFileSystem& crashed) { Check(crashed); });
  });
}

TEST_P(SwapCrashTest, ACrashAnywhereAndInTheNextStart) {
  CrashOutcomes outcomes({"/data", "/state"}, 1);
  CrashOutcomes of_start({"/data", "/state"}, 1);
  RunWithLook(disk_, [&](uint64_t operation) {
    SCOPED_TRACE(absl::StrCat("crash before operation ", operation));
    outcomes.ForEach(disk_, operation,
                     [&](SimulatedFileSystem& crashed) { CheckCrashesOfStart(crashed, 1000 * operation, of_start); });
  });
}

// What can find the disk full, or say so.
bool MayFindNoRoom(Kind kind) {
  return kind == Kind::kCreate || kind == Kind::kWrite || kind == Kind::kTruncate || kind == Kind::kRename ||
         kind == Kind::kLink || kind == Kind::kSync || kind == Kind::kSyncDirectory;
}

TEST_P(SwapCrashTest, NoRoomAnywhereHealsOrIsMendedByARestart) {
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

TEST_P(SwapCrashTest, AnErrorOfTheDiskAnywhereIsMendedByARestart) {
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
TEST_P(SwapCrashTest, ASwapThatWasPutOffDoesNotTakeAwayWhatCameMeanwhile) {
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
TEST_P(SwapCrashTest, AFileBesideThatWasDroppedIsNeverInTheWay) {
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

INSTANTIATE_TEST_SUITE_P(All, SwapCrashTest,
                         testing::Values(Case{"KeepOld"}, Case{"KeepOldWithAnOlderOne", true, true},
                                         Case{"WithoutKeepOld", false},
                                         Case{"WithoutKeepOldWithAnOlderOne", false, true},
                                         Case{"ThePackedFileIsTheBeginningOfTheOldOne", true, false, true}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace zrs::storage
