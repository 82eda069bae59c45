#include "sidecar/replication/transaction_trail.h"

#include <gtest/gtest.h>

#include <string>

#include "filestorage/scanner.h"
#include "tests/support/file_builder.h"

namespace zrs::replication {
namespace {

class TransactionTrailTest : public ::testing::Test {
 protected:
  TransactionTrailTest()
      : scanner_(filestorage::Magic::kFs30, filestorage::FirstBoundary(filestorage::Magic::kFs30), &trail_) {
    file_.AddMany(20, 30);
  }

  void FeedUntil(uint64_t end) {
    const uint64_t begin = scanner_.position();
    const std::string bytes = file_.bytes().substr(begin, end - begin);
    ASSERT_EQ(scanner_.Feed(bytes).outcome, filestorage::ScanOutcome::kMore);
    trail_.OnFed(scanner_, begin, bytes);
  }

  uint64_t End(size_t transaction) const { return file_.boundaries()[transaction].offset; }
  filestorage::Tid Tid(size_t transaction) const { return file_.boundaries()[transaction].tid; }

  tests::FileBuilder file_;
  TransactionTrail trail_;
  filestorage::Scanner scanner_;
};

TEST_F(TransactionTrailTest, NothingAtFirst) { EXPECT_EQ(trail_.OldestBefore(UINT64_MAX), 0u); }

TEST_F(TransactionTrailTest, OldestIsTheFirstThatIsNotDone) {
  FeedUntil(End(5));
  EXPECT_EQ(trail_.OldestBefore(UINT64_MAX), Tid(1));
  trail_.DropUntil(End(2));
  EXPECT_EQ(trail_.OldestBefore(UINT64_MAX), Tid(3));
  trail_.DropUntil(End(5) - 1);
  EXPECT_EQ(trail_.OldestBefore(UINT64_MAX), Tid(5));
  trail_.DropUntil(End(5));
  EXPECT_EQ(trail_.OldestBefore(UINT64_MAX), 0u);
}

TEST_F(TransactionTrailTest, OnlyTransactionsThatBeginBefore) {
  FeedUntil(End(5));
  trail_.DropUntil(End(2));
  EXPECT_EQ(trail_.OldestBefore(End(2)), 0u);
  EXPECT_EQ(trail_.OldestBefore(End(2) + 1), Tid(3));
}

TEST_F(TransactionTrailTest, UnfinishedTransactionCountsOnceItsTidIsKnown) {
  FeedUntil(End(3) + 7);
  trail_.DropUntil(End(3));
  EXPECT_EQ(trail_.OldestBefore(UINT64_MAX), 0u);
  FeedUntil(End(3) + 8);
  EXPECT_EQ(trail_.OldestBefore(UINT64_MAX), Tid(4));
  FeedUntil(End(3) + 30);
  FeedUntil(End(4));
  EXPECT_EQ(trail_.size(), 1u);
  trail_.DropUntil(End(4));
  EXPECT_EQ(trail_.OldestBefore(UINT64_MAX), 0u);
}

TEST_F(TransactionTrailTest, SameForEveryPieceSize) {
  for (size_t size = 1; size < 100; ++size) {
    TransactionTrail trail;
    filestorage::Scanner scanner(file_.magic(), file_.boundaries()[0], &trail);
    for (uint64_t at = 4; at < file_.size(); at += size) {
      const std::string bytes = file_.bytes().substr(at, size);
      scanner.Feed(bytes);
      trail.OnFed(scanner, at, bytes);
    }
    ASSERT_EQ(trail.size(), 20u) << size;
    for (size_t i = 1; i <= 20; ++i) {
      EXPECT_EQ(trail.OldestBefore(UINT64_MAX), Tid(i)) << size;
      trail.DropUntil(End(i));
    }
  }
}

TEST(TransactionTrailLimitTest, MergesAndIsNeverTooYoung) {
  TransactionTrail trail(8);
  for (uint64_t i = 1; i <= 1000; ++i) {
    trail.OnTransaction({.offset = i * 10, .end = i * 10 + 10, .tid = i});
    ASSERT_LE(trail.size(), 8u);
  }
  for (uint64_t done = 1; done < 1000; ++done) {
    trail.DropUntil(done * 10 + 10);
    const filestorage::Tid oldest = trail.OldestBefore(UINT64_MAX);
    ASSERT_GT(oldest, 0u);
    ASSERT_LE(oldest, done + 1);
  }
  trail.DropUntil(10010);
  EXPECT_EQ(trail.OldestBefore(UINT64_MAX), 0u);
}

TEST(TransactionTrailLimitTest, ExactAgainOnceFewAreOnTheirWay) {
  TransactionTrail trail(8);
  uint64_t next = 1;
  const auto add = [&](int count) {
    for (int i = 0; i < count; ++i, ++next)
      trail.OnTransaction({.offset = next * 10, .end = next * 10 + 10, .tid = next});
  };
  add(1000);
  trail.DropUntil(next * 10);
  EXPECT_EQ(trail.size(), 0u);
  add(8);
  for (uint64_t oldest = next - 8; oldest < next; ++oldest) {
    EXPECT_EQ(trail.OldestBefore(UINT64_MAX), oldest);
    trail.DropUntil(oldest * 10 + 10);
  }
}

TEST(TransactionTrailLimitTest, OneThatGoesOnIntoTheNextBytesIsCountedWhileMany) {
  tests::FileBuilder file;
  file.AddMany(300, 30);
  TransactionTrail trail(4);
  filestorage::Scanner scanner(file.magic(), file.boundaries()[0], &trail);
  for (uint64_t at = 4; at < file.size(); at += 500) {
    const std::string bytes = file.bytes().substr(at, 500);
    scanner.Feed(bytes);
    trail.OnFed(scanner, at, bytes);
    ASSERT_LE(trail.size(), 4u);
  }
  for (size_t i = 0; i < 300; ++i) {
    trail.DropUntil(file.boundaries()[i].offset);
    ASSERT_GT(trail.OldestBefore(UINT64_MAX), 0u);
    ASSERT_LE(trail.OldestBefore(UINT64_MAX), file.boundaries()[i + 1].tid);
  }
  trail.DropUntil(file.size());
  EXPECT_EQ(trail.OldestBefore(UINT64_MAX), 0u);
}

}  // namespace
}  // namespace zrs::replication
