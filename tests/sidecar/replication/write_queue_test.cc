#include "sidecar/replication/write_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>

#include "filestorage/scanner.h"
#include "tests/support/file_builder.h"

namespace zrs::replication {
namespace {

using filestorage::Boundary;

std::string Join(const WriteGroup& group) {
  std::string joined;
  for (const std::string& piece : group.pieces) joined += piece;
  return joined;
}

class WriteQueueTest : public ::testing::Test {
 protected:
  WriteQueueTest() {
    file_.AddMany(10, 100);
    queue_.Start(file_.boundaries()[0]);
  }

  const Boundary& At(size_t transaction) const { return file_.boundaries()[transaction]; }
  std::string Bytes(uint64_t from, uint64_t to) const { return file_.bytes().substr(from, to - from); }
  void PushUntil(uint64_t end) {
    queue_.Push(Bytes(pushed_, end));
    pushed_ = end;
  }
  // As with nothing more upstream, unless `upstream_end` is given.
  std::optional<WriteGroup> Next(const Boundary& last, uint64_t upstream_end = 0) {
    return queue_.Next(last, upstream_end);
  }

  tests::FileBuilder file_;
  WriteQueue queue_{{.group_limit = 2000, .piece_limit = 400, .far_behind = 300}};
  uint64_t pushed_ = 4;
};

TEST_F(WriteQueueTest, NothingToWriteAtFirst) { EXPECT_FALSE(Next(At(0)).has_value()); }

TEST_F(WriteQueueTest, LiveTransactionIsWrittenAndCommittedAtOnce) {
  PushUntil(At(1).offset);
  const std::optional<WriteGroup> group = Next(At(1));
  ASSERT_TRUE(group.has_value());
  EXPECT_EQ(Join(*group), Bytes(4, At(1).offset));
  EXPECT_EQ(group->commit, At(1));
  EXPECT_EQ(group->following, "");
  EXPECT_EQ(queue_.OnWritten(), At(1));
  EXPECT_FALSE(Next(At(1)).has_value());
}

TEST_F(WriteQueueTest, OneWriteAtATime) {
  PushUntil(At(1).offset);
  ASSERT_TRUE(Next(At(1)).has_value());
  PushUntil(At(3).offset);
  EXPECT_FALSE(Next(At(3)).has_value());
  queue_.OnWritten();
  const std::optional<WriteGroup> group = Next(At(3));
  ASSERT_TRUE(group.has_value());
  EXPECT_EQ(Join(*group), Bytes(At(1).offset, At(3).offset));
  EXPECT_EQ(group->commit, At(3));
}

TEST_F(WriteQueueTest, PieceIsSplitAtTheLastBoundary) {
  PushUntil(At(1).offset + 50);
  const std::optional<WriteGroup> group = Next(At(1));
  ASSERT_TRUE(group.has_value());
  EXPECT_EQ(Join(*group), Bytes(4, At(1).offset));
  EXPECT_EQ(queue_.queued(), 50u);
}

TEST_F(WriteQueueTest, FollowingIsTheNextHeaderOnceItIsWhole) {
  PushUntil(At(1).offset + 22);
  EXPECT_EQ(Next(At(1))->following, "");
  queue_.OnWritten();
  PushUntil(At(2).offset + 11);
  PushUntil(At(2).offset + 23);  // in two pieces
  EXPECT_EQ(Next(At(2))->following, Bytes(At(2).offset, At(2).offset + 23));
}

TEST_F(WriteQueueTest, IncompleteTransactionWaits) {
  PushUntil(At(1).offset - 1);
  EXPECT_FALSE(Next(At(0)).has_value());
}

TEST_F(WriteQueueTest, LargeTransactionIsWrittenInPiecesWithoutCommit) {
  file_.Add({.tid = At(10).tid + 1, .records = {{.oid = 1, .data = std::string(2000, 'x')}}});
  PushUntil(At(10).offset);
  ASSERT_EQ(Next(At(10))->commit, At(10));
  queue_.OnWritten();
  PushUntil(At(10).offset + 399);
  EXPECT_FALSE(Next(At(10)).has_value());
  PushUntil(At(10).offset + 400);
  std::optional<WriteGroup> piece = Next(At(10));
  ASSERT_TRUE(piece.has_value());
  EXPECT_EQ(Join(*piece), Bytes(At(10).offset, At(10).offset + 400));
  EXPECT_FALSE(piece->commit.has_value());
  EXPECT_EQ(queue_.OnWritten(), std::nullopt);
  EXPECT_FALSE(Next(At(10)).has_value());
  PushUntil(At(11).offset);
  EXPECT_EQ(Next(At(11))->commit, At(11));
}

TEST_F(WriteQueueTest, FarBehindLeavesTheGroupOpenForWhatHasArrivedMeanwhile) {
  PushUntil(At(1).offset);
  const std::optional<WriteGroup> first = Next(At(1), At(1).offset + 301);
  ASSERT_TRUE(first.has_value());
  EXPECT_FALSE(first->commit.has_value());
  PushUntil(At(2).offset);
  EXPECT_EQ(queue_.OnWritten(), std::nullopt);
  EXPECT_EQ(Next(At(2), At(2).offset + 300)->commit, At(2));
}

TEST_F(WriteQueueTest, OpenGroupIsCommittedWhenNothingMoreHasArrived) {
  PushUntil(At(1).offset + 30);
  ASSERT_FALSE(Next(At(1), UINT64_MAX)->commit.has_value());
  queue_.OnWritten();
  const std::optional<WriteGroup> group = Next(At(1), UINT64_MAX);
  ASSERT_TRUE(group.has_value());
  EXPECT_TRUE(group->pieces.empty());
  EXPECT_EQ(group->commit, At(1));
  EXPECT_EQ(group->following, Bytes(At(1).offset, At(1).offset + 23));
}

TEST_F(WriteQueueTest, OpenGroupIsCommittedBeforeAPieceOfALargeTransaction) {
  file_.Add({.tid = At(10).tid + 1, .records = {{.oid = 1, .data = std::string(2000, 'x')}}});
  queue_ = WriteQueue({.group_limit = 1 << 20, .piece_limit = 400, .far_behind = 300});
  queue_.Start(At(0));
  PushUntil(At(10).offset + 1000);
  ASSERT_FALSE(Next(At(10), UINT64_MAX)->commit.has_value());
  queue_.OnWritten();
  ASSERT_EQ(Next(At(10), UINT64_MAX)->commit, At(10));
  queue_.OnWritten();
  EXPECT_EQ(Join(*Next(At(10), UINT64_MAX)), Bytes(At(10).offset, At(10).offset + 1000));
}

TEST_F(WriteQueueTest, GroupLimitCommitsThoughMoreIsToCome) {
  PushUntil(At(5).offset);
  ASSERT_LT(At(5).offset, 2000u);
  ASSERT_FALSE(Next(At(5), UINT64_MAX)->commit.has_value());
  queue_.OnWritten();
  PushUntil(At(10).offset);
  ASSERT_GT(At(10).offset, 2004u);
  EXPECT_EQ(Next(At(10), UINT64_MAX)->commit, At(10));
}

TEST_F(WriteQueueTest, GroupLimitCountsFromTheLastCommit) {
  PushUntil(At(5).offset);
  ASSERT_EQ(Next(At(5))->commit, At(5));
  queue_.OnWritten();
  PushUntil(At(8).offset);
  ASSERT_GT(At(8).offset, 2004u);
  EXPECT_FALSE(Next(At(8), UINT64_MAX)->commit.has_value());
}

TEST_F(WriteQueueTest, ClearedGivesNothingOut) {
  PushUntil(At(3).offset);
  ASSERT_FALSE(Next(At(3), UINT64_MAX)->commit.has_value());
  queue_.Clear();
  EXPECT_EQ(queue_.queued(), 0u);
  queue_.OnWritten();
  EXPECT_FALSE(Next(At(3), UINT64_MAX).has_value());
}

TEST_F(WriteQueueTest, SmallPiecesAreJoined) {
  while (pushed_ < At(5).offset) PushUntil(pushed_ + 1);
  const std::optional<WriteGroup> group = Next(At(5));
  EXPECT_EQ(group->pieces.size(), 1u);
  EXPECT_EQ(Join(*group), Bytes(4, At(5).offset));
}

// A file as the appender would write it, which checks what it is told to do.
struct ModelFile {
  std::string bytes;
  uint64_t committed = 4;
  bool open_boundary = false;  // `bytes` end at a boundary that is not committed
  std::string following;

  void Write(const WriteGroup& group, const Boundary& last) {
    const std::string added = Join(group);
    if (!added.empty()) {
      ASSERT_EQ(added.substr(0, following.size()), following.substr(0, added.size()));
      following.clear();
    }
    const bool reaches_boundary = bytes.size() + added.size() == last.offset;
    if (!reaches_boundary) {
      ASSERT_FALSE(open_boundary) << "a piece behind a boundary that could not be committed any more";
      ASSERT_GT(bytes.size() + added.size(), last.offset);
      ASSERT_FALSE(group.commit.has_value());
    }
    bytes += added;
    open_boundary = reaches_boundary && !group.commit.has_value();
    if (!group.commit.has_value()) return;
    ASSERT_EQ(*group.commit, last);
    committed = last.offset;
    following = group.following;
  }
};

// Everything received becomes durable up to the last boundary without further input, at any moment of any schedule.
class WriteQueueScheduleTest : public ::testing::TestWithParam<int> {
 protected:
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  void Drain(WriteQueue queue, ModelFile file, const Boundary& last) {
    const uint64_t upstream_end = Below(2) == 0 ? UINT64_MAX : 0;
    if (queue.writing()) queue.OnWritten();
    while (const std::optional<WriteGroup> group = queue.Next(last, upstream_end)) {
      file.Write(*group, last);
      queue.OnWritten();
    }
    ASSERT_EQ(file.committed, last.offset);
  }

  std::mt19937_64 random_{static_cast<uint64_t>(GetParam())};
};

TEST_P(WriteQueueScheduleTest, NeverStallsAndNeverWritesPastAnOpenBoundary) {
  SCOPED_TRACE(testing::Message() << "seed " << GetParam());
  tests::FileBuilder file;
  for (uint64_t i = 1; i <= 30; ++i) file.AddMany(1, 1 + Below(Below(4) == 0 ? 3000 : 60));
  const uint64_t limit = 1 + Below(2000);
  WriteQueue queue({.group_limit = 1 + Below(4000), .piece_limit = 1 + Below(limit), .far_behind = Below(500)});
  queue.Start(file.boundaries()[0]);
  filestorage::Scanner scanner(file.magic(), file.boundaries()[0]);
  ModelFile model;
  model.bytes = file.bytes().substr(0, 4);
  const uint64_t largest = 1 + Below(700);
  for (int step = 0; step < 100000 && model.committed < file.size(); ++step) {
    if (queue.queued() < limit && scanner.position() < file.size() && Below(2) == 0) {
      const std::string batch = file.bytes().substr(scanner.position(), 1 + Below(largest));
      scanner.Feed(batch);
      queue.Push(batch);
    } else if (queue.writing() && Below(3) == 0) {
      queue.OnWritten();
    } else if (const auto group = queue.Next(scanner.last(), std::min<uint64_t>(Below(2 * file.size()), file.size()))) {
      ASSERT_NO_FATAL_FAILURE(model.Write(*group, scanner.last()));
    }
    ASSERT_EQ(file.bytes().compare(0, model.bytes.size(), model.bytes), 0);
    ASSERT_LE(queue.queued(), limit + largest);
    ASSERT_NO_FATAL_FAILURE(Drain(queue, model, scanner.last()));
  }
  EXPECT_EQ(model.committed, file.size());
}

INSTANTIATE_TEST_SUITE_P(Seeds, WriteQueueScheduleTest, ::testing::Range(1, 101));

}  // namespace
}  // namespace zrs::replication
