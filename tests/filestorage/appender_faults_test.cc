// A full disk and failed syncs at every step of appending, and power losses on top of them (see
// appender_crash_harness.h).
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/filestorage/appender_crash_harness.h"

namespace zrs::filestorage {
namespace {

using tests::FileBuilder;
using tests::TestTid;
using Kind = tests::SimulatedOperation::Kind;

// By the size of a page that a power loss takes or leaves.
class AppenderFaultsTest : public testing::TestWithParam<size_t> {};

INSTANTIATE_TEST_SUITE_P(PageSize, AppenderFaultsTest, testing::Values(512, 4096), testing::PrintToStringParamName());

TEST_P(AppenderFaultsTest, AFullDiskAtEveryByte) {
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

TEST_P(AppenderFaultsTest, NoRoomToAnnounceTheNextGroupIsNoError) {
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
TEST_P(AppenderFaultsTest, AFailedSyncAtEveryStep) {
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

TEST_P(AppenderFaultsTest, AFailedSyncAtEveryStepWithRoomBehind) {
  FileBuilder primary = EndingAt(4000);
  for (uint64_t n = 2; n < 6; ++n) primary.Add(Transaction(n, 900));
  for (int failing = 1; failing <= 20 && !HasFailure(); ++failing) {
    SCOPED_TRACE(absl::StrCat("sync ", failing, " fails"));
    CrashDriver driver(primary, 1, GetParam());
    driver.Open();
    driver.FailOnce(Kind::kSync, failing, absl::DataLossError("EIO"));
    absl::Status status;
    for (size_t n = 2; n < 6 && status.ok(); ++n) {
      status = driver.appender().Append(primary.transaction(n));
      if (status.ok()) status = driver.appender().Commit(primary.boundaries()[n], {}, /*more_expected=*/n < 5);
      if (status.ok()) status = driver.appender().MakeRoom(2500);
    }
    EXPECT_EQ(status.ok(), failing > 12) << status;
    if (status.ok()) break;
    driver.Open();
    if (HasFailure()) return;
    driver.AppendUpTo(5);
    driver.Commit(5);
  }
}

TEST_P(AppenderFaultsTest, AFullDiskAtEachPlaceOfTheRoom) {
  FileBuilder primary = EndingAt(4000);
  primary.Add(Transaction(2, 300)).Add(Transaction(3, 900)).Add(Transaction(4, 100));
  const uint64_t end = primary.boundaries()[2].offset;
  for (uint64_t place = 0; place < 2000 && !HasFailure(); place += place < 40 ? 1 : 97) {
    SCOPED_TRACE(absl::StrCat("room for ", place, " bytes"));
    CrashDriver driver(primary, 1, GetParam());
    driver.Open();
    driver.AppendUpTo(2);
    driver.Commit(2, 0, /*more_expected=*/true);
    driver.disk().SetCapacity(std::max(end + place, end + kTransactionHeaderSize));
    driver.MakeRoom(1800);
    const absl::Status status = driver.appender().Append(primary.transaction(3));
    if (status.ok() && place > 1100) driver.Commit(3, 0, /*more_expected=*/true);
    if (place <= 1100) driver.Cut();
    driver.disk().SetCapacity(UINT64_MAX);
    if (HasFailure()) return;
    driver.AppendUpTo(4);
    driver.Commit(4);
  }
}

// The same for a sync that fails while a killed process's file is opened again.
TEST_P(AppenderFaultsTest, AFailedSyncWhileOpening) {
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

}  // namespace
}  // namespace zrs::filestorage
