// The events of a file that was changed below the committed end, or that continues with unsound bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "filestorage/tail.h"
#include "tests/filestorage/tail_test_fixture.h"

namespace zrs::tests {
namespace {

using filestorage::Boundary;
using filestorage::FirstBoundary;
using filestorage::kTransactionHeaderSize;
using filestorage::Magic;
using filestorage::TailEvent;
using filestorage::TailReport;
using testing::HasSubstr;
class TailDamageTest : public TailTest {};

INSTANTIATE_TEST_SUITE_P(FileSystems, TailDamageTest, testing::Values(TailTestFiles::kPosix, TailTestFiles::kSimulated),
                         [](const auto& parameter) {
                           return parameter.param == TailTestFiles::kPosix ? "Posix" : "Simulated";
                         });

// ---- what contradicts itself behind the committed end

TEST_P(TailDamageTest, BytesBehindATransactionInProgressAreTold) {
  CommitAndPoll(1, 100);
  const uint64_t place = writer_->end().offset + filestorage::kTransactionStatusOffset;
  writer_->Vote(Transaction(2, 100));
  EXPECT_EQ(Poll().reason, "");
  writer_->Finish();
  writer_->WriteAt(place, "c");
  EXPECT_EQ(Poll().reason, "");
  const uint64_t end = writer_->end().offset;
  writer_->Commit(Transaction(3, 100));
  TailReport report = Poll();
  EXPECT_EQ(report.event, TailEvent::kNothingYet);
  EXPECT_THAT(report.reason, HasSubstr(absl::StrCat("is marked as in progress, and ", writer_->end().offset - end,
                                                    " bytes follow it")));
  writer_->WriteAt(place, " ");
  report = Poll();
  EXPECT_EQ(report.event, TailEvent::kAdvanced);
  EXPECT_EQ(report.end, writer_->end());
}

// ---- changed below the committed end

TEST_P(TailDamageTest, AFileTruncatedBelowTheEndIsReportedWithItsSize) {
  CommitAndPoll(1, 100);
  CommitAndPoll(2, 100);
  writer_->Truncate(50);
  for (int i = 0; i < 2; ++i) {
    const TailReport report = Poll();
    EXPECT_EQ(report.event, TailEvent::kTruncated);
    EXPECT_EQ(report.position, 50u);
    EXPECT_EQ(report.end, writer_->end());
    EXPECT_THAT(report.reason, HasSubstr("truncated"));
  }
}

TEST_P(TailDamageTest, ATruncatedFileThatGrewAgainIsOverwritten) {
  CommitAndPoll(1, 100);
  writer_->Truncate(4);
  SimulatedWriter restored(*base_, path_, FirstBoundary(Magic::kFs30));
  restored.Commit(Transaction(8, 100));
  restored.Commit(Transaction(9, 100));
  const TailReport report = Poll();
  EXPECT_EQ(report.event, TailEvent::kOverwritten);
  EXPECT_EQ(report.position, 4u);
}

TEST_P(TailDamageTest, AnOverwrittenMagicIsReported) {
  CommitAndPoll(1, 100);
  writer_->WriteAt(0, "FS21");
  EXPECT_EQ(Poll().event, TailEvent::kOverwritten);
  EXPECT_EQ(Poll().position, 0u);
}

TEST_P(TailDamageTest, AnOverwrittenMagicOfAFileWithoutTransactionsIsReported) {
  EXPECT_EQ(Poll().event, TailEvent::kNothingYet);
  writer_->WriteAt(0, "FS21");
  EXPECT_EQ(Poll().event, TailEvent::kOverwritten);
}

TEST_P(TailDamageTest, AnyOverwrittenByteOfASmallLastTransactionIsReported) {
  CommitAndPoll(1, 100);
  CommitAndPoll(2, 100);
  const Boundary& end = tail_->end();
  for (const uint64_t position : {end.last_offset, (end.last_offset + end.offset) / 2, end.offset - 1}) {
    char byte = 0;
    ASSERT_EQ(*tail_->Read(position, absl::MakeSpan(&byte, 1)), 1u);
    const char changed = static_cast<char>(byte ^ 1);
    writer_->WriteAt(position, absl::string_view(&changed, 1));
    const TailReport report = Poll();
    EXPECT_EQ(report.event, TailEvent::kOverwritten) << position;
    EXPECT_EQ(report.position, end.last_offset);
    writer_->WriteAt(position, absl::string_view(&byte, 1));
    EXPECT_EQ(Poll().event, TailEvent::kNothingYet);
  }
}

TEST_P(TailDamageTest, AnOverwrittenHeaderOrEndOfALargeLastTransactionIsReported) {
  CommitAndPoll(1, 300'000);
  const Boundary& end = tail_->end();
  for (const uint64_t position : {end.last_offset + 7, end.offset - 60'000, end.offset - 1}) {
    char byte = 0;
    ASSERT_EQ(*tail_->Read(position, absl::MakeSpan(&byte, 1)), 1u);
    const char changed = static_cast<char>(byte ^ 1);
    writer_->WriteAt(position, absl::string_view(&changed, 1));
    EXPECT_EQ(Poll().event, TailEvent::kOverwritten) << position;
    writer_->WriteAt(position, absl::string_view(&byte, 1));
    EXPECT_EQ(Poll().event, TailEvent::kNothingYet);
  }
}

// ---- unsound bytes

TEST_P(TailDamageTest, ZerosBehindTheEndAreCorrupt) {
  CommitAndPoll(1, 100);
  ExpectCorrupt(std::string(kTransactionHeaderSize, '\0'), writer_->end().offset, "status");
}

TEST_P(TailDamageTest, FewerZerosThanAHeaderAreNothingYet) {
  CommitAndPoll(1, 100);
  writer_->WriteAt(writer_->end().offset, std::string(kTransactionHeaderSize - 1, '\0'));
  const TailReport report = Poll();
  EXPECT_EQ(report.event, TailEvent::kNothingYet);
  EXPECT_EQ(report.pending_bytes, kTransactionHeaderSize - 1);
}

TEST_P(TailDamageTest, GarbageBehindTheEndIsCorrupt) {
  CommitAndPoll(1, 100);
  ExpectCorrupt(std::string(1000, 'x'), writer_->end().offset, "status");
}

TEST_P(TailDamageTest, ALengthBelowTheHeaderIsCorrupt) {
  std::string bytes = NextTransaction(Transaction(1, 100));
  bytes.replace(8, 8, filestorage::EncodeUint64(22));
  ExpectCorrupt(bytes, writer_->end().offset, "length");
}

TEST_P(TailDamageTest, ALengthBeyondAnyFileIsCorrupt) {
  std::string bytes = NextTransaction(Transaction(1, 100));
  bytes.replace(8, 8, filestorage::EncodeUint64(UINT64_MAX - 3));
  ExpectCorrupt(bytes, writer_->end().offset, "length");
}

TEST_P(TailDamageTest, ARecordOfAnotherTransactionIsCorrupt) {
  CommitAndPoll(1, 100);
  const uint64_t offset = writer_->end().offset;
  const std::string bytes = tests::EncodeTransaction({.tid = 2, .records = {{.oid = 1, .data = "data"}}}, 12'345);
  ExpectCorrupt(bytes, offset + kTransactionHeaderSize, "12345");
}

TEST_P(TailDamageTest, AWrongRedundantLengthIsCorrupt) {
  std::string bytes = NextTransaction(Transaction(1, 100));
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  ExpectCorrupt(bytes, writer_->end().offset + bytes.size() - 8, "redundant length");
}

TEST_P(TailDamageTest, WhatIsSoundIsReportedBeforeWhatIsNot) {
  writer_->Commit(Transaction(1, 100));
  writer_->Commit(Transaction(2, 100));
  writer_->WriteAt(writer_->end().offset, std::string(100, 'x'));
  const TailReport first = Poll();
  EXPECT_EQ(first.event, TailEvent::kAdvanced);
  EXPECT_EQ(first.end, writer_->end());
  EXPECT_TRUE(first.more);
  EXPECT_EQ(Poll().event, TailEvent::kCorrupt);
}

TEST_P(TailDamageTest, DamageThatIsReadOnceOnlyIsNotBelieved) {
  Open();
  writer_->Commit(Transaction(1, 100));
  int damaged = 0;
  spy_.on_read_done = [&damaged](absl::Span<char> bytes) {
    // The first read of the whole transaction; its header was read alone before.
    if (bytes.size() <= kTransactionHeaderSize || damaged++ > 0) return;
    bytes[bytes.size() - 1] = 'x';
  };
  EXPECT_EQ(Poll().event, TailEvent::kAdvanced);
  EXPECT_EQ(tail_->end(), writer_->end());
  EXPECT_GT(damaged, 1);
}

TEST_P(TailDamageTest, DamageThatDiffersAtEachReadIsNotBelieved) {
  Open();
  writer_->Commit(Transaction(1, 100));
  char damage = 1;
  spy_.on_read_done = [&damage](absl::Span<char> bytes) {
    if (bytes.size() > kTransactionHeaderSize) bytes[bytes.size() - 1] = damage++;
  };
  const TailReport report = Poll();
  EXPECT_EQ(report.event, TailEvent::kNothingYet);
  EXPECT_TRUE(report.more);
  spy_.on_read_done = [](absl::Span<char>) {};
  EXPECT_EQ(Poll().end, writer_->end());
}

TEST_P(TailDamageTest, ZerosOfAFileBeingTruncatedAreNotBelieved) {
  // A reader that races with an abort can find zeros in the page from which the vote was cut.
  CommitAndPoll(1, 100);
  const Boundary end = writer_->end();
  writer_->Vote(Transaction(2, 100));
  int zeroed = 0;
  spy_.on_read_done = [&](absl::Span<char> bytes) {
    if (bytes.size() != kTransactionHeaderSize || zeroed++ > 0) return;
    std::fill(bytes.begin(), bytes.end(), '\0');
    writer_->Abort();
  };
  const TailReport report = Poll();
  EXPECT_NE(report.event, TailEvent::kCorrupt);
  EXPECT_EQ(report.end, end);
  EXPECT_EQ(zeroed, 1);
}

TEST_P(TailDamageTest, DamageThatIsRepairedIsFollowedAgain) {
  std::string bytes = NextTransaction(Transaction(1, 100));
  const uint64_t offset = writer_->end().offset;
  const Boundary repaired = BoundaryBehind(bytes, offset);
  bytes.back() = 'x';
  ExpectCorrupt(bytes, repaired.offset - 8, "redundant length");
  writer_->Commit(Transaction(1, 100));
  EXPECT_EQ(Poll().event, TailEvent::kAdvanced);
  EXPECT_EQ(tail_->end(), repaired);
}

}  // namespace
}  // namespace zrs::tests
