// What the appender does and refuses. What a crash leaves of it: appender_crash_test.cc.
#include "filestorage/appender.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/filestorage/appender_test_fixture.h"

namespace zrs::filestorage {
namespace {

using Kind = tests::SimulatedOperation::Kind;

TEST_F(AppenderTest, AppendsAndCommits) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  ASSERT_TRUE(appender_->Append(Transactions(2, 3)).ok());
  EXPECT_EQ(appender_->committed(), boundary(1));
  EXPECT_EQ(appender_->tail_end(), boundary(3).offset);
  ASSERT_TRUE(appender_->Commit(boundary(3)).ok());
  EXPECT_EQ(appender_->committed(), boundary(3));
  EXPECT_EQ(disk_.Contents(kPath), Bytes(3));
}

TEST_F(AppenderTest, AGroupCostsThreeSyncsAndOneWritePerPiece) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  Trace();
  const uint64_t at = boundary(1).offset;
  const std::string group = Transactions(2, 3);
  ASSERT_TRUE(appender_->Append(group.substr(0, 500)).ok());
  ASSERT_TRUE(appender_->Append(group.substr(500)).ok());
  ASSERT_TRUE(appender_->Commit(boundary(3)).ok());
  EXPECT_EQ(trace_,
            (std::vector<std::string>{absl::StrCat("write 17@", at), "sync", absl::StrCat("write 483@", at + 17),
                                      absl::StrCat("write ", group.size() - 500, "@", at + 500), "sync",
                                      absl::StrCat("write 17@", at), "sync"}));
}

TEST_F(AppenderTest, AGroupThatWasAnnouncedCostsTwoSyncs) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  ASSERT_TRUE(appender_->Append(Transactions(2, 2)).ok());
  ASSERT_TRUE(appender_->Commit(boundary(2), Transactions(3, 3).substr(0, 23)).ok());
  Trace();
  ASSERT_TRUE(appender_->Append(Transactions(3, 3)).ok());
  ASSERT_TRUE(appender_->Commit(boundary(3)).ok());
  const uint64_t at = boundary(2).offset;
  const size_t rest = Transactions(3, 3).size() - 17;
  EXPECT_EQ(trace_, (std::vector<std::string>{absl::StrCat("write ", rest, "@", at + 17), "sync",
                                              absl::StrCat("write 17@", at), "sync"}));
  EXPECT_EQ(disk_.Contents(kPath), Bytes(3));
}

TEST_F(AppenderTest, AGroupThatWasExpectedCostsTwoSyncs) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  ASSERT_TRUE(appender_->Append(Transactions(2, 2)).ok());
  ASSERT_TRUE(appender_->Commit(boundary(2), {}, /*more_expected=*/true).ok());
  EXPECT_FALSE(appender_->tidy());
  // As long as a header, and one in progress.
  ASSERT_EQ(disk_.Contents(kPath).size(), boundary(2).offset + kTransactionHeaderSize);
  const TransactionHeader header = DecodeTransactionHeader(disk_.Contents(kPath).substr(boundary(2).offset));
  EXPECT_EQ(header.tid, boundary(2).tid);
  EXPECT_EQ(header.status, kStatusInProgress);
  Trace();
  ASSERT_TRUE(appender_->Append(Transactions(3, 3)).ok());
  ASSERT_TRUE(appender_->Commit(boundary(3)).ok());
  const uint64_t at = boundary(2).offset;
  const size_t rest = Transactions(3, 3).size() - 17;
  EXPECT_EQ(trace_, (std::vector<std::string>{absl::StrCat("write ", rest, "@", at + 17), "sync",
                                              absl::StrCat("write 17@", at), "sync"}));
  EXPECT_EQ(disk_.Contents(kPath), Bytes(3));
  EXPECT_TRUE(appender_->tidy());
}

// Whoever has seen that the copy has it all need not fear that it grows a moment later.
TEST_F(AppenderTest, WhatIsExpectedIsAnnouncedBeforeTheGroupIsSeen) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  ASSERT_TRUE(appender_->Append(Transactions(2, 2)).ok());
  disk_.SetHook([this](const tests::SimulatedOperation&) {
    EXPECT_NE(disk_.Contents(kPath), Bytes(2));
    return absl::OkStatus();
  });
  ASSERT_TRUE(appender_->Commit(boundary(2), {}, /*more_expected=*/true).ok());
  disk_.SetHook(nullptr);
  ASSERT_TRUE(appender_->Tidy().ok());
  EXPECT_EQ(disk_.Contents(kPath), Bytes(2));
}

TEST_F(AppenderTest, TidyTakesBackWhatWasExpectedAndNothingElse) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  ASSERT_TRUE(appender_->Append(Transactions(2, 2)).ok());
  ASSERT_TRUE(appender_->Tidy().ok());
  ASSERT_TRUE(appender_->Commit(boundary(2), {}, /*more_expected=*/true).ok());
  ASSERT_TRUE(appender_->Tidy().ok());
  EXPECT_EQ(disk_.Contents(kPath), Bytes(2));
  Trace();
  ASSERT_TRUE(appender_->Tidy().ok());
  EXPECT_TRUE(trace_.empty());
}

TEST_F(AppenderTest, FewerFollowingBytesThanAHeaderAreNotAnnounced) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  ASSERT_TRUE(appender_->Append(Transactions(2, 2)).ok());
  ASSERT_TRUE(appender_->Commit(boundary(2), Transactions(3, 3).substr(0, 22)).ok());
  EXPECT_EQ(disk_.Contents(kPath), Bytes(2));
}

TEST_F(AppenderTest, WhileAGroupIsWrittenTheFileShowsThePreviousTid) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  ASSERT_TRUE(appender_->Append(Transactions(2, 2)).ok());
  const TransactionHeader header = DecodeTransactionHeader(disk_.Contents(kPath).substr(boundary(1).offset));
  EXPECT_EQ(header.tid, boundary(1).tid);
  EXPECT_EQ(header.status, kStatusInProgress);
}

TEST_F(AppenderTest, PiecesOfOneByte) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  const uint64_t start = boundary(1).offset;
  for (uint64_t at = start; at < boundary(2).offset; ++at) {
    ASSERT_TRUE(appender_->Append(primary_.bytes().substr(at, 1)).ok());
    EXPECT_EQ(appender_->tail_end(), at + 1);
    EXPECT_EQ(disk_.Contents(kPath).size() > start, at - start >= 22);
  }
  ASSERT_TRUE(appender_->Append("").ok());
  ASSERT_TRUE(appender_->Commit(boundary(2)).ok());
  EXPECT_EQ(disk_.Contents(kPath), Bytes(2));
}

TEST_F(AppenderTest, CutForgetsTheGroup) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  ASSERT_TRUE(appender_->Append(Transactions(2, 4)).ok());
  ASSERT_TRUE(appender_->Cut().ok());
  EXPECT_EQ(appender_->tail_end(), boundary(1).offset);
  EXPECT_EQ(disk_.Contents(kPath), Bytes(1));
  ASSERT_TRUE(appender_->Append(Transactions(2, 2)).ok());
  ASSERT_TRUE(appender_->Commit(boundary(2)).ok());
  EXPECT_EQ(disk_.Contents(kPath), Bytes(2));
}

TEST_F(AppenderTest, CutForgetsAnAnnouncementAndHeldBytes) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  ASSERT_TRUE(appender_->Append(Transactions(2, 2)).ok());
  ASSERT_TRUE(appender_->Commit(boundary(2), Transactions(4, 4)).ok());
  ASSERT_TRUE(appender_->Append(Transactions(4, 4).substr(0, 10)).ok());
  ASSERT_TRUE(appender_->Cut().ok());
  EXPECT_EQ(disk_.Contents(kPath), Bytes(2));
  ASSERT_TRUE(appender_->Append(Transactions(3, 3)).ok());
  ASSERT_TRUE(appender_->Commit(boundary(3)).ok());
  EXPECT_EQ(disk_.Contents(kPath), Bytes(3));
}

TEST_F(AppenderTest, CutOfNothingDoesNothing) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  Trace();
  ASSERT_TRUE(appender_->Cut().ok());
  ASSERT_TRUE(appender_->Append("held").ok());
  ASSERT_TRUE(appender_->Cut().ok());
  EXPECT_TRUE(trace_.empty());
}

TEST_F(AppenderTest, ClosingCutsWhatIsNotCommitted) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  ASSERT_TRUE(appender_->Append(Transactions(2, 2)).ok());
  ASSERT_TRUE(appender_->Commit(boundary(2), Transactions(3, 3)).ok());
  appender_.reset();
  EXPECT_EQ(disk_.Contents(kPath), Bytes(2));
}

TEST_F(AppenderTest, CommitRefusesAnotherEndThanTheTails) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  EXPECT_EQ(appender_->Commit(boundary(2)).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(appender_->Append(Transactions(2, 2).substr(0, 10)).ok());
  Boundary inside = boundary(2);
  inside.offset = appender_->tail_end();
  EXPECT_EQ(appender_->Commit(inside).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(appender_->Append(Transactions(2, 2).substr(10)).ok());
  EXPECT_EQ(appender_->Commit(boundary(3)).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(appender_->Commit(boundary(2)).ok());
}

TEST_F(AppenderTest, CommitOfNothingIsFine) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  Trace();
  EXPECT_TRUE(appender_->Commit(boundary(1)).ok());
  EXPECT_TRUE(trace_.empty());
}

TEST_F(AppenderTest, AppendRefusesATransactionInProgress) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  std::string bytes = Transactions(2, 2);
  bytes[kTransactionStatusOffset] = kStatusInProgress;
  EXPECT_EQ(appender_->Append(bytes).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(disk_.Contents(kPath), Bytes(1));
}

TEST_F(AppenderTest, AppendRefusesAnotherTransactionThanWasAnnounced) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  ASSERT_TRUE(appender_->Append(Transactions(2, 2)).ok());
  ASSERT_TRUE(appender_->Commit(boundary(2), Transactions(4, 4)).ok());
  EXPECT_EQ(appender_->Append(Transactions(3, 3)).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(appender_->Cut().ok());
  EXPECT_TRUE(appender_->Append(Transactions(3, 3)).ok());
}

TEST_F(AppenderTest, ReadGivesCommittedBytesOnly) {
  ASSERT_TRUE(OpenWith(2, "").ok());
  ASSERT_TRUE(appender_->Append(Transactions(3, 3)).ok());
  std::string out(primary_.size(), '\0');
  ASSERT_EQ(*appender_->Read(0, absl::MakeSpan(out)), boundary(2).offset);
  EXPECT_EQ(out.substr(0, boundary(2).offset), Bytes(2));
  EXPECT_EQ(*appender_->Read(boundary(2).offset, absl::MakeSpan(out)), 0u);
  EXPECT_EQ(*appender_->Read(boundary(2).offset + 1, absl::MakeSpan(out)), 0u);
  EXPECT_EQ(*appender_->Read(10, absl::MakeSpan(out).subspan(0, 5)), 5u);
}

TEST_F(AppenderTest, AFullDiskCanBeWaitedFor) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  disk_.SetCapacity(boundary(2).offset);
  EXPECT_EQ(appender_->Append(Transactions(2, 3)).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(appender_->Append(Transactions(2, 2)).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(appender_->Commit(boundary(3)).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(appender_->Cut().ok());
  EXPECT_EQ(disk_.Contents(kPath), Bytes(1));
  ASSERT_TRUE(appender_->Append(Transactions(2, 2)).ok());
  ASSERT_TRUE(appender_->Commit(boundary(2)).ok());
}

TEST_F(AppenderTest, AFullDiskInCutCanBeWaitedFor) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  ASSERT_TRUE(appender_->Append(Transactions(2, 3)).ok());
  Fail(Kind::kTruncate, absl::ResourceExhaustedError("no room for a new extent"));
  EXPECT_EQ(appender_->Cut().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(appender_->Append("x").code(), absl::StatusCode::kFailedPrecondition);
  disk_.SetHook(nullptr);
  ASSERT_TRUE(appender_->Cut().ok());
  EXPECT_EQ(disk_.Contents(kPath), Bytes(1));
}

TEST_F(AppenderTest, AFailedSyncIsForGood) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  ASSERT_TRUE(appender_->Append(Transactions(2, 2)).ok());
  Fail(Kind::kSync, absl::DataLossError("syncing Data.fs: input/output error"));
  EXPECT_EQ(appender_->Commit(boundary(2)).code(), absl::StatusCode::kDataLoss);
  disk_.SetHook(nullptr);
  EXPECT_EQ(appender_->committed(), boundary(1));
  const absl::Status later = appender_->Cut();
  EXPECT_EQ(later.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(later.message(), "input/output error")) << later;
  EXPECT_EQ(appender_->Append("x").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(appender_->Commit(boundary(2)).code(), absl::StatusCode::kFailedPrecondition);
  std::string out(1, 'x');
  EXPECT_EQ(appender_->Read(0, absl::MakeSpan(out)).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(AppenderTest, ASyncThatFailsForWantOfRoomIsAFailedSync) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  ASSERT_TRUE(appender_->Append(Transactions(2, 2)).ok());
  Fail(Kind::kSync, absl::ResourceExhaustedError("syncing Data.fs: no space left on device"));
  EXPECT_EQ(appender_->Commit(boundary(2)).code(), absl::StatusCode::kDataLoss);
  disk_.SetHook(nullptr);
  EXPECT_EQ(appender_->Cut().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(AppenderTest, AWriteErrorIsForGood) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  Fail(Kind::kWrite, absl::DataLossError("writing Data.fs: input/output error"));
  EXPECT_EQ(appender_->Append(Transactions(2, 2)).code(), absl::StatusCode::kDataLoss);
  disk_.SetHook(nullptr);
  EXPECT_EQ(appender_->Append(Transactions(2, 2)).code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace zrs::filestorage
