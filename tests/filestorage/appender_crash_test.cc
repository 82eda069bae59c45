// Power losses at every step of appending, and what they leave (see appender_crash_harness.h).
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "tests/filestorage/appender_crash_harness.h"
#include "tests/support/read_index_model.h"

namespace zrs::filestorage {
namespace {

using tests::FileBuilder;
using tests::SimulatedFileSystem;
using tests::SimulatedOperation;
using tests::TestTid;
using tests::TransactionSpec;
using Kind = SimulatedOperation::Kind;

// A transaction with one record of `data_size` bytes. An extension of 23 bytes makes the end of a torn header look like
// a redundant length.
TransactionSpec Transaction(uint64_t n, size_t data_size, char status = kStatusComplete) {
  return {.tid = TestTid(n),
          .status = status,
          .user = "",
          .description = "",
          .extension = std::string(23, 'e'),
          .records = {{.oid = n, .data = std::string(data_size, static_cast<char>('a' + n))}}};
}

constexpr size_t kOverhead = kTransactionHeaderSize + 23 + kDataHeaderSize + kLengthSize;

// A builder whose first transaction ends at `end`.
FileBuilder EndingAt(uint64_t end) {
  return FileBuilder().Add(Transaction(1, static_cast<size_t>(end - kMagicSize - kOverhead)));
}

class AppenderCrashTest : public testing::TestWithParam<size_t> {
 protected:
  // Appends all of `primary` behind its first transaction in groups of `group` transactions; where no bytes that follow
  // are known, also so that more is expected.
  void AppendInGroups(const FileBuilder& primary, size_t group, size_t piece, size_t following) {
    AppendEach(primary, group, piece, following, false);
    if (following == 0 && !HasFailure()) AppendEach(primary, group, piece, following, true);
  }

 private:
  void AppendEach(const FileBuilder& primary, size_t group, size_t piece, size_t following, bool more_expected) {
    CrashDriver driver(primary, 1, GetParam());
    driver.Open();
    const size_t last = primary.boundaries().size() - 1;
    for (size_t n = 1; n < last && !HasFailure();) {
      n = std::min(n + group, last);
      driver.AppendUpTo(n, piece);
      if (!HasFailure()) driver.Commit(n, following, more_expected);
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

TEST_P(AppenderCrashTest, AFullDiskAtEveryByte) {
  FileBuilder primary = EndingAt(4080);
  primary.Add(Transaction(2, 700)).Add(Transaction(3, 300));
  const uint64_t start = primary.boundaries()[1].offset;
  for (uint64_t room = 0; start + room < primary.size() && !HasFailure(); room += room < 40 ? 1 : 101) {
    SCOPED_TRACE(absl::StrCat("room for ", room, " bytes"));
    CrashDriver driver(primary, 1, GetParam());
    driver.Open();
    driver.disk().SetCapacity(start + room);
    const std::string rest = primary.bytes().substr(start);
    EXPECT_EQ(driver.appender().Append(rest).code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(driver.appender().committed(), primary.boundaries()[1]);
    EXPECT_EQ(driver.appender().Append(rest).code(), absl::StatusCode::kFailedPrecondition);
    driver.Cut();
    driver.disk().SetCapacity(UINT64_MAX);
    driver.AppendUpTo(3);
    driver.Commit(3);
  }
}

TEST_P(AppenderCrashTest, NoRoomToAnnounceTheNextGroupIsNoError) {
  FileBuilder primary = EndingAt(3000);
  primary.Add(Transaction(2, 4096 - 3000 - kOverhead - 10)).Add(Transaction(3, 300));
  for (uint64_t room = 0; room < 17; ++room) {
    CrashDriver driver(primary, 1, GetParam());
    driver.Open();
    driver.AppendUpTo(2);
    driver.disk().SetCapacity(primary.boundaries()[2].offset + room);
    driver.Commit(2, 23);
    EXPECT_EQ(driver.disk().Contents(kPath).size(), primary.boundaries()[2].offset);
    driver.disk().SetCapacity(UINT64_MAX);
    driver.AppendUpTo(3);
    driver.Commit(3);
  }
}

// A sync that fails may have lost anything; whoever opens the file afterwards acknowledges only what is really durable.
TEST_P(AppenderCrashTest, AFailedSyncAtEveryStep) {
  FileBuilder primary = EndingAt(4085);
  for (uint64_t n = 2; n < 5; ++n) primary.Add(Transaction(n, 1500));
  for (int failing = 1; failing <= 10 && !HasFailure(); ++failing) {
    SCOPED_TRACE(absl::StrCat("sync ", failing, " fails"));
    CrashDriver driver(primary, 1, GetParam());
    driver.Open();
    driver.FailOnce(Kind::kSync, failing, absl::DataLossError("EIO"));
    absl::Status status;
    for (size_t n = 2; n < 5 && status.ok(); ++n) {
      const Boundary& before = primary.boundaries()[n - 1];
      status = driver.appender().Append(primary.transaction(n));
      if (status.ok()) {
        status =
            driver.appender().Commit(primary.boundaries()[n], primary.bytes().substr(primary.boundaries()[n].offset));
      }
      if (!status.ok()) {
        EXPECT_EQ(driver.appender().committed(), before);
        EXPECT_EQ(driver.appender().Cut().code(), absl::StatusCode::kFailedPrecondition);
      }
    }
    EXPECT_EQ(status.ok(), failing > 8) << status;
    if (status.ok()) break;
    driver.Open();  // what it finds counts as acknowledged from here on
    if (HasFailure()) return;
    driver.AppendUpTo(4);
    driver.Commit(4);
  }
}

// The same for a sync that fails while a killed process's file is opened again.
TEST_P(AppenderCrashTest, AFailedSyncWhileOpening) {
  FileBuilder primary = EndingAt(4000);
  primary.Add(Transaction(2, 1500)).Add(Transaction(3, 1500));
  CrashDriver driver(primary, 1, GetParam());
  {
    // A process that is killed before its last sync.
    auto file = driver.disk().OpenForWriting(kPath);
    const std::string real(primary.transaction(2).substr(0, 17));
    ASSERT_TRUE((*file)->WriteAt(4000, EncodeUint64(TestTid(1)) + real.substr(8, 8) + "c").ok());
    ASSERT_TRUE((*file)->Sync().ok());
    ASSERT_TRUE((*file)->WriteAt(4017, primary.transaction(2).substr(17)).ok());
    ASSERT_TRUE((*file)->Sync().ok());
    ASSERT_TRUE((*file)->WriteAt(4000, real).ok());
  }
  driver.FailOnce(Kind::kSync, 1, absl::DataLossError("EIO"));
  Recovery recovery;
  EXPECT_FALSE(Appender::Open(driver.disk(), kPath, primary.boundaries()[1], &recovery).ok());
  driver.Open();
  EXPECT_EQ(driver.acknowledged(), primary.boundaries()[2]);
  driver.AppendUpTo(3);
  driver.Commit(3);
}

// What another program left behind the committed end is in the file or in a saved tail at every moment; and the crash
// of a recovery never makes ZODB refuse a file that it took before.
class ForeignTailCrashTest : public testing::TestWithParam<size_t> {
 protected:
  static constexpr uint64_t kEnd = 4000;

  void CheckRecoveryOf(const std::string& tail) {
    const std::string sound = EndingAt(kEnd).bytes();
    SimulatedFileSystem disk(GetParam());
    disk.SetContents(kPath, sound + tail);
    const bool refused = tests::ReadIndexModel(sound + tail).refused;
    uint64_t seed = 0;
    const auto check = [&](const SimulatedOperation& operation) {
      for (int i = 0; i < 100 && operation.IsChange() && !HasFailure(); ++i) {
        SCOPED_TRACE(absl::StrCat("seed ", ++seed, ", before operation ", operation.number));
        tests::SeededChooser chooser(seed);
        const auto crashed = disk.Clone();
        crashed->Crash(chooser);
        const tests::ReadIndexResult result = tests::ReadIndexModel(crashed->Contents(kPath));
        EXPECT_TRUE(refused || !result.refused) << result.reason;
        EXPECT_TRUE(result.refused || result.end == kEnd || crashed->Contents(kPath) == sound + tail);
        CheckRecovered(*crashed, sound, tail);
      }
      return absl::OkStatus();
    };
    disk.SetHook(check);
    CheckRecovered(disk, sound, tail);
  }

  void CheckRecovered(SimulatedFileSystem& disk, const std::string& sound, const std::string& tail) {
    Recovery recovery;
    ASSERT_TRUE(Appender::Open(disk, kPath, Boundary{}, &recovery).ok());
    ASSERT_EQ(disk.Contents(kPath), sound);
    bool saved = false;
    for (int n = 0; n < 3; ++n) saved = saved || disk.Contents(absl::StrCat(kPath, ".tr", n)) == tail;
    ASSERT_TRUE(saved);
  }
};

INSTANTIATE_TEST_SUITE_P(PageSize, ForeignTailCrashTest, testing::Values(512, 4096), testing::PrintToStringParamName());

TEST_P(ForeignTailCrashTest, ATransactionCutShort) {
  CheckRecoveryOf(EndingAt(kEnd).Add(Transaction(2, 6000)).bytes().substr(kEnd, 5000));
}

TEST_P(ForeignTailCrashTest, ATransactionThatOnlyZodbTakes) {
  CheckRecoveryOf(EndingAt(kEnd).Add(Transaction(2, 6000, 'x')).bytes().substr(kEnd));
}

TEST_P(ForeignTailCrashTest, AnUnsoundTransactionWithSoundOnesBehindIt) {
  FileBuilder builder = EndingAt(kEnd);
  builder.Add(Transaction(2, 3000)).Add(Transaction(3, 3000));
  std::string tail = builder.bytes().substr(kEnd);
  tail[builder.boundaries()[2].offset - kEnd - 1] ^= 1;
  CheckRecoveryOf(tail);
}

TEST_P(ForeignTailCrashTest, AHeaderOfZerosWithATransactionsEndBehindIt) {
  CheckRecoveryOf(std::string(5000, '\0') + EncodeUint64(200));
}

TEST_P(ForeignTailCrashTest, AHeaderAlone) {
  CheckRecoveryOf(EndingAt(kEnd).Add(Transaction(2, 10)).bytes().substr(kEnd, 23));
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

}  // namespace
}  // namespace zrs::filestorage
