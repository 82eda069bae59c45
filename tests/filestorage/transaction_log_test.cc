#include "filestorage/transaction_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "filestorage/announcement.h"
#include "tests/support/file_builder.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::filestorage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using tests::FileBuilder;
using tests::TestTid;

constexpr char kPath[] = "/Data.fs";

class TransactionLogTest : public testing::Test {
 protected:
  LogReport Read(const std::string& bytes, const LogOptions& options = {}) {
    files_.SetContents(kPath, bytes);
    told_.clear();
    const absl::StatusOr<LogReport> report =
        ReadTransactionLog(files_, kPath, options, [this](const LoggedTransaction& transaction) {
          told_.push_back(transaction);
          return true;
        });
    EXPECT_TRUE(report.ok()) << report.status();
    return report.value_or(LogReport());
  }

  std::vector<Tid> Tids() const {
    std::vector<Tid> tids;
    for (const LoggedTransaction& transaction : told_) tids.push_back(transaction.tid);
    return tids;
  }

  std::string Statuses() const {
    std::string statuses;
    for (const LoggedTransaction& transaction : told_) statuses.push_back(transaction.status);
    return statuses;
  }

  tests::SimulatedFileSystem files_;
  std::vector<LoggedTransaction> told_;
};

FileBuilder Three() {
  FileBuilder file;
  file.Add({.tid = TestTid(1), .user = "u1", .description = "d1", .records = {{.oid = 1, .data = "a"}}});
  file.Add({.tid = TestTid(2), .status = kStatusPacked, .user = "", .description = "second", .extension = "e"});
  file.Add({.tid = TestTid(3), .user = "\xff\n", .records = {{.oid = 1, .data = "b"}, {.oid = 2, .data = "c"}}});
  return file;
}

TEST_F(TransactionLogTest, ADataFile) {
  const FileBuilder file = Three();
  const LogReport report = Read(file.bytes());
  EXPECT_TRUE(report.sound);
  EXPECT_FALSE(report.is_tail);
  EXPECT_FALSE(report.stopped);
  EXPECT_EQ(report.end, file.size());
  EXPECT_EQ(report.rest, 0u);
  ASSERT_THAT(Tids(), ElementsAre(TestTid(1), TestTid(2), TestTid(3)));
  EXPECT_EQ(Statuses(), " p ");
  EXPECT_EQ(told_[0].position, 4u);
  EXPECT_EQ(told_[0].size, file.transaction(1).size());
  EXPECT_EQ(told_[0].records, 1u);
  EXPECT_EQ(told_[0].user, "u1");
  EXPECT_EQ(told_[0].description, "d1");
  EXPECT_EQ(told_[1].description, "second");
  EXPECT_EQ(told_[1].records, 0u);
  EXPECT_EQ(told_[2].user, "\xff\n");
  EXPECT_EQ(told_[2].records, 2u);
}

TEST_F(TransactionLogTest, TheLongestStrings) {
  FileBuilder file(Magic::kFs21);
  file.Add({.tid = TestTid(1), .user = std::string(65535, 'u'), .description = std::string(65535, 'd')});
  Read(file.bytes());
  EXPECT_EQ(told_[0].user, std::string(65535, 'u'));
  EXPECT_EQ(told_[0].description, std::string(65535, 'd'));
}

TEST_F(TransactionLogTest, APartOfIt) {
  const std::string bytes = Three().bytes();
  EXPECT_FALSE(Read(bytes, {.from = TestTid(2)}).stopped);
  EXPECT_THAT(Tids(), ElementsAre(TestTid(2), TestTid(3)));
  Read(bytes, {.from = TestTid(1) + 1, .to = TestTid(2)});
  EXPECT_THAT(Tids(), ElementsAre(TestTid(2)));
  Read(bytes, {.to = TestTid(1)});
  EXPECT_THAT(Tids(), ElementsAre(TestTid(1)));
  EXPECT_TRUE(Read(bytes, {.from = TestTid(2), .limit = 1}).stopped);
  EXPECT_THAT(Tids(), ElementsAre(TestTid(2)));
  Read(bytes, {.from = TestTid(4)});
  EXPECT_TRUE(told_.empty());
}

TEST_F(TransactionLogTest, AVisitorThatHasEnough) {
  files_.SetContents(kPath, Three().bytes());
  int calls = 0;
  const absl::StatusOr<LogReport> report =
      ReadTransactionLog(files_, kPath, {}, [&](const LoggedTransaction&) { return ++calls < 2; });
  EXPECT_TRUE(report->stopped);
  EXPECT_EQ(calls, 2);
}

TEST_F(TransactionLogTest, WhatIsNotCommittedIsTold) {
  FileBuilder file = Three();
  const uint64_t end = file.size();
  file.Add({.tid = TestTid(9), .status = kStatusInProgress, .records = {{.oid = 1, .data = "x"}}});
  const LogReport report = Read(file.bytes());
  EXPECT_TRUE(report.sound);
  EXPECT_EQ(report.end, end);
  EXPECT_EQ(report.rest, file.size() - end);
  EXPECT_EQ(told_.size(), 3u);
}

TEST_F(TransactionLogTest, DamageIsTold) {
  const FileBuilder file = Three();
  std::string bytes = file.bytes();
  bytes[file.boundaries()[1].offset + kTransactionStatusOffset] = '?';
  const LogReport report = Read(bytes);
  EXPECT_FALSE(report.sound);
  EXPECT_EQ(report.position, file.boundaries()[1].offset);
  EXPECT_THAT(report.reason, HasSubstr("invalid status"));
  EXPECT_EQ(told_.size(), 1u);
}

TEST_F(TransactionLogTest, WhatIsNeitherADataFileNorATail) {
  for (const std::string& bytes :
       {std::string(), std::string("FS3"), std::string(1000, '\0'), std::string("SQLite format 3, and more of it"),
        std::string(100, 'c'), std::string(200, ' '), std::string(100'000, ' '), std::string(100'000, 'p')}) {
    files_.SetContents(kPath, bytes);
    const absl::Status status =
        ReadTransactionLog(files_, kPath, {}, [](const LoggedTransaction&) { return true; }).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("/Data.fs"));
  }
}

TEST_F(TransactionLogTest, AReadThatFails) {
  files_.SetContents(kPath, Three().bytes());
  for (int failing = 1; failing <= 3; ++failing) {
    int reads = 0;
    files_.SetHook([&](const tests::SimulatedOperation& operation) {
      reads += operation.kind == tests::SimulatedOperation::Kind::kRead ? 1 : 0;
      return reads == failing ? absl::DataLossError("injected") : absl::OkStatus();
    });
    EXPECT_TRUE(absl::IsDataLoss(
        ReadTransactionLog(files_, kPath, {}, [](const LoggedTransaction&) { return true; }).status()));
  }
}

// Saved tails: what was behind the committed end.

class SavedTailTest : public TransactionLogTest {
 protected:
  SavedTailTest() : file_(FileBuilder().AddMany(5, 100)), cut_(file_.size()) {}

  std::string Tail() const { return file_.bytes().substr(cut_); }
  void AddVoted(uint64_t n) {
    file_.Add({.tid = TestTid(n), .status = kStatusInProgress, .user = "voter", .records = {{.oid = n, .data = "x"}}});
  }

  FileBuilder file_;
  const uint64_t cut_;
};

TEST_F(SavedTailTest, OneThatWasVoted) {
  AddVoted(9);
  const LogReport report = Read(Tail());
  EXPECT_TRUE(report.is_tail);
  EXPECT_EQ(report.cut_at, cut_);
  EXPECT_TRUE(report.sound);
  EXPECT_EQ(report.end, Tail().size());
  EXPECT_EQ(report.rest, 0u);
  ASSERT_THAT(Tids(), ElementsAre(TestTid(9)));
  EXPECT_EQ(Statuses(), "c");
  EXPECT_EQ(told_[0].position, 0u);
  EXPECT_EQ(told_[0].size, Tail().size());
  EXPECT_EQ(told_[0].user, "voter");
}

TEST_F(SavedTailTest, SeveralOfEachKind) {
  file_.Add({.tid = TestTid(8)});
  AddVoted(9);
  file_.AddMany(2, 100);
  AddVoted(20);
  file_.Add({.tid = TestTid(21), .status = kStatusUndone, .records = {{.oid = 1}}});
  AddVoted(22);
  const LogReport report = Read(Tail());
  EXPECT_EQ(report.cut_at, cut_);
  EXPECT_TRUE(report.sound) << report.reason;
  EXPECT_EQ(Statuses(), " c  cuc");
  Read(Tail(), {.from = TestTid(9), .limit = 1});
  EXPECT_THAT(Tids(), ElementsAre(TestTid(9)));
}

TEST_F(SavedTailTest, CutAnywhere) {
  AddVoted(9);
  const size_t first = Tail().size();
  AddVoted(10);
  const std::string tail = Tail();
  // From the first header and its strings on.
  for (size_t size = 28; size < tail.size(); ++size) {
    const LogReport report = Read(tail.substr(0, size));
    EXPECT_TRUE(report.sound) << report.reason;
    EXPECT_EQ(told_.size(), size < first ? 0u : 1u) << size;
    EXPECT_EQ(report.rest, size < first ? size : size - first);
    EXPECT_EQ(report.cut_at.has_value(), size >= 28 + kDataHeaderSize);
  }
}

TEST_F(SavedTailTest, AnAnnouncement) {
  file_.Add({.tid = TestTid(9), .user = "u", .records = {{.oid = 7, .data = "x"}}}).AddMany(1, 10);
  const std::string whole = Tail();
  const HeaderWrite announced = AnnouncementWrite(cut_, whole.substr(0, kAnnouncementSize), TestTid(5));
  std::string tail = whole;
  tail.replace(0, announced.bytes.size(), announced.bytes);
  const LogReport report = Read(tail);
  EXPECT_EQ(report.cut_at, cut_);
  EXPECT_EQ(report.end, tail.size());
  ASSERT_EQ(Statuses(), "c ");
  EXPECT_EQ(told_[0].tid, TestTid(9));
  EXPECT_EQ(told_[0].user, "u");
}

TEST_F(SavedTailTest, WithoutARecordItIsNotKnownWhereItWasCut) {
  file_.Add({.tid = TestTid(9), .status = kStatusInProgress, .description = "d"});
  const LogReport report = Read(Tail());
  EXPECT_FALSE(report.cut_at.has_value());
  EXPECT_EQ(Statuses(), "c");
  EXPECT_EQ(told_[0].position, 0u);
}

TEST_F(SavedTailTest, Damage) {
  AddVoted(9);
  const uint64_t second = Tail().size();
  AddVoted(10);
  std::string tail = Tail();
  tail.back() ^= 1;
  const LogReport report = Read(tail);
  EXPECT_FALSE(report.sound);
  EXPECT_EQ(report.position, tail.size() - kLengthSize);
  EXPECT_EQ(report.end, second);
  EXPECT_EQ(Statuses(), "c");
}

}  // namespace
}  // namespace zrs::filestorage
