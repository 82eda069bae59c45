// A file that is cut at every offset of its last two transactions: to verify it, to follow it, to go on with it as a
// copy. Each time what is whole counts, and who only reads leaves the file as it is.
#include <gtest/gtest.h>

#include <string>

#include "filestorage/appender.h"
#include "filestorage/tail.h"
#include "filestorage/verify.h"
#include "tests/support/file_builder.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::filestorage {
namespace {

constexpr char kPath[] = "Data.fs";
constexpr size_t kTransactions = 5;

class CutFileTest : public testing::Test {
 protected:
  // Calls `check` with the bytes of each cut file and the number of transactions that are whole in it.
  template <typename Check>
  void ForEachCut(Check check) {
    for (uint64_t size = file_.boundaries()[kTransactions - 2].offset; size < file_.size(); ++size) {
      SCOPED_TRACE(size);
      const size_t whole = size < file_.boundaries()[kTransactions - 1].offset ? kTransactions - 2 : kTransactions - 1;
      disk_.SetContents(kPath, file_.bytes().substr(0, static_cast<size_t>(size)));
      check(file_.boundaries()[whole], size);
    }
  }
  void ExpectUnchanged(uint64_t size) {
    EXPECT_EQ(disk_.Contents(kPath), file_.bytes().substr(0, static_cast<size_t>(size)));
  }

  const tests::FileBuilder file_ = tests::FileBuilder().AddMany(kTransactions, 40);
  tests::SimulatedFileSystem disk_;
};

TEST_F(CutFileTest, VerifyTellsWhatIsWholeAndThatTheRestWasCut) {
  ForEachCut([&](const Boundary& end, uint64_t size) {
    const absl::StatusOr<VerifyReport> report = Verify(disk_, kPath, nullptr);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_TRUE(report->sound) << report->reason;
    EXPECT_EQ(report->end, end);
    EXPECT_EQ(report->uncommitted_bytes, size - end.offset);
    EXPECT_EQ(report->cut_short, size - end.offset >= kTransactionHeaderSize);
    ExpectUnchanged(size);
  });
}

TEST_F(CutFileTest, APrimaryFollowsWhatIsWholeAndSaysThatTheRestIsMissing) {
  ForEachCut([&](const Boundary& end, uint64_t size) {
    auto tail = Tail::Open(disk_, kPath, TailOptions{}, Boundary{});
    ASSERT_TRUE(tail.ok()) << tail.status();
    ASSERT_EQ((*tail)->Poll()->event, TailEvent::kAdvanced);
    EXPECT_EQ((*tail)->end(), end);
    const absl::StatusOr<TailReport> report = (*tail)->Poll();
    EXPECT_EQ(report->event, TailEvent::kNothingYet);
    EXPECT_EQ(report->reason.empty(), size - end.offset < kTransactionHeaderSize) << report->reason;
    ExpectUnchanged(size);
  });
}

TEST_F(CutFileTest, APrimaryThatKnewMoreOfItRefusesIt) {
  ForEachCut([&](const Boundary&, uint64_t size) {
    const absl::Status status = Tail::Open(disk_, kPath, TailOptions{}, file_.end()).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    ExpectUnchanged(size);
  });
}

TEST_F(CutFileTest, ACopyOfWhichMoreWasDurableIsRefused) {
  ForEachCut([&](const Boundary&, uint64_t size) {
    Recovery recovery;
    const absl::Status status = Appender::Open(disk_, kPath, file_.end(), &recovery).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    ExpectUnchanged(size);
  });
}

// What is no announcement of our own, but a transaction that says it is finished, is saved before it is cut.
TEST_F(CutFileTest, ACopyGoesOnBehindWhatIsWhole) {
  ForEachCut([&](const Boundary& end, uint64_t size) {
    Recovery recovery;
    const auto appender = Appender::Open(disk_, kPath, file_.boundaries()[1], &recovery);
    ASSERT_TRUE(appender.ok()) << appender.status();
    EXPECT_EQ((*appender)->committed(), end);
    EXPECT_EQ(disk_.Contents(kPath), file_.bytes().substr(0, static_cast<size_t>(end.offset)));
    EXPECT_EQ(recovery.saved_to.empty(), size - end.offset < kTransactionHeaderSize);
    if (recovery.saved_to.empty()) return;
    EXPECT_EQ(disk_.Contents(recovery.saved_to),
              file_.bytes().substr(static_cast<size_t>(end.offset), static_cast<size_t>(size - end.offset)));
    ASSERT_TRUE(disk_.Remove(recovery.saved_to).ok());
  });
}

}  // namespace
}  // namespace zrs::filestorage
