// Room that is made behind the committed end. What a crash leaves of it: appender_crash_test.cc.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "filestorage/appender.h"
#include "tests/filestorage/appender_test_fixture.h"
#include "tests/support/read_index_model.h"

namespace zrs::filestorage {
namespace {

using Kind = tests::SimulatedOperation::Kind;

constexpr uint64_t kRoom = 5000;

class AppenderRoomTest : public AppenderTest {
 protected:
  // The primary's first two transactions, and a third one is expected.
  void ExpectMore() {
    ASSERT_TRUE(OpenWith(1, "").ok());
    ASSERT_TRUE(appender_->Append(Transactions(2, 2)).ok());
    ASSERT_TRUE(appender_->Commit(boundary(2), {}, /*more_expected=*/true).ok());
  }
  void ExpectMoreWithRoom() {
    ExpectMore();
    ASSERT_TRUE(appender_->MakeRoom(kRoom).ok());
  }
  size_t size() const { return disk_.Contents(kPath).size(); }
};

TEST_F(AppenderRoomTest, WhatWasExpectedOverwritesIt) {
  ExpectMoreWithRoom();
  const size_t with_room = size();
  EXPECT_EQ(with_room, boundary(2).offset + kRoom);
  EXPECT_EQ(appender_->room(), kRoom);
  EXPECT_FALSE(appender_->tidy());
  for (size_t n = 3; n <= 4; ++n) {
    trace_.clear();
    Trace();
    ASSERT_TRUE(appender_->Append(Transactions(n, n)).ok());
    ASSERT_TRUE(appender_->Commit(boundary(n), {}, /*more_expected=*/true).ok());
    const uint64_t at = boundary(n - 1).offset;
    EXPECT_EQ(trace_, (std::vector<std::string>{absl::StrCat("write ", Transactions(n, n).size() - 17, "@", at + 17),
                                                absl::StrCat("write 17@", boundary(n).offset), "sync",
                                                absl::StrCat("write 17@", at), "sync"}));
    EXPECT_EQ(size(), with_room);
    EXPECT_EQ(tests::ReadIndexModel(disk_.Contents(kPath)).end, boundary(n).offset);
  }
  EXPECT_EQ(appender_->room(), with_room - boundary(4).offset);
  ASSERT_TRUE(appender_->Tidy().ok());
  EXPECT_EQ(appender_->room(), 0u);
  EXPECT_EQ(disk_.Contents(kPath), Bytes(4));
}

TEST_F(AppenderRoomTest, IsMadeByOneWriteAndOneSyncAndNotTwice) {
  ExpectMore();
  Trace();
  ASSERT_TRUE(appender_->MakeRoom(kRoom).ok());
  ASSERT_TRUE(appender_->MakeRoom(kRoom - 1).ok());
  EXPECT_EQ(trace_,
            (std::vector<std::string>{absl::StrCat("write ", kRoom - 17, "@", boundary(2).offset + 17), "sync"}));
}

TEST_F(AppenderRoomTest, IsMadeLongerBehindWhatIsLeftOfIt) {
  ExpectMoreWithRoom();
  ASSERT_TRUE(appender_->Append(Transactions(3, 3)).ok());
  ASSERT_TRUE(appender_->Commit(boundary(3), {}, /*more_expected=*/true).ok());
  const size_t before = size();
  Trace();
  ASSERT_TRUE(appender_->MakeRoom(kRoom).ok());
  EXPECT_EQ(trace_, (std::vector<std::string>{absl::StrCat("write ", boundary(3).offset + kRoom - before, "@", before),
                                              "sync"}));
}

TEST_F(AppenderRoomTest, IsNotMadeWhereNoGroupIsExpectedOrOneIsUnderWay) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  ASSERT_TRUE(appender_->MakeRoom(kRoom).ok());
  EXPECT_EQ(disk_.Contents(kPath), Bytes(1));
  ASSERT_TRUE(appender_->Append(Transactions(2, 2)).ok());
  ASSERT_TRUE(appender_->MakeRoom(kRoom).ok());
  ASSERT_TRUE(appender_->Commit(boundary(2), Transactions(3, 3).substr(0, 23)).ok());
  ASSERT_TRUE(appender_->MakeRoom(kRoom).ok());
  EXPECT_EQ(size(), boundary(2).offset + 17);
  ASSERT_TRUE(appender_->Append(Transactions(3, 3)).ok());
  ASSERT_TRUE(appender_->Commit(boundary(3), {}, /*more_expected=*/true).ok());
  ASSERT_TRUE(appender_->Append(Transactions(4, 4).substr(0, 5)).ok());
  ASSERT_TRUE(appender_->MakeRoom(kRoom).ok());
  EXPECT_EQ(size(), boundary(3).offset + 23);
}

// Such a place has no announcement of a group that may be any.
TEST_F(AppenderRoomTest, GoesWhereTheNextGroupBeginsInTwoSectors) {
  ExpectMoreWithRoom();
  ASSERT_GT(boundary(5).offset % 512, 512u - 17);
  ASSERT_TRUE(appender_->Append(Transactions(3, 5)).ok());
  ASSERT_TRUE(appender_->Commit(boundary(5), {}, /*more_expected=*/true).ok());
  EXPECT_EQ(disk_.Contents(kPath), Bytes(5));
  EXPECT_EQ(appender_->room(), 0u);
}

// Whoever sees the group finds the end of the file behind it.
TEST_F(AppenderRoomTest, GoesBeforeAGroupIsSeenBehindWhichNoneIsExpected) {
  ExpectMoreWithRoom();
  ASSERT_TRUE(appender_->Append(Transactions(3, 3)).ok());
  Trace();
  ASSERT_TRUE(appender_->Commit(boundary(3)).ok());
  EXPECT_EQ(trace_, (std::vector<std::string>{absl::StrCat("truncate ", boundary(3).offset), "sync",
                                              absl::StrCat("write 17@", boundary(2).offset), "sync"}));
  EXPECT_EQ(disk_.Contents(kPath), Bytes(3));
  EXPECT_TRUE(appender_->tidy());
}

TEST_F(AppenderRoomTest, StaysBehindAGroupThatIsKnown) {
  ExpectMoreWithRoom();
  ASSERT_TRUE(appender_->Append(Transactions(3, 3)).ok());
  ASSERT_TRUE(appender_->Commit(boundary(3), Transactions(4, 4)).ok());
  EXPECT_EQ(size(), boundary(2).offset + kRoom);
  ASSERT_TRUE(appender_->Append(Transactions(4, 4)).ok());
  ASSERT_TRUE(appender_->Commit(boundary(4)).ok());
  EXPECT_EQ(disk_.Contents(kPath), Bytes(4));
}

TEST_F(AppenderRoomTest, AFullDiskIsNoError) {
  ExpectMore();
  disk_.SetCapacity(boundary(2).offset + 100);
  ASSERT_TRUE(appender_->MakeRoom(kRoom).ok());
  disk_.SetCapacity(UINT64_MAX);
  ASSERT_TRUE(appender_->Append(Transactions(3, 3)).ok());
  ASSERT_TRUE(appender_->Commit(boundary(3)).ok());
  EXPECT_EQ(disk_.Contents(kPath), Bytes(3));
}

TEST_F(AppenderRoomTest, AFailedSyncIsForGood) {
  ExpectMore();
  Fail(Kind::kSync, absl::DataLossError("syncing Data.fs: input/output error"));
  EXPECT_EQ(appender_->MakeRoom(kRoom).code(), absl::StatusCode::kDataLoss);
  disk_.SetHook(nullptr);
  EXPECT_EQ(appender_->Append(Transactions(3, 3)).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(AppenderRoomTest, IsCutAtTheNextOpeningWithoutBeingSaved) {
  ExpectMoreWithRoom();
  appender_->LeaveTail();
  ASSERT_TRUE(Open(boundary(1)).ok());
  EXPECT_EQ(recovery_.end, boundary(2));
  EXPECT_EQ(recovery_.cut_bytes, kRoom);
  EXPECT_EQ(recovery_.saved_to, "");
  EXPECT_EQ(disk_.Contents(kPath), Bytes(2));
}

}  // namespace
}  // namespace zrs::filestorage
