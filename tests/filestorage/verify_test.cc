#include "filestorage/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/file_builder.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::filestorage {
namespace {

using testing::HasSubstr;
using tests::FileBuilder;
using tests::SimulatedOperation;
using tests::TestTid;

class VerifyTest : public testing::Test {
 protected:
  VerifyReport VerifyBytes(const std::string& bytes) {
    file_system_.SetContents("/Data.fs", bytes);
    const absl::StatusOr<VerifyReport> report = Verify(file_system_, "/Data.fs", nullptr);
    EXPECT_TRUE(report.ok()) << report.status();
    EXPECT_EQ(report->file_size, bytes.size());
    return *report;
  }

  tests::SimulatedFileSystem file_system_;
};

TEST_F(VerifyTest, SoundFile) {
  for (const Magic magic : {Magic::kFs21, Magic::kFs30}) {
    const FileBuilder file = FileBuilder(magic).AddMany(6, 100);
    const VerifyReport report = VerifyBytes(file.bytes());
    EXPECT_TRUE(report.sound) << report.reason;
    EXPECT_EQ(report.end, file.end());
    EXPECT_EQ(report.transactions, 6u);
    EXPECT_EQ(report.records, 12u);
    EXPECT_EQ(report.uncommitted_bytes, 0u);
    EXPECT_EQ(report.decreasing_tids, 0u);
    EXPECT_EQ(report.reason, "");
  }
}

TEST_F(VerifyTest, FileLargerThanManyReads) {
  const FileBuilder file = FileBuilder().AddMany(30, 150'000);
  ASSERT_GT(file.size(), 8u << 20);
  const VerifyReport report = VerifyBytes(file.bytes());
  EXPECT_TRUE(report.sound) << report.reason;
  EXPECT_EQ(report.end, file.end());
  EXPECT_EQ(report.records, 60u);
}

// Data that is passed over unread.
TEST_F(VerifyTest, LargeRecords) {
  FileBuilder file;
  const std::string large(5 << 20, 'x');
  file.Add({.tid = TestTid(1), .records = {{.oid = 1, .data = large}, {.oid = 2, .data = "small"}}});
  file.Add({.tid = TestTid(2), .records = {{.oid = 1, .data = "small"}}});
  EXPECT_EQ(VerifyBytes(file.bytes()).end, file.end());
  file.Add({.tid = TestTid(3), .records = {{.oid = 2, .data = "small"}, {.oid = 1, .data = large}}});
  VerifyReport report = VerifyBytes(file.bytes());
  EXPECT_TRUE(report.sound) << report.reason;
  EXPECT_EQ(report.end, file.end());
  EXPECT_EQ(report.records, 5u);
  report = VerifyBytes(file.bytes() + "incomplete");
  EXPECT_EQ(report.end, file.end());
  EXPECT_EQ(report.uncommitted_bytes, 10u);
}

TEST_F(VerifyTest, FileEndsWithinALargeRecord) {
  FileBuilder file = FileBuilder().AddMany(1, 10);
  const Boundary committed = file.end();
  file.Add({.tid = TestTid(9), .records = {{.oid = 1, .data = std::string(6 << 20, 'x')}}});
  for (const uint64_t size : {committed.offset + 100, committed.offset + (5 << 20), file.size() - 9, file.size() - 8}) {
    const VerifyReport report = VerifyBytes(file.bytes().substr(0, size));
    EXPECT_TRUE(report.sound) << report.reason;
    EXPECT_EQ(report.end, committed);
    EXPECT_EQ(report.uncommitted_bytes, size - committed.offset);
  }
}

TEST_F(VerifyTest, DamageBehindALargeRecord) {
  FileBuilder file = FileBuilder().AddMany(1, 10);
  const Boundary committed = file.end();
  file.Add({.tid = TestTid(9), .records = {{.oid = 1, .data = std::string(6 << 20, 'x')}}});
  std::string bytes = file.bytes();
  bytes.back() ^= 1;
  const VerifyReport report = VerifyBytes(bytes);
  EXPECT_FALSE(report.sound);
  EXPECT_EQ(report.position, file.size() - kLengthSize);
  EXPECT_EQ(report.end, committed);
}

TEST_F(VerifyTest, LastTransactionThatChangesMeanwhileIsAborted) {
  FileBuilder file;
  file.Add({.tid = TestTid(9), .records = {{.oid = 1, .data = std::string(6 << 20, 'x')}}});
  file_system_.SetContents("/Data.fs", file.bytes());
  int reads = 0;
  file_system_.SetHook([&](const SimulatedOperation& operation) {
    reads += operation.kind == SimulatedOperation::Kind::kRead ? 1 : 0;
    if (reads == 5) file_system_.SetContents("/Data.fs", "FS30");
    return absl::OkStatus();
  });
  const absl::Status status = Verify(file_system_, "/Data.fs", nullptr).status();
  EXPECT_TRUE(absl::IsAborted(status)) << status;
}

TEST_F(VerifyTest, NoTransactions) {
  const VerifyReport report = VerifyBytes("FS30");
  EXPECT_TRUE(report.sound);
  EXPECT_EQ(report.end, FirstBoundary(Magic::kFs30));
}

TEST_F(VerifyTest, EmptyFileIsUnsound) {
  const VerifyReport report = VerifyBytes("");
  EXPECT_FALSE(report.sound);
  EXPECT_EQ(report.end, Boundary{});
  EXPECT_THAT(report.reason, HasSubstr("empty"));
}

TEST_F(VerifyTest, PartOfTheMagicIsUnsound) {
  const VerifyReport report = VerifyBytes("FS3");
  EXPECT_FALSE(report.sound);
  EXPECT_THAT(report.reason, HasSubstr("'FS3'"));
}

TEST_F(VerifyTest, AnotherMagicIsUnsound) {
  const VerifyReport report = VerifyBytes("SQLite format 3");
  EXPECT_FALSE(report.sound);
  EXPECT_EQ(report.position, 0u);
  EXPECT_THAT(report.reason, HasSubstr("not a FileStorage"));
}

TEST_F(VerifyTest, TransactionInProgressIsNoDamage) {
  FileBuilder file = FileBuilder().AddMany(2, 100);
  const Boundary committed = file.end();
  file.Add({.tid = TestTid(9), .status = kStatusInProgress, .records = {{.oid = 1, .data = "voted"}}});
  const VerifyReport report = VerifyBytes(file.bytes());
  EXPECT_TRUE(report.sound) << report.reason;
  EXPECT_EQ(report.end, committed);
  EXPECT_EQ(report.uncommitted_bytes, file.size() - committed.offset);
  EXPECT_EQ(report.transactions, 2u);
}

// Cut off with it, by ZODB, would be what was committed behind it.
TEST_F(VerifyTest, TransactionInProgressThatBytesFollowIsDamage) {
  const FileBuilder file = FileBuilder().AddMany(4, 100);
  std::string bytes = file.bytes();
  const Boundary& before = file.boundaries()[2];
  const Boundary& behind = file.boundaries()[3];
  bytes[before.offset + kTransactionStatusOffset] = kStatusInProgress;
  for (const uint64_t following : {uint64_t{1}, bytes.size() - behind.offset}) {
    const VerifyReport report = VerifyBytes(bytes.substr(0, behind.offset + following));
    EXPECT_FALSE(report.sound);
    EXPECT_EQ(report.end, before);
    EXPECT_EQ(report.position, before.offset);
    EXPECT_EQ(report.reason,
              absl::StrCat("the transaction is marked as in progress, and ", following, " bytes follow it"));
    EXPECT_EQ(report.transactions, 2u);
    EXPECT_EQ(report.uncommitted_bytes, 0u);
  }
  EXPECT_TRUE(VerifyBytes(bytes.substr(0, behind.offset)).sound);
}

// As a secondary announces what it appends.
TEST_F(VerifyTest, TransactionInProgressOfALengthBeyondAnyFileIsNoDamage) {
  const FileBuilder file = FileBuilder().AddMany(4, 100);
  const Boundary& before = file.boundaries()[2];
  for (const uint64_t length : {~uint64_t{0}, ~uint64_t{0} - 8, ~uint64_t{0} - before.offset, uint64_t{1} << 63}) {
    std::string bytes = file.bytes();
    bytes.replace(before.offset + 8, 8, EncodeUint64(length));
    bytes[before.offset + kTransactionStatusOffset] = kStatusInProgress;
    const VerifyReport report = VerifyBytes(bytes);
    EXPECT_TRUE(report.sound) << report.reason;
    EXPECT_EQ(report.end, before);
    EXPECT_EQ(report.uncommitted_bytes, bytes.size() - before.offset);
  }
}

// Whatever is looked at after the writer went on: no false alarm.
TEST_F(VerifyTest, WriterThatFinishesAndAppendsBetweenTwoReadsIsNoDamage) {
  FileBuilder file = FileBuilder().AddMany(3, 100);
  const Boundary& before = file.boundaries()[2];
  std::string voted = file.bytes();
  voted[before.offset + kTransactionStatusOffset] = kStatusInProgress;
  file.AddMany(2, 100);
  for (int at = 1; at <= 8; ++at) {
    SCOPED_TRACE(at);
    file_system_.SetContents("/Data.fs", voted);
    int operations = 0;
    file_system_.SetHook([&](const SimulatedOperation&) {
      if (++operations == at) file_system_.SetContents("/Data.fs", file.bytes());
      return absl::OkStatus();
    });
    const absl::StatusOr<VerifyReport> report = Verify(file_system_, "/Data.fs", nullptr);
    file_system_.SetHook(nullptr);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_TRUE(report->sound) << report->reason;
  }
}

TEST_F(VerifyTest, IncompleteTransactionIsNoDamage) {
  const FileBuilder file = FileBuilder().AddMany(2, 100);
  const Boundary& committed = file.boundaries()[1];
  for (const uint64_t extra : {uint64_t{1}, uint64_t{22}, uint64_t{23}, file.size() - committed.offset - 1}) {
    const VerifyReport report = VerifyBytes(file.bytes().substr(0, committed.offset + extra));
    EXPECT_TRUE(report.sound) << report.reason;
    EXPECT_EQ(report.end, committed);
    EXPECT_EQ(report.uncommitted_bytes, extra);
  }
}

TEST_F(VerifyTest, DamageIsReportedWithItsPosition) {
  const FileBuilder file = FileBuilder().AddMany(4, 100);
  std::string bytes = file.bytes();
  const Boundary& before = file.boundaries()[2];
  bytes[before.offset + kTransactionStatusOffset] = '?';
  const VerifyReport report = VerifyBytes(bytes);
  EXPECT_FALSE(report.sound);
  EXPECT_EQ(report.end, before);
  EXPECT_EQ(report.position, before.offset);
  EXPECT_THAT(report.reason, HasSubstr("invalid status"));
  EXPECT_EQ(report.transactions, 2u);
  EXPECT_EQ(report.uncommitted_bytes, 0u);
}

TEST_F(VerifyTest, DecreasingTidsAreAWarning) {
  FileBuilder file;
  file.Add({.tid = TestTid(2)}).Add({.tid = TestTid(1)}).Add({.tid = TestTid(3)});
  const VerifyReport report = VerifyBytes(file.bytes());
  EXPECT_TRUE(report.sound);
  EXPECT_EQ(report.decreasing_tids, 1u);
}

// A writer that took an aborted transaction back, and began another in its place, between two reads.
TEST_F(VerifyTest, DamageThatAFreshReadDoesNotFindIsNone) {
  const FileBuilder file = FileBuilder().AddMany(4, 100);
  std::string torn = file.bytes();
  torn[file.boundaries()[2].offset + kTransactionStatusOffset] = '?';
  file_system_.SetContents("/Data.fs", torn);
  int reads = 0;
  file_system_.SetHook([&](const SimulatedOperation& operation) {
    reads += operation.kind == SimulatedOperation::Kind::kRead ? 1 : 0;
    if (reads == 3) file_system_.SetContents("/Data.fs", file.bytes());  // after the magic and the first piece
    return absl::OkStatus();
  });
  const absl::StatusOr<VerifyReport> report = Verify(file_system_, "/Data.fs", nullptr);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->sound) << report->reason;
  EXPECT_EQ(report->reason, "");
  EXPECT_EQ(report->end, file.end());
  EXPECT_EQ(report->transactions, 4u);
  EXPECT_EQ(report->records, 8u);
}

TEST_F(VerifyTest, FileThatShrinksToItsCommittedEnd) {
  FileBuilder file = FileBuilder().AddMany(2, 100);
  const std::string committed = file.bytes();
  file.AddMany(1, 3'000'000);
  file_system_.SetContents("/Data.fs", file.bytes().substr(0, file.size() - 1));
  int reads = 0;
  file_system_.SetHook([&](const SimulatedOperation& operation) {
    reads += operation.kind == SimulatedOperation::Kind::kRead ? 1 : 0;
    if (reads == 3) file_system_.SetContents("/Data.fs", committed);
    return absl::OkStatus();
  });
  const absl::StatusOr<VerifyReport> report = Verify(file_system_, "/Data.fs", nullptr);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->sound) << report->reason;
  EXPECT_EQ(report->transactions, 2u);
}

TEST_F(VerifyTest, ProgressIsToldUpToTheEnd) {
  const FileBuilder file = FileBuilder().AddMany(40, 250'000);
  file_system_.SetContents("/Data.fs", file.bytes());
  std::vector<std::pair<uint64_t, uint64_t>> calls;
  ASSERT_TRUE(Verify(file_system_, "/Data.fs", [&](uint64_t done, uint64_t total) {
                calls.emplace_back(done, total);
                return true;
              }).ok());
  ASSERT_GE(calls.size(), 2u);
  for (size_t i = 1; i < calls.size(); ++i) EXPECT_GT(calls[i].first, calls[i - 1].first);
  EXPECT_EQ(calls.back(), std::make_pair(file.size(), file.size()));
}

TEST_F(VerifyTest, ProgressCanStopIt) {
  file_system_.SetContents("/Data.fs", FileBuilder().AddMany(2, 100).bytes());
  const absl::Status status = Verify(file_system_, "/Data.fs", [](uint64_t, uint64_t) { return false; }).status();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr("/Data.fs"));
}

TEST_F(VerifyTest, MissingFileIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(Verify(file_system_, "/Data.fs", nullptr).status()));
}

TEST_F(VerifyTest, AReadThatFailsIsAnError) {
  file_system_.SetContents("/Data.fs", FileBuilder().AddMany(2, 100).bytes());
  for (int failing = 1; failing <= 2; ++failing) {
    int reads = 0;
    file_system_.SetHook([&](const SimulatedOperation& operation) {
      reads += operation.kind == SimulatedOperation::Kind::kRead ? 1 : 0;
      return reads == failing ? absl::DataLossError("injected") : absl::OkStatus();
    });
    EXPECT_TRUE(absl::IsDataLoss(Verify(file_system_, "/Data.fs", nullptr).status())) << "read " << failing;
  }
}

}  // namespace
}  // namespace zrs::filestorage
