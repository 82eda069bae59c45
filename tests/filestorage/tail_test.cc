// The events of a file that grows, loses aborted transactions, and changes its name; and what is synced and read.
#include "filestorage/tail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/filestorage/tail_test_fixture.h"

namespace zrs::tests {
namespace {

using filestorage::Boundary;
using filestorage::FirstBoundary;
using filestorage::Magic;
using filestorage::TailEvent;
using filestorage::TailReport;
using testing::HasSubstr;
class TailGrowthTest : public TailTest {};

INSTANTIATE_TEST_SUITE_P(FileSystems, TailGrowthTest, testing::Values(TailTestFiles::kPosix, TailTestFiles::kSimulated),
                         [](const auto& parameter) {
                           return parameter.param == TailTestFiles::kPosix ? "Posix" : "Simulated";
                         });

// ---- growth

TEST_P(TailGrowthTest, AFileWithoutTransactionsHasNothingYet) {
  const TailReport report = Poll();
  EXPECT_EQ(report.event, TailEvent::kNothingYet);
  EXPECT_EQ(report.end, FirstBoundary(Magic::kFs30));
  EXPECT_EQ(report.file_size, 4u);
  EXPECT_EQ(report.pending_bytes, 0u);
  EXPECT_FALSE(report.more);
}

TEST_P(TailGrowthTest, ACommitIsReportedOnce) {
  Open();
  writer_->Commit(Transaction(1, 100));
  const TailReport report = Poll();
  EXPECT_EQ(report.event, TailEvent::kAdvanced);
  EXPECT_EQ(report.end, writer_->end());
  EXPECT_EQ(tail_->end(), writer_->end());
  EXPECT_EQ(report.file_size, writer_->end().offset);
  EXPECT_FALSE(report.more);
  EXPECT_EQ(Poll().event, TailEvent::kNothingYet);
}

TEST_P(TailGrowthTest, SeveralCommitsAreOneReport) {
  for (filestorage::Tid tid = 1; tid <= 20; ++tid) writer_->Commit(Transaction(tid, 100 * tid));
  EXPECT_EQ(Poll().end, writer_->end());
  EXPECT_EQ(Poll().event, TailEvent::kNothingYet);
}

TEST_P(TailGrowthTest, PackedAndUndoneTransactionsAreCommitted) {
  for (const char status : {'p', 'u'}) {
    tests::TransactionSpec transaction = Transaction(1, 100);
    transaction.status = status;
    writer_->Commit(transaction);
    EXPECT_EQ(Poll().end, writer_->end()) << status;
  }
}

TEST_P(TailGrowthTest, AnEmptyTransactionIsCommitted) {
  writer_->Commit({.tid = 1});
  EXPECT_EQ(Poll().end, writer_->end());
}

TEST_P(TailGrowthTest, TidsThatDoNotIncreaseAreTakenAndCounted) {
  CommitAndPoll(5, 100);
  writer_->Commit(Transaction(4, 100));
  writer_->Commit(Transaction(6, 100));
  writer_->Commit(Transaction(6, 100));
  TailReport report = Poll();
  EXPECT_EQ(report.event, TailEvent::kAdvanced);
  EXPECT_EQ(report.end, writer_->end());
  EXPECT_EQ(report.decreasing_tids, 2u);
  writer_->Commit(Transaction(1, 100));
  EXPECT_EQ(Poll().decreasing_tids, 1u);
  writer_->Commit(Transaction(2, 100));
  EXPECT_EQ(Poll().decreasing_tids, 0u);
}

TEST_P(TailGrowthTest, AVoteIsNothingYetAndItsFinishAdvances) {
  CommitAndPoll(1, 100);
  const Boundary before = writer_->end();
  writer_->Vote(Transaction(2, 100));
  const TailReport report = Poll();
  EXPECT_EQ(report.event, TailEvent::kNothingYet);
  EXPECT_EQ(report.end, before);
  EXPECT_EQ(report.pending_bytes, writer_->voted().offset - before.offset);
  writer_->Finish();
  EXPECT_EQ(Poll().event, TailEvent::kAdvanced);
  EXPECT_EQ(tail_->end(), writer_->end());
}

TEST_P(TailGrowthTest, AVoteBehindNewCommitsIsLeftOut) {
  Open();
  writer_->Commit(Transaction(1, 100));
  writer_->Commit(Transaction(2, 100));
  writer_->Vote(Transaction(3, 100));
  const TailReport report = Poll();
  EXPECT_EQ(report.event, TailEvent::kAdvanced);
  EXPECT_EQ(report.end, writer_->end());
  EXPECT_EQ(report.pending_bytes, writer_->voted().offset - writer_->end().offset);
}

TEST_P(TailGrowthTest, ACommittedHeaderWithoutItsWholeBodyIsNothingYet) {
  CommitAndPoll(1, 100);
  const std::string bytes = NextTransaction(Transaction(2, 200));
  writer_->WriteAt(writer_->end().offset, bytes.substr(0, bytes.size() - 1));
  EXPECT_EQ(Poll().event, TailEvent::kNothingYet);
  writer_->WriteAt(writer_->end().offset + bytes.size() - 1, bytes.substr(bytes.size() - 1));
  EXPECT_EQ(Poll().end, BoundaryBehind(bytes, writer_->end().offset));
}

TEST_P(TailGrowthTest, AFileOfPython2IsFollowed) {
  tests::FileBuilder builder(Magic::kFs21);
  builder.AddMany(3, 50);
  writer_->WriteAt(0, builder.bytes());
  EXPECT_EQ(Poll().end, builder.end());
  EXPECT_EQ(tail_->magic(), Magic::kFs21);
}

// ---- aborts

TEST_P(TailGrowthTest, AnAbortedVoteIsReportedOnce) {
  CommitAndPoll(1, 100);
  writer_->Vote(Transaction(2, 100));
  EXPECT_EQ(Poll().event, TailEvent::kNothingYet);
  writer_->Abort();
  const TailReport report = Poll();
  EXPECT_EQ(report.event, TailEvent::kAborted);
  EXPECT_THAT(report.reason, HasSubstr("aborted"));
  EXPECT_EQ(report.end, writer_->end());
  EXPECT_EQ(report.pending_bytes, 0u);
  EXPECT_EQ(Poll().event, TailEvent::kNothingYet);
}

TEST_P(TailGrowthTest, AnotherVoteInPlaceOfAnAbortedOneIsReportedOnce) {
  CommitAndPoll(1, 100);
  writer_->Vote(Transaction(2, 100));
  EXPECT_EQ(Poll().event, TailEvent::kNothingYet);
  writer_->Abort();
  writer_->Vote(Transaction(3, 300));
  EXPECT_EQ(Poll().event, TailEvent::kAborted);
  EXPECT_EQ(Poll().event, TailEvent::kNothingYet);
}

TEST_P(TailGrowthTest, ATransactionInPlaceOfAnAbortedOneOfEqualLengthAdvances) {
  CommitAndPoll(1, 100);
  writer_->Vote(Transaction(2, 100));
  EXPECT_EQ(Poll().event, TailEvent::kNothingYet);
  writer_->Abort();
  writer_->Commit(Transaction(3, 100));
  EXPECT_EQ(Poll().event, TailEvent::kAdvanced);
  EXPECT_EQ(tail_->end(), writer_->end());
  EXPECT_EQ(tail_->end().tid, 3u);
}

TEST_P(TailGrowthTest, AnAbortWhoseVoteWasNeverSeenIsNoEvent) {
  CommitAndPoll(1, 100);
  writer_->Vote(Transaction(2, 100));
  writer_->Abort();
  EXPECT_EQ(Poll().event, TailEvent::kNothingYet);
}

// ---- the name

TEST_P(TailGrowthTest, AnotherFileUnderTheNameIsReportedAgainAndAgain) {
  CommitAndPoll(1, 100);
  writer_->Commit(Transaction(2, 100));
  ReplaceFile();
  for (int i = 0; i < 2; ++i) {
    const TailReport report = Poll();
    EXPECT_EQ(report.event, TailEvent::kReplaced);
    EXPECT_EQ(report.end.tid, 1u);
    EXPECT_THAT(report.reason, HasSubstr(path_));
  }
}

TEST_P(TailGrowthTest, AFileMissingForAMomentIsFollowedAgain) {
  CommitAndPoll(1, 100);
  Rename("Data.fs", "Data.fs.old");
  for (int i = 0; i < 2; ++i) {
    const TailReport report = Poll();
    EXPECT_EQ(report.event, TailEvent::kMissing);
    EXPECT_THAT(report.reason, HasSubstr(path_));
  }
  Rename("Data.fs.old", "Data.fs");
  CommitAndPoll(2, 100);
  EXPECT_EQ(tail_->end(), writer_->end());
}

TEST_P(TailGrowthTest, APackIsMissingThenReplaced) {
  CommitAndPoll(1, 100);
  Rename("Data.fs", "Data.fs.old");
  EXPECT_EQ(Poll().event, TailEvent::kMissing);
  ReplaceFile();
  EXPECT_EQ(Poll().event, TailEvent::kReplaced);
}

TEST_P(TailGrowthTest, AFileThatLostItsNameIsReadToItsEnd) {
  CommitAndPoll(1, 100);
  writer_->Commit(Transaction(2, 100));
  const Boundary last = writer_->end();
  ReplaceFile();
  tail_->Unname();
  EXPECT_EQ(Poll().event, TailEvent::kAdvanced);
  EXPECT_EQ(tail_->end(), last);
  EXPECT_EQ(Poll().event, TailEvent::kNothingYet);
}

TEST_P(TailGrowthTest, AFileReplacedWhileItWasSyncedIsNotReportedAsAdvanced) {
  CommitAndPoll(1, 100);
  const Boundary before = writer_->end();
  writer_->Commit(Transaction(2, 100));
  spy_.on_sync = [this] { ReplaceFile(); };
  const TailReport report = Poll();
  EXPECT_EQ(report.event, TailEvent::kReplaced);
  EXPECT_EQ(report.end, before);
}

TEST_P(TailGrowthTest, AFileMissingWhileItWasSyncedIsReportedWhenItIsBack) {
  CommitAndPoll(1, 100);
  writer_->Commit(Transaction(2, 100));
  spy_.on_sync = [this] { Rename("Data.fs", "Data.fs.old"); };
  EXPECT_EQ(Poll().event, TailEvent::kMissing);
  spy_.on_sync = [] {};
  Rename("Data.fs.old", "Data.fs");
  EXPECT_EQ(Poll().event, TailEvent::kAdvanced);
  EXPECT_EQ(tail_->end(), writer_->end());
}

// ---- syncs

// The end that is known at the start is told to followers before anything new is committed.
constexpr uint64_t kSyncsAtOpen = 1;

TEST_P(TailGrowthTest, EachNewCommittedEndIsSyncedOnceBeforeItIsReported) {
  Open();
  spy_.on_sync = [this] { EXPECT_NE(tail_->end(), writer_->end()); };
  for (filestorage::Tid tid = 1; tid <= 5; ++tid) {
    writer_->Commit(Transaction(tid, 100));
    EXPECT_EQ(Poll().event, TailEvent::kAdvanced);
    EXPECT_EQ(spy_.syncs, kSyncsAtOpen + tid);
    EXPECT_EQ(tail_->end(), writer_->end());
  }
}

TEST_P(TailGrowthTest, NothingIsSyncedWhenNothingIsNew) {
  Poll();
  writer_->Vote(Transaction(1, 100));
  Poll();
  writer_->Abort();
  Poll();
  writer_->WriteAt(writer_->end().offset, std::string(100, 'x'));
  Poll();
  ReplaceFile();
  Poll();
  EXPECT_EQ(spy_.syncs, kSyncsAtOpen);
}

TEST_P(TailGrowthTest, AFailedSyncIsAnErrorForEver) {
  CommitAndPoll(1, 100);
  const Boundary before = writer_->end();
  writer_->Commit(Transaction(2, 100));
  spy_.sync_status = absl::DataLossError("no disk");
  EXPECT_EQ(tail_->Poll().status(), spy_.sync_status);
  spy_.sync_status = absl::OkStatus();
  EXPECT_EQ(tail_->Poll().status(), absl::DataLossError("no disk"));
  EXPECT_EQ(tail_->end(), before);
}

}  // namespace
}  // namespace zrs::tests
