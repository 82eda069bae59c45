// What the appender does and refuses. What a crash leaves of it: appender_crash_test.cc.
#include "filestorage/appender.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/support/file_builder.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::filestorage {
namespace {

using support::FileBuilder;
using tests::SimulatedFileSystem;
using tests::SimulatedOperation;
using Kind = SimulatedOperation::Kind;

constexpr char kPath[] = "Data.fs";

class AppenderTest : public testing::Test {
 protected:
  AppenderTest() { primary_.AddMany(6, 400); }

  const Boundary& boundary(size_t n) const { return primary_.boundaries()[n]; }
  std::string Bytes(size_t n) const { return primary_.bytes().substr(0, boundary(n).offset); }
  std::string Transactions(size_t from, size_t to) const {
    return primary_.bytes().substr(boundary(from - 1).offset, boundary(to).offset - boundary(from - 1).offset);
  }

  // Opens a file with the primary's first `n` transactions and `tail` behind them.
  absl::Status OpenWith(size_t n, absl::string_view tail, size_t lower_bound = 0) {
    appender_.reset();
    disk_.SetContents(kPath, absl::StrCat(Bytes(n), tail));
    return Open(boundary(lower_bound));
  }
  absl::Status Open(const Boundary& lower_bound) {
    appender_.reset();
    auto opened = Appender::Open(disk_, kPath, lower_bound, &recovery_);
    if (opened.ok()) appender_ = *std::move(opened);
    return opened.status();
  }

  // Records what changes the file from here on: "write 23@4", "sync", "truncate 100".
  void Trace() {
    disk_.SetHook([this](const SimulatedOperation& operation) {
      if (operation.kind == Kind::kWrite)
        trace_.push_back(absl::StrCat("write ", operation.size, "@", operation.offset));
      if (operation.kind == Kind::kTruncate) trace_.push_back(absl::StrCat("truncate ", operation.size));
      if (operation.kind == Kind::kSync) trace_.push_back("sync");
      return absl::OkStatus();
    });
  }
  void Fail(Kind kind, absl::Status status) {
    disk_.SetHook([kind, status](const SimulatedOperation& operation) {
      return operation.kind == kind ? status : absl::OkStatus();
    });
  }

  FileBuilder primary_;
  SimulatedFileSystem disk_;
  Recovery recovery_;
  std::unique_ptr<Appender> appender_;
  std::vector<std::string> trace_;
};

TEST_F(AppenderTest, CreateMakesAnEmptyFileStorage) {
  ASSERT_TRUE(Appender::Create(disk_, kPath, Magic::kFs21, 0640).ok());
  EXPECT_EQ(disk_.Contents(kPath), "FS21");
  EXPECT_EQ(disk_.Stat(kPath)->mode, 0640u);
  EXPECT_FALSE(disk_.Exists("Data.fs.zrs-new"));
  ASSERT_TRUE(Open(Boundary{}).ok());
  EXPECT_EQ(appender_->magic(), Magic::kFs21);
  EXPECT_EQ(appender_->committed(), FirstBoundary(Magic::kFs21));
}

TEST_F(AppenderTest, CreateRefusesToReplaceAFile) {
  disk_.SetContents(kPath, "");
  EXPECT_EQ(Appender::Create(disk_, kPath, Magic::kFs30, 0644).code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(AppenderTest, CreateUsesWhatACrashLeftButNothingElse) {
  disk_.SetContents("Data.fs.zrs-new", "FS3");
  EXPECT_TRUE(Appender::Create(disk_, kPath, Magic::kFs30, 0644).ok());
  EXPECT_EQ(disk_.Contents(kPath), "FS30");
  disk_.SetContents("b.fs.zrs-new", Bytes(2));
  const absl::Status status = Appender::Create(disk_, "b.fs", Magic::kFs30, 0644);
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << status;
  EXPECT_EQ(disk_.Contents("b.fs.zrs-new"), Bytes(2));
}

TEST_F(AppenderTest, OpenFindsTheEndAboveTheLowerBound) {
  ASSERT_TRUE(OpenWith(4, "", 2).ok());
  EXPECT_EQ(appender_->committed(), boundary(4));
  EXPECT_EQ(appender_->tail_end(), boundary(4).offset);
  EXPECT_EQ(recovery_.end, boundary(4));
  EXPECT_EQ(recovery_.scanned_bytes, boundary(4).offset - boundary(2).offset);
  EXPECT_EQ(recovery_.cut_bytes, 0u);
}

TEST_F(AppenderTest, OpenAtTheLowerBoundOnlySyncs) {
  disk_.SetContents(kPath, Bytes(3));
  Trace();
  ASSERT_TRUE(Open(boundary(3)).ok());
  EXPECT_EQ(trace_, std::vector<std::string>{"sync"});
}

TEST_F(AppenderTest, OpenOfAMissingFileIsNotFound) { EXPECT_EQ(Open(boundary(0)).code(), absl::StatusCode::kNotFound); }

TEST_F(AppenderTest, OpenOfAFileThatAnotherSidecarHasIsUnavailable) {
  ASSERT_TRUE(OpenWith(1, "").ok());
  Recovery recovery;
  EXPECT_EQ(Appender::Open(disk_, kPath, boundary(0), &recovery).status().code(), absl::StatusCode::kUnavailable);
  appender_.reset();
  EXPECT_TRUE(Open(boundary(0)).ok());
}

TEST_F(AppenderTest, OpenRefusesAFileThatIsNoFileStorage) {
  for (const std::string contents : {"", "FS3", "FS31", "PK..and so on"}) {
    disk_.SetContents(kPath, contents);
    EXPECT_EQ(Open(Boundary{}).code(), absl::StatusCode::kDataLoss) << contents;
    EXPECT_EQ(disk_.Contents(kPath), contents);
  }
}

TEST_F(AppenderTest, OpenRefusesAFileThatEndsBelowTheLowerBound) {
  const absl::Status status = OpenWith(2, Transactions(3, 3).substr(0, 100), 3);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(absl::StrContains(status.message(), "Data.fs")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), absl::StrCat(boundary(3).offset))) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "nothing was changed")) << status;
  EXPECT_EQ(disk_.Contents(kPath), Bytes(2) + Transactions(3, 3).substr(0, 100));
}

TEST_F(AppenderTest, OpenRefusesOtherBytesAtTheLowerBound) {
  std::string contents = Bytes(5);
  contents[boundary(3).offset - 20] ^= 1;
  disk_.SetContents(kPath, contents);
  EXPECT_EQ(Open(boundary(3)).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(disk_.Contents(kPath), contents);
}

TEST_F(AppenderTest, OpenRefusesAnotherMagicThanTheLowerBounds) {
  std::string contents = Bytes(3);
  contents[2] = '2';
  contents[3] = '1';
  disk_.SetContents(kPath, contents);
  EXPECT_EQ(Open(boundary(0)).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Open(boundary(2)).code(), absl::StatusCode::kDataLoss);
}

TEST_F(AppenderTest, OpenCutsFewerBytesThanAHeaderSilently) {
  ASSERT_TRUE(OpenWith(2, Transactions(3, 3).substr(0, 22)).ok());
  EXPECT_EQ(disk_.Contents(kPath), Bytes(2));
  EXPECT_EQ(recovery_.cut_bytes, 22u);
  EXPECT_EQ(recovery_.saved_to, "");
}

TEST_F(AppenderTest, OpenCutsATransactionInProgressSilently) {
  std::string tail = Transactions(3, 5);
  tail[kTransactionStatusOffset] = kStatusInProgress;
  ASSERT_TRUE(OpenWith(2, tail).ok());
  EXPECT_EQ(disk_.Contents(kPath), Bytes(2));
  EXPECT_EQ(recovery_.cut_bytes, tail.size());
  EXPECT_EQ(recovery_.saved_to, "");
  EXPECT_FALSE(disk_.Exists("Data.fs.tr0"));
}

TEST_F(AppenderTest, OpenCutsZerosSilently) {
  ASSERT_TRUE(OpenWith(2, std::string(5000, '\0')).ok());
  EXPECT_EQ(disk_.Contents(kPath), Bytes(2));
  EXPECT_FALSE(disk_.Exists("Data.fs.tr0"));
}

// Saved means durable, too, before the file is touched.
TEST_F(AppenderTest, OpenSavesAnythingElseBeforeItCutsIt) {
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

TEST_F(AppenderTest, OpenSavesToTheFirstFreeName) {
  disk_.SetContents("Data.fs.tr0", "old");
  disk_.SetContents("Data.fs.tr2", "older");
  ASSERT_TRUE(OpenWith(2, std::string(100, 'x')).ok());
  EXPECT_EQ(recovery_.saved_to, "Data.fs.tr1");
  EXPECT_EQ(disk_.Contents("Data.fs.tr1"), std::string(100, 'x'));
  EXPECT_EQ(disk_.Contents("Data.fs.tr0"), "old");
}

TEST_F(AppenderTest, OpenSavesAllFromAnUnsoundTransactionOn) {
  std::string tail = Transactions(3, 6);
  tail[tail.size() / 2] ^= 1;  // a data byte: nobody can see that
  const size_t length = Transactions(3, 3).size();
  tail[length - 1] ^= 1;
  ASSERT_TRUE(OpenWith(2, tail, 1).ok());
  EXPECT_EQ(recovery_.end, boundary(2));
  EXPECT_EQ(disk_.Contents(kPath), Bytes(2));
  EXPECT_EQ(disk_.Contents("Data.fs.tr0"), tail);
}

TEST_F(AppenderTest, OpenSavesATailThatIsLargerThanItsBuffer) {
  std::string tail(3 << 20, 'x');
  tail += "end";
  ASSERT_TRUE(OpenWith(1, tail).ok());
  EXPECT_EQ(disk_.Contents("Data.fs.tr0"), tail);
}

TEST_F(AppenderTest, OpenWithoutRoomToSaveLeavesTheFileAsItIs) {
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
