// Opening, reading, and the bounds of a poll.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "filestorage/tail.h"
#include "tests/filestorage/tail_test_fixture.h"

namespace zrs::tests {
namespace {

using filestorage::Boundary;
using filestorage::FirstBoundary;
using filestorage::Magic;
using filestorage::TailEvent;
using filestorage::TailReport;
class TailOpenTest : public TailTest {};

INSTANTIATE_TEST_SUITE_P(FileSystems, TailOpenTest, testing::Values(TailTestFiles::kPosix, TailTestFiles::kSimulated),
                         [](const auto& parameter) {
                           return parameter.param == TailTestFiles::kPosix ? "Posix" : "Simulated";
                         });

// ---- Open

TEST_P(TailOpenTest, OpenOfAMissingFileIsNotFound) {
  Rename("Data.fs", "other");
  ExpectOpenFails(absl::StatusCode::kNotFound, "Data.fs");
}

TEST_P(TailOpenTest, OpenOfADirectoryIsInvalid) {
  Rename("Data.fs", "other");
  ASSERT_TRUE(base_->CreateDirectories(path_, 0755).ok());
  // The simulated disk does not open one at all.
  const bool posix = GetParam() == TailTestFiles::kPosix;
  ExpectOpenFails(posix ? absl::StatusCode::kInvalidArgument : absl::StatusCode::kNotFound, path_);
}

TEST_P(TailOpenTest, OpenOfAnEmptyFileIsUnavailable) {
  writer_->Truncate(0);
  ExpectOpenFails(absl::StatusCode::kUnavailable, "created");
}

TEST_P(TailOpenTest, OpenOfAFileWithAPartOfTheMagicIsUnavailable) {
  writer_->Truncate(3);
  ExpectOpenFails(absl::StatusCode::kUnavailable, "3 bytes");
}

TEST_P(TailOpenTest, OpenOfAnotherKindOfFileIsDataLoss) {
  writer_->WriteAt(0, "SQLite format 3");
  ExpectOpenFails(absl::StatusCode::kDataLoss, path_);
}

TEST_P(TailOpenTest, ASecondTailOfTheFileIsRefusedWhileTheFirstLives) {
  Open();
  ExpectOpenFails(absl::StatusCode::kUnavailable, path_);
  tail_.reset();
  Open();
}

TEST_P(TailOpenTest, OpenGoesOnFromAKnownBoundary) {
  tests::FileBuilder builder;
  builder.AddMany(20, 1000);
  writer_->WriteAt(0, builder.bytes());
  Open(builder.boundaries()[15]);
  EXPECT_EQ(tail_->end(), builder.boundaries()[15]);
  EXPECT_EQ(Poll().end, builder.end());
  EXPECT_LT(spy_.read_bytes, builder.size());
}

TEST_P(TailOpenTest, OpenGoesOnFromTheKnownEnd) {
  writer_->Commit(Transaction(1, 300'000));
  Open(writer_->end());
  EXPECT_EQ(Poll().event, TailEvent::kNothingYet);
  CommitAndPoll(2, 100);
}

TEST_P(TailOpenTest, OpenGoesOnFromTheKnownMagic) {
  Open(FirstBoundary(Magic::kFs30));
  CommitAndPoll(1, 100);
}

TEST_P(TailOpenTest, OpenRefusesAKnownBoundaryBeyondTheEnd) {
  writer_->Commit(Transaction(1, 100));
  const Boundary known = writer_->end();
  writer_->Truncate(60);
  ExpectOpenFails(absl::StatusCode::kFailedPrecondition, "60 bytes", known);
}

TEST_P(TailOpenTest, OpenRefusesAnotherTransactionAtTheKnownBoundary) {
  writer_->Commit(Transaction(0x10, 100));
  const Boundary known = writer_->end();
  SimulatedWriter other(*base_, path_, FirstBoundary(Magic::kFs30));
  other.Commit(Transaction(0x20, 100));
  ExpectOpenFails(absl::StatusCode::kFailedPrecondition, "0000000000000020 was found", known);
}

TEST_P(TailOpenTest, OpenRefusesOtherBytesOfTheKnownTransaction) {
  writer_->Commit(Transaction(1, 100));
  writer_->WriteAt(writer_->end().offset - 20, "x");
  ExpectOpenFails(absl::StatusCode::kFailedPrecondition, "differ", writer_->end());
}

TEST_P(TailOpenTest, OpenRefusesAnotherMagicThanTheKnown) {
  ExpectOpenFails(absl::StatusCode::kFailedPrecondition, "differ", FirstBoundary(Magic::kFs21));
}

TEST_P(TailOpenTest, OpenRefusesABoundaryThatNoFileHas) {
  writer_->Commit(Transaction(1, 100));
  Boundary known = writer_->end();
  known.last_offset = known.offset;
  ExpectOpenFails(absl::StatusCode::kFailedPrecondition, "", known);
}

// ---- Read

TEST_P(TailOpenTest, ReadGivesCommittedBytesAlone) {
  tests::FileBuilder builder;
  builder.AddMany(3, 100);
  writer_->WriteAt(0, builder.bytes());
  Poll();
  SimulatedWriter(*base_, path_, builder.end()).Vote(Transaction(9, 100));
  std::string out(builder.size() + 50, '?');
  auto all = tail_->Read(0, absl::MakeSpan(out.data(), out.size()));
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(out.substr(0, *all), builder.bytes());
  EXPECT_EQ(*tail_->Read(10, absl::MakeSpan(out.data(), 20)), 20u);
  EXPECT_EQ(out.substr(0, 20), builder.bytes().substr(10, 20));
  EXPECT_EQ(*tail_->Read(builder.size(), absl::MakeSpan(out.data(), 20)), 0u);
  EXPECT_EQ(*tail_->Read(builder.size() + 1, absl::MakeSpan(out.data(), 20)), 0u);
}

TEST_P(TailOpenTest, ReadInATruncatedFileIsAnError) {
  CommitAndPoll(1, 100);
  writer_->Truncate(50);
  std::string out(100, '?');
  EXPECT_EQ(tail_->Read(0, absl::MakeSpan(out.data(), out.size())).status().code(), absl::StatusCode::kDataLoss);
}

// ---- bounds

TEST_P(TailOpenTest, ALongFileIsReportedProgressively) {
  tests::FileBuilder builder;
  builder.AddMany(200, 100);
  writer_->WriteAt(0, builder.bytes());
  options_.read_size = 512;
  options_.max_bytes_per_poll = 4096;
  Open();
  uint64_t reports = 0;
  for (bool more = true; more; ++reports) {
    const Boundary before = tail_->end();
    const TailReport report = Poll();
    if (!report.more && report.event == TailEvent::kNothingYet) break;
    EXPECT_EQ(report.event, TailEvent::kAdvanced);
    EXPECT_THAT(builder.boundaries(), testing::Contains(report.end));
    EXPECT_GT(report.end.offset, before.offset);
    EXPECT_LE(report.end.offset, before.offset + 4096 + 512);
    more = report.more;
  }
  EXPECT_EQ(tail_->end(), builder.end());
  EXPECT_GE(reports, builder.size() / (4096 + 512));
}

TEST_P(TailOpenTest, NoByteOfALongFileIsReadMoreThanTwice) {
  tests::FileBuilder builder;
  builder.AddMany(300, 1000);
  writer_->WriteAt(0, builder.bytes());
  options_.read_size = 4096;
  options_.max_bytes_per_poll = 65536;
  Open();
  PollToTheEnd(*tail_);
  EXPECT_EQ(tail_->end(), builder.end());
  EXPECT_LE(spy_.read_bytes, 2 * builder.size());
}

TEST_P(TailOpenTest, ATransactionLargerThanAPollIsReadOnceInPieces) {
  writer_->Commit(Transaction(1, 100'000));
  options_.read_size = 1000;
  options_.max_bytes_per_poll = 10'000;
  Open();
  int polls = 0;
  TailReport report;
  for (report = Poll(); report.more; report = Poll()) {
    EXPECT_EQ(report.event, TailEvent::kNothingYet);
    ++polls;
  }
  EXPECT_EQ(report.event, TailEvent::kAdvanced);
  EXPECT_EQ(tail_->end(), writer_->end());
  EXPECT_GE(polls, 10);
  EXPECT_LE(spy_.read_bytes, writer_->end().offset + 65536 + 1000);  // and the window that recognises it
}

TEST_P(TailOpenTest, DamageInATransactionLargerThanAPollIsFound) {
  std::string bytes = NextTransaction(Transaction(1, 100'000));
  bytes.back() = 'x';
  writer_->WriteAt(4, bytes);
  options_.read_size = 1000;
  options_.max_bytes_per_poll = 10'000;
  Open();
  const TailReport report = PollToTheEnd(*tail_);
  EXPECT_EQ(report.event, TailEvent::kCorrupt);
  EXPECT_EQ(report.position, 4 + bytes.size() - 8);
}

}  // namespace
}  // namespace zrs::tests
