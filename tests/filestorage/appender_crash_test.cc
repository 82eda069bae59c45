// Power losses at every step of appending, and what they leave (see appender_crash_harness.h).
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "filestorage/data_file_names.h"
#include "tests/filestorage/appender_crash_harness.h"

namespace zrs::filestorage {
namespace {

using tests::FileBuilder;
using tests::SimulatedFileSystem;
using tests::SimulatedOperation;
using tests::TestTid;
using tests::TransactionSpec;
using Kind = SimulatedOperation::Kind;

class AppenderCrashTest : public testing::TestWithParam<size_t> {
 protected:
  // Appends all of `primary` behind its first transaction in groups of `group` transactions; where no bytes that follow
  // are known, also so that more is expected, and so that there is room for it.
  void AppendInGroups(const FileBuilder& primary, size_t group, size_t piece, size_t following) {
    AppendEach(primary, group, piece, following, false);
    if (following == 0 && !HasFailure()) AppendEach(primary, group, piece, following, true);
    // As little as ends within a group or a header, and more than all of it.
    for (const uint64_t room : {30u, 1100u, 5000u}) {
      if (!HasFailure()) AppendEach(primary, group, piece, following, true, room);
    }
  }

 private:
  void AppendEach(const FileBuilder& primary, size_t group, size_t piece, size_t following, bool more_expected,
                  uint64_t room = 0) {
    CrashDriver driver(primary, 1, GetParam());
    driver.Open();
    const size_t last = primary.boundaries().size() - 1;
    bool known = false;  // what follows: of every other group, where there is room
    for (size_t n = 1; n < last && !HasFailure();) {
      n = std::min(n + group, last);
      driver.AppendUpTo(n, piece);
      if (!HasFailure()) driver.Commit(n, room == 0 || known ? following : 0, more_expected);
      if (room > 0 && !HasFailure()) driver.MakeRoom(room);
      known = !known;
    }
    driver.Tidy();
    if (HasFailure()) return;
    EXPECT_EQ(driver.disk().Contents(kPath), primary.bytes());
    RecordProperty("states", static_cast<int>(driver.states()));
    EXPECT_GT(driver.states(), 5u);
  }
};

INSTANTIATE_TEST_SUITE_P(PageSize, AppenderCrashTest, testing::Values(512, 4096), testing::PrintToStringParamName());

TEST_P(AppenderCrashTest, TinyTransactionsOneByOne) {
  FileBuilder primary = EndingAt(400);
  for (uint64_t n = 2; n < 8; ++n) primary.Add(Transaction(n, n));
  AppendInGroups(primary, 1, SIZE_MAX, 0);
  AppendInGroups(primary, 1, SIZE_MAX, 23);
}

TEST_P(AppenderCrashTest, TinyTransactionsInGroups) {
  FileBuilder primary = EndingAt(3900);
  for (uint64_t n = 2; n < 9; ++n) primary.Add(Transaction(n, n));
  AppendInGroups(primary, 3, SIZE_MAX, 0);
  AppendInGroups(primary, 3, SIZE_MAX, 100);
}

TEST_P(AppenderCrashTest, TransactionsThatStraddlePages) {
  FileBuilder primary = EndingAt(4000);
  for (uint64_t n = 2; n < 6; ++n) primary.Add(Transaction(n, 3000));
  AppendInGroups(primary, 1, SIZE_MAX, 0);
  AppendInGroups(primary, 2, SIZE_MAX, 23);
}

TEST_P(AppenderCrashTest, TransactionsOfManyPagesInPieces) {
  FileBuilder primary = EndingAt(1000);
  primary.Add(Transaction(2, 20000)).Add(Transaction(3, 9)).Add(Transaction(4, 15000));
  AppendInGroups(primary, 1, 2500, 23);
  AppendInGroups(primary, 3, 4096, 0);
}

TEST_P(AppenderCrashTest, FirstPiecesSmallerThanAHeader) {
  FileBuilder primary = EndingAt(4090);
  for (uint64_t n = 2; n < 5; ++n) primary.Add(Transaction(n, 30));
  for (size_t piece : {7u, 17u, 22u, 23u}) {
    AppendInGroups(primary, 1, piece, 0);
    AppendInGroups(primary, 2, piece, 23);
  }
}

TEST_P(AppenderCrashTest, HeaderAndGroupEndAtEachPlaceAroundAPageBoundary) {
  for (uint64_t before = 0; before <= 24 && !HasFailure(); ++before) {
    SCOPED_TRACE(absl::StrCat(before, " bytes before the page's end"));
    // The second group begins, and the first one ends, `before` bytes before a page's end.
    FileBuilder primary = EndingAt(4000);
    primary.Add(Transaction(2, 4096 - kOverhead + 96 - before)).Add(Transaction(3, 50)).Add(Transaction(4, 1200));
    AppendInGroups(primary, 1, SIZE_MAX, 0);
    AppendInGroups(primary, 1, SIZE_MAX, 23);
  }
}

// Where the first bytes lie in two sectors, what a crash leaves of the turn is finished wherever ZODB was shown its
// tid.
TEST_P(AppenderCrashTest, ATurnInTwoSectorsIsFinished) {
  size_t finished = 0;
  for (const char status : {kStatusComplete, kStatusPacked, kStatusUndone}) {
    for (uint64_t before = 1; before <= 16 && !HasFailure(); ++before) {
      SCOPED_TRACE(absl::StrCat(before, " bytes before the sector's end"));
      FileBuilder primary = EndingAt(1024 - before);
      primary.Add(Transaction(2, 1200, status)).Add(Transaction(3, 50, status));
      CrashDriver driver(primary, 1, GetParam());
      driver.Open();
      driver.AppendUpTo(3);
      driver.Commit(3);
      finished += driver.finished();
      EXPECT_GT(driver.finished(), 0u);
    }
  }
  EXPECT_GT(finished, 20u);
}

TEST_P(AppenderCrashTest, ATurnInTwoSectorsWithRoomBehindIsFinished) {
  for (uint64_t before = 1; before <= 16 && !HasFailure(); ++before) {
    SCOPED_TRACE(absl::StrCat(before, " bytes before the sector's end"));
    FileBuilder primary = EndingAt(600);
    primary.Add(Transaction(2, 300));
    primary.Add(Transaction(3, 2048 - before - primary.size() - kOverhead));
    primary.Add(Transaction(4, 700)).Add(Transaction(5, 50));
    CrashDriver driver(primary, 1, GetParam());
    driver.Open();
    driver.AppendUpTo(2);
    driver.Commit(2, 0, /*more_expected=*/true);
    driver.MakeRoom(4000);
    driver.AppendUpTo(3);
    driver.Commit(3, 23);
    driver.AppendUpTo(4);
    driver.Commit(4, 0, /*more_expected=*/true);
    EXPECT_GT(driver.finished(), 0u);
    driver.AppendUpTo(5);
    driver.Commit(5);
  }
}

TEST_P(AppenderCrashTest, OtherStatuses) {
  FileBuilder primary = EndingAt(4085);
  primary.Add(Transaction(2, 100, kStatusPacked)).Add(Transaction(3, 100, kStatusUndone)).Add(Transaction(4, 100));
  AppendInGroups(primary, 1, SIZE_MAX, 23);
  AppendInGroups(primary, 3, SIZE_MAX, 0);
}

TEST_P(AppenderCrashTest, TransactionWithoutRecords) {
  FileBuilder primary = EndingAt(4080);
  for (uint64_t n = 2; n < 5; ++n) {
    primary.Add({.tid = TestTid(n), .status = ' ', .user = "", .description = "", .extension = "", .records = {}});
  }
  AppendInGroups(primary, 1, SIZE_MAX, 23);
  AppendInGroups(primary, 1, SIZE_MAX, 0);
}

// There is no record whose tid would tell the transaction's, where that is half written.
TEST_P(AppenderCrashTest, ATurnInTwoSectorsOfATransactionWithoutRecordsIsFinished) {
  for (uint64_t before = 1; before <= 16 && !HasFailure(); ++before) {
    SCOPED_TRACE(absl::StrCat(before, " bytes before the sector's end"));
    FileBuilder primary = EndingAt(1024 - before);
    // Every byte of the tid is another one than before.
    primary.Add({.tid = TestTid(1) + 0x0101010101010101, .user = "u", .records = {}});
    primary.Add({.tid = TestTid(1) + 0x0101010101010102, .records = {}});
    primary.Add({.tid = TestTid(1) + 0x0101010101010103, .records = {{.oid = 1, .data = "x"}}});
    for (const size_t group : {2, 3}) {
      CrashDriver driver(primary, 1, GetParam());
      driver.Open();
      driver.AppendUpTo(group);
      driver.Commit(group);
      EXPECT_GT(driver.finished(), 0u);
      driver.AppendUpTo(4);
      driver.Commit(4);
    }
  }
}

TEST_P(AppenderCrashTest, GroupsAfterACut) {
  FileBuilder primary = EndingAt(4000);
  for (uint64_t n = 2; n < 6; ++n) primary.Add(Transaction(n, 3000));
  CrashDriver driver(primary, 1, GetParam());
  driver.Open();
  driver.AppendUpTo(3, 2000);
  driver.Cut();
  driver.AppendUpTo(2);
  driver.Commit(2, 23);
  driver.Cut();  // of what was announced
  driver.AppendUpTo(3);
  driver.Commit(3, 23);
  driver.AppendUpTo(5);
  driver.Cut();
  driver.AppendUpTo(5);
  driver.Commit(5);
}

TEST_P(AppenderCrashTest, AGroupThatWasExpectedDoesNotCome) {
  FileBuilder primary = EndingAt(4000);
  CrashDriver driver(primary.Add(Transaction(2, 900)).Add(Transaction(3, 900)).Add(Transaction(4, 900)), 1, GetParam());
  driver.Open();
  for (size_t n = 2; n < 5; ++n) {
    driver.AppendUpTo(n, 700);
    driver.Tidy();  // a group is under way: nothing is taken back
    driver.Commit(n, 0, true);
    driver.MakeRoom(1500);
    n == 3 ? driver.Open() : driver.Tidy();  // closing tidies too
    EXPECT_EQ(driver.disk().Contents(kPath).size(), primary.boundaries()[n].offset);
  }
}

// The transactions behind an abandoned group must not come to light behind a shorter one at its place.
TEST_P(AppenderCrashTest, GroupShorterThanAnAbandonedTail) {
  FileBuilder primary = EndingAt(4000);
  FileBuilder other = EndingAt(4000);
  primary.Add(Transaction(2, 300));
  other.Add(Transaction(7, 300)).Add(Transaction(8, 6000)).Add(Transaction(9, 40));
  primary.Add(Transaction(3, 40));
  CrashDriver driver(primary, 1, GetParam());
  driver.Open();
  driver.Append(other.bytes().substr(4000));
  // The abandoned group is on the disk whole, but for its status byte: that write fails.
  driver.FailOnce(Kind::kWrite, 1, absl::ResourceExhaustedError("full"));
  EXPECT_EQ(driver.appender().Commit(other.end()).code(), absl::StatusCode::kResourceExhausted);
  driver.Cut();
  driver.AppendUpTo(2);
  driver.Commit(2);
  driver.AppendUpTo(3);
  driver.Commit(3);
}

TEST_P(AppenderCrashTest, KilledAndOpenedAgainWithoutAPowerLoss) {
  FileBuilder primary = EndingAt(4080);
  for (uint64_t n = 2; n < 6; ++n) primary.Add(Transaction(n, 2000));
  CrashDriver driver(primary, 1, GetParam());
  driver.Open();
  driver.AppendUpTo(2);
  // It dies within a group, with its pages in the kernel's cache: closing must not get to cut the tail.
  driver.FailOnce(Kind::kTruncate, 1, absl::UnavailableError("killed"));
  driver.Open();
  EXPECT_EQ(driver.acknowledged(), primary.boundaries()[1]);
  driver.AppendUpTo(3);
  driver.Commit(3);
}

TEST(AppenderCrashCreateTest, TheFileAppearsWholeOrNotAtAll) {
  SimulatedFileSystem disk;
  bool returned = false;
  const auto check = [&] {
    tests::EveryOutcome every;
    do {
      const auto clone = disk.Clone();
      clone->Crash(every);
      EXPECT_TRUE(clone->Exists(kPath) || !returned);
      if (clone->Exists(kPath)) {
        EXPECT_EQ(clone->Contents(kPath), "FS30");
      } else {
        EXPECT_TRUE(Appender::Create(*clone, kPath, Magic::kFs30, {.mode = 0644}).ok());
        EXPECT_EQ(clone->Contents(kPath), "FS30");
      }
    } while (every.Next() && !testing::Test::HasFailure());
  };
  disk.SetHook([&](const SimulatedOperation&) {
    check();
    return absl::OkStatus();
  });
  ASSERT_TRUE(Appender::Create(disk, kPath, Magic::kFs30, {.mode = 0644}).ok());
  returned = true;
  check();
}

// It would be in the way of every file that is built beside the new one.
TEST(AppenderCrashCreateTest, WhatAnEarlierAttemptLeftDoesNotComeBackBesideTheFile) {
  SimulatedFileSystem disk;
  disk.SetContents(NewPath(kPath), "");
  disk.SetHook([&](const SimulatedOperation&) {
    tests::EveryOutcome every;
    do {
      const auto clone = disk.Clone();
      clone->Crash(every);
      EXPECT_FALSE(clone->Exists(kPath) && clone->Exists(NewPath(kPath)));
    } while (every.Next() && !testing::Test::HasFailure());
    return absl::OkStatus();
  });
  ASSERT_TRUE(Appender::Create(disk, kPath, Magic::kFs30, {.mode = 0644}).ok());
}

}  // namespace
}  // namespace zrs::filestorage
