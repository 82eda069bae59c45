#include "tests/sidecar/storage/swap_test_fixture.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "filestorage/format.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/lineage.h"
#include "tests/support/read_index_model.h"

namespace zrs::storage {

using filestorage::Boundary;
using tests::FileBuilder;
using tests::SimulatedFileSystem;
using tests::SimulatedOperation;

namespace {

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

}  // namespace

replication::WriteGroup GroupOf(const FileBuilder& file, size_t from, size_t to) {
  const uint64_t begin = file.boundaries()[from].offset;
  const Boundary& end = file.boundaries()[to];
  return {{file.bytes().substr(begin, end.offset - begin)}, end, ""};
}

void SwapTest::MakeFiles() {
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

absl::Status SwapTest::WriteBehind(CopyFile& copy, const Boundary& committed) {
  size_t at = 0;
  while (at < after_.boundaries().size() && after_.boundaries()[at] != committed) ++at;
  if (at == after_.boundaries().size()) return absl::InternalError("the copy is no beginning of the new file");
  const size_t last = after_.boundaries().size() - 1;
  absl::Status written = at == last ? absl::OkStatus() : copy.Write(GroupOf(after_, at, last), /*more_expected=*/false);
  if (written.ok()) copy.SaveState().IgnoreError();  // as SecondarySource: it only saves time
  return written;
}

absl::Status SwapTest::Rebuild(CopyFile& copy, const replication::Copy& known) {
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
  return copy.Swap({new_.end()}, kSwapTime);
}

absl::Status SwapTest::GoOn(CopyFile& copy, replication::Copy known) {
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

void SwapTest::CheckOpener(const SimulatedFileSystem& disk) {
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

void SwapTest::CheckFinished(SimulatedFileSystem& disk) {
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

void SwapTest::Check(SimulatedFileSystem& disk) {
  CheckOpener(disk);
  if (HasFailure()) return;
  CopyFile copy(options_, disk);
  auto found = copy.Open();
  ASSERT_TRUE(found.ok()) << found.status();
  CheckOpener(disk);
  if (HasFailure()) return;
  const bool in_new = replication::PositionIn(new_lineage_, found->copy.lineage) == 1;
  ASSERT_EQ(found->swap_to_tell, in_new ? std::optional<std::string>(kSwapTime) : std::nullopt)
      << "nobody was told of the swap";
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

void SwapTest::RunWithLook(SimulatedFileSystem& disk, const std::function<void(uint64_t)>& look) {
  disk.SetHook([&](const SimulatedOperation& operation) {
    if (operation.IsChange() && !HasFailure()) look(operation.number);
    return absl::OkStatus();
  });
  const absl::Status done = Run(disk);
  disk.SetHook(nullptr);
  ASSERT_TRUE(done.ok()) << done;
  if (!HasFailure()) look(disk.operations());
}

void SwapTest::CheckCrashesOfStart(const SimulatedFileSystem& left, uint64_t salt, CrashOutcomes& outcomes) {
  const auto disk = left.Clone();
  RunWithLook(*disk, [&](uint64_t operation) {
    SCOPED_TRACE(absl::StrCat("and the next start before its operation ", operation));
    outcomes.ForEach(*disk, salt + operation, [this](SimulatedFileSystem& crashed) { Check(crashed); });
  });
}

}  // namespace zrs::storage
