// How a file is created, opened and recovered.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "filestorage/appender.h"
#include "tests/filestorage/appender_test_fixture.h"

namespace zrs::filestorage {
namespace {

using tests::SimulatedOperation;
using Kind = SimulatedOperation::Kind;
using AppenderOpenTest = AppenderTest;

TEST_F(AppenderOpenTest, CreateMakesAnEmptyFileStorage) {
  ASSERT_TRUE(Appender::Create(disk_, kPath, Magic::kFs21, {.mode = 0640}).ok());
  EXPECT_EQ(disk_.Contents(kPath), "FS21");
  EXPECT_EQ(disk_.Stat(kPath)->mode, 0640u);
  EXPECT_FALSE(disk_.Exists("Data.fs.zrs-new"));
  ASSERT_TRUE(Open(Boundary{}).ok());
  EXPECT_EQ(appender_->magic(), Magic::kFs21);
  EXPECT_EQ(appender_->committed(), FirstBoundary(Magic::kFs21));
}

TEST_F(AppenderOpenTest, CreateRefusesToReplaceAFile) {
  disk_.SetContents(kPath, "");
  EXPECT_EQ(Appender::Create(disk_, kPath, Magic::kFs30, {.mode = 0644}).code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(AppenderOpenTest, CreateUsesWhatACrashLeftButNothingElse) {
  disk_.SetContents("Data.fs.zrs-new", "FS3");
  EXPECT_TRUE(Appender::Create(disk_, kPath, Magic::kFs30, {.mode = 0644}).ok());
  EXPECT_EQ(disk_.Contents(kPath), "FS30");
  disk_.SetContents("b.fs.zrs-new", Bytes(2));
  const absl::Status status = Appender::Create(disk_, "b.fs", Magic::kFs30, {.mode = 0644});
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << status;
  EXPECT_EQ(disk_.Contents("b.fs.zrs-new"), Bytes(2));
}

TEST_F(AppenderOpenTest, OpenFindsTheEndAboveTheLowerBound) {
  int before_it = 0;  // reads of what lies before the bound's own transaction
  disk_.SetHook([&](const tests::SimulatedOperation& operation) {
    const bool is_read = operation.kind == tests::SimulatedOperation::Kind::kRead;
    if (is_read && operation.offset >= kMagicSize && operation.offset < boundary(2).last_offset) ++before_it;
    return absl::OkStatus();
  });
  ASSERT_TRUE(OpenWith(4, "", 2).ok());
  EXPECT_EQ(before_it, 0);
  EXPECT_EQ(appender_->committed(), boundary(4));
  EXPECT_EQ(appender_->tail_end(), boundary(4).offset);
  EXPECT_EQ(recovery_.end, boundary(4));
  EXPECT_EQ(recovery_.cut_bytes, 0u);
}

TEST_F(AppenderOpenTest, OpenAtTheLowerBoundOnlySyncs) {
  disk_.SetContents(kPath, Bytes(3));
  Trace();
  ASSERT_TRUE(Open(boundary(3)).ok());
  EXPECT_EQ(trace_, std::vector<std::string>{"sync"});
}

TEST_F(AppenderOpenTest, OpenOfAMissingFileIsNotFound) {
  EXPECT_EQ(Open(boundary(0)).code(), absl::StatusCode::kNotFound);
}

TEST_F(AppenderOpenTest, OpenOfAFileThatAnotherSidecarHasIsUnavailable) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  Recovery recovery;
  EXPECT_EQ(Appender::Open(disk_, kPath, boundary(0), &recovery).status().code(), absl::StatusCode::kUnavailable);
  appender_.reset();
  EXPECT_TRUE(Open(boundary(0)).ok());
}

TEST_F(AppenderOpenTest, OpenRefusesAFileThatIsNoFileStorage) {
  for (const std::string contents : {"", "FS3", "FS31", "PK..and so on"}) {
    disk_.SetContents(kPath, contents);
    EXPECT_EQ(Open(Boundary{}).code(), absl::StatusCode::kDataLoss) << contents;
    EXPECT_EQ(disk_.Contents(kPath), contents);
  }
}

TEST_F(AppenderOpenTest, OpenRefusesAFileThatEndsBelowTheLowerBound) {
  const absl::Status status = OpenWith(2, Transactions(3, 3).substr(0, 100), 3);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(absl::StrContains(status.message(), "Data.fs")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), absl::StrCat(boundary(3).offset))) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "nothing was changed")) << status;
  EXPECT_EQ(disk_.Contents(kPath), Bytes(2) + Transactions(3, 3).substr(0, 100));
}

TEST_F(AppenderOpenTest, OpenRefusesOtherBytesAtTheLowerBound) {
  std::string contents = Bytes(5);
  contents[boundary(3).offset - 20] ^= 1;
  disk_.SetContents(kPath, contents);
  EXPECT_EQ(Open(boundary(3)).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(disk_.Contents(kPath), contents);
}

TEST_F(AppenderOpenTest, OpenRefusesAnotherMagicThanTheLowerBounds) {
  std::string contents = Bytes(3);
  contents[2] = '2';
  contents[3] = '1';
  disk_.SetContents(kPath, contents);
  EXPECT_EQ(Open(boundary(0)).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Open(boundary(2)).code(), absl::StatusCode::kDataLoss);
}

TEST_F(AppenderOpenTest, OpenCutsFewerBytesThanAHeaderSilently) {
  ASSERT_TRUE(OpenWith(2, Transactions(3, 3).substr(0, 22)).ok());
  EXPECT_EQ(disk_.Contents(kPath), Bytes(2));
  EXPECT_EQ(recovery_.cut_bytes, 22u);
  EXPECT_EQ(recovery_.saved_to, "");
}

TEST_F(AppenderOpenTest, OpenCutsATransactionInProgressSilently) {
  std::string tail = Transactions(3, 5);
  tail[kTransactionStatusOffset] = kStatusInProgress;
  ASSERT_TRUE(OpenWith(2, tail).ok());
  EXPECT_EQ(disk_.Contents(kPath), Bytes(2));
  EXPECT_EQ(recovery_.cut_bytes, tail.size());
  EXPECT_EQ(recovery_.saved_to, "");
  EXPECT_FALSE(disk_.Exists("Data.fs.tr0"));
}

TEST_F(AppenderOpenTest, OpenCutsZerosSilently) {
  ASSERT_TRUE(OpenWith(2, std::string(5000, '\0')).ok());
  EXPECT_EQ(disk_.Contents(kPath), Bytes(2));
  EXPECT_FALSE(disk_.Exists("Data.fs.tr0"));
}

// Saved means durable, too, before the file is touched.
TEST_F(AppenderOpenTest, OpenSavesAnythingElseBeforeItCutsIt) {
  const std::string tail = Transactions(3, 3).substr(0, 200);
  disk_.SetContents(kPath, Bytes(2) + tail);
  bool saved = false;
  disk_.SetHook([&](const SimulatedOperation& operation) {
    if (operation.path != kPath || (operation.kind != Kind::kWrite && operation.kind != Kind::kTruncate)) {
      return absl::OkStatus();
    }
    const auto crashed = disk_.Clone();
    tests::LoseEverything lose;
    crashed->Crash(lose);
    EXPECT_EQ(crashed->Contents("Data.fs.tr0"), tail);
    saved = true;
    return absl::OkStatus();
  });
  ASSERT_TRUE(Open(boundary(0)).ok());
  EXPECT_TRUE(saved);
  EXPECT_EQ(recovery_.saved_to, "Data.fs.tr0");
  EXPECT_EQ(recovery_.cut_bytes, 200u);
  EXPECT_EQ(disk_.Contents(kPath), Bytes(2));
}

TEST_F(AppenderOpenTest, OpenSavesToTheFirstFreeName) {
  disk_.SetContents("Data.fs.tr0", "old");
  disk_.SetContents("Data.fs.tr2", "older");
  ASSERT_TRUE(OpenWith(2, std::string(100, 'x')).ok());
  EXPECT_EQ(recovery_.saved_to, "Data.fs.tr1");
  EXPECT_EQ(disk_.Contents("Data.fs.tr1"), std::string(100, 'x'));
  EXPECT_EQ(disk_.Contents("Data.fs.tr0"), "old");
}

TEST_F(AppenderOpenTest, OpenSavesAllFromAnUnsoundTransactionOn) {
  std::string tail = Transactions(3, 6);
  tail[tail.size() / 2] ^= 1;  // a data byte: nobody can see that
  const size_t length = Transactions(3, 3).size();
  tail[length - 1] ^= 1;
  ASSERT_TRUE(OpenWith(2, tail, 1).ok());
  EXPECT_EQ(recovery_.end, boundary(2));
  EXPECT_EQ(disk_.Contents(kPath), Bytes(2));
  EXPECT_EQ(disk_.Contents("Data.fs.tr0"), tail);
}

TEST_F(AppenderOpenTest, OpenSavesATailThatIsLargerThanItsBuffer) {
  std::string tail(3 << 20, 'x');
  tail += "end";
  ASSERT_TRUE(OpenWith(1, tail).ok());
  EXPECT_EQ(disk_.Contents("Data.fs.tr0"), tail);
}

TEST_F(AppenderOpenTest, OpenWithoutRoomToSaveLeavesTheFileAsItIs) {
  const std::string contents = Bytes(2) + std::string(1000, 'x');
  disk_.SetContents(kPath, contents);
  disk_.SetCapacity(contents.size() + 500);
  EXPECT_EQ(Open(boundary(0)).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(disk_.Contents(kPath), contents);
  EXPECT_FALSE(disk_.Exists("Data.fs.tr0"));
  disk_.SetCapacity(UINT64_MAX);
  EXPECT_TRUE(Open(boundary(0)).ok());
  EXPECT_EQ(recovery_.saved_to, "Data.fs.tr0");
}

}  // namespace
}  // namespace zrs::filestorage
