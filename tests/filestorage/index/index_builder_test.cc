#include "filestorage/index/index_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/filestorage/index/index_test_fixture.h"
#include "tests/filestorage/index/reference_index.h"
#include "tests/support/file_builder.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::filestorage {
namespace {

using testing::HasSubstr;
using tests::FileBuilder;
using tests::SimulatedOperation;
using tests::TestTid;

TEST_F(IndexBuilderTest, OfManyObjects) {
  const FileBuilder file = Varied();
  files_.SetContents(kData, file.bytes());
  const IndexReport report = BuildWell();
  EXPECT_EQ(files_.Contents(kIndex), ReferenceIndexOf(file.bytes()));
  EXPECT_EQ(report.objects, ReferencePositions(file.bytes()).size());
  EXPECT_EQ(report.position, file.size());
  EXPECT_EQ(report.scanned_bytes, file.size() - kMagicSize);
  EXPECT_EQ(report.went_on_from, 0u);
  EXPECT_EQ(report.spills, 0u);
  EXPECT_TRUE(report.written);
}

TEST_F(IndexBuilderTest, InHardlyAnyMemoryItIsTheSameByteForByte) {
  const FileBuilder file = Varied();
  files_.SetContents(kData, file.bytes());
  for (const size_t limit : {size_t{0}, size_t{2} << 10, size_t{10} << 10}) {
    const IndexReport report = BuildWell({.memory_limit = limit});
    EXPECT_EQ(files_.Contents(kIndex), ReferenceIndexOf(file.bytes()));
    EXPECT_GT(report.spills, 1u);
  }
}

TEST_F(IndexBuilderTest, WithoutTransactions) {
  files_.SetContents(kData, "FS30");
  EXPECT_EQ(BuildWell().position, 4u);
  EXPECT_EQ(files_.Contents(kIndex), ReferenceIndexOf("FS30"));
}

TEST_F(IndexBuilderTest, OfPython2) {
  FileBuilder file(Magic::kFs21);
  file.Add({.tid = TestTid(1), .records = {{.oid = 1, .data = "x"}}});
  files_.SetContents(kData, file.bytes());
  BuildWell();
  const std::string expected("K\x4e.(U\6\0\0\0\0\0\0U\x08\0\1\0\0\0\0\0\x1bt.N.", 26);
  EXPECT_EQ(files_.Contents(kIndex), expected);
  EXPECT_FALSE(BuildWell({.go_on = true}).not_gone_on.empty());  // too short for ZODB to trust it
}

TEST_F(IndexBuilderTest, DeletedObjectsCountAndUndoneTransactionsDoNot) {
  FileBuilder file;
  file.Add({.tid = TestTid(1), .records = {{.oid = 1, .data = "a"}, {.oid = 2, .data = "b"}}});
  const uint64_t kept = file.record_position(2);
  file.Add({.tid = TestTid(2), .status = kStatusUndone, .records = {{.oid = 2, .data = "c"}, {.oid = 3, .data = "d"}}});
  file.Add({.tid = TestTid(3), .status = kStatusPacked, .records = {{.oid = 1}}});
  files_.SetContents(kData, file.bytes());
  EXPECT_EQ(BuildWell().objects, 2u);
  EXPECT_EQ(files_.Contents(kIndex), ReferenceIndex({{1, file.record_position(1)}, {2, kept}}, file.size()));
}

TEST_F(IndexBuilderTest, WhatIsNotCommittedDoesNotCount) {
  FileBuilder file = FileBuilder().AddMany(5, 100);
  const std::string committed = file.bytes();
  for (const char status : {kStatusInProgress, kStatusComplete}) {
    FileBuilder more = file;
    more.Add({.tid = TestTid(9), .status = status, .records = {{.oid = 0, .data = "x"}, {.oid = 77, .data = "y"}}});
    const size_t most = status == kStatusInProgress ? more.size() : more.size() - 1;
    for (size_t size = committed.size(); size <= most; ++size) {
      files_.SetContents(kData, more.bytes().substr(0, size));
      EXPECT_EQ(BuildWell().position, committed.size());
      ASSERT_EQ(files_.Contents(kIndex), ReferenceIndexOf(committed)) << size;
    }
  }
}

// More records than are held back, in a transaction that the file ends within.
TEST_F(IndexBuilderTest, AVeryLongTransaction) {
  FileBuilder file = FileBuilder().AddMany(3, 100);
  const std::string committed = file.bytes();
  tests::TransactionSpec large = {.tid = TestTid(9)};
  for (uint64_t oid = 0; oid < 70'000; ++oid) large.records.push_back({.oid = oid, .data = "x"});
  file.Add(large);
  files_.SetContents(kData, file.bytes());
  EXPECT_EQ(BuildWell().objects, 70'000u);
  EXPECT_EQ(files_.Contents(kIndex), ReferenceIndexOf(file.bytes()));
  files_.SetContents(kData, file.bytes().substr(0, file.size() - 1));
  BuildWell();
  EXPECT_EQ(files_.Contents(kIndex), ReferenceIndexOf(committed));
  // Damaged at its very end.
  std::string damaged = file.bytes();
  damaged.back() ^= 1;
  files_.SetContents(kData, damaged);
  EXPECT_TRUE(absl::IsDataLoss(BuildBadly()));
}

TEST_F(IndexBuilderTest, LargeDataIsNotRead) {
  FileBuilder file;
  file.Add({.tid = TestTid(1), .records = {{.oid = 1, .data = std::string(20 << 20, 'x')}, {.oid = 2, .data = "y"}}});
  files_.SetContents(kData, file.bytes());
  uint64_t read = 0;
  files_.SetHook([&](const SimulatedOperation& operation) {
    if (operation.kind == SimulatedOperation::Kind::kRead) read += operation.size;
    return absl::OkStatus();
  });
  BuildWell();
  EXPECT_LT(read, 3u << 20);
  EXPECT_EQ(files_.Contents(kIndex), ReferenceIndexOf(file.bytes()));
}

TEST_F(IndexBuilderTest, DamageIsToldWithItsPositionAndNothingIsWritten) {
  const FileBuilder file = FileBuilder().AddMany(9, 100);
  std::string bytes = file.bytes();
  const uint64_t position = file.boundaries()[4].offset;
  bytes[position + kTransactionStatusOffset] = '?';
  files_.SetContents(kData, bytes);
  files_.SetContents(kIndex, "the old one");
  const absl::Status status = BuildBadly();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr(absl::StrCat("indexing /db/Data.fs at ", position, ": ")));
  EXPECT_THAT(status.message(), HasSubstr("zrs verify /db/Data.fs"));
}

TEST_F(IndexBuilderTest, ATransactionInProgressThatBytesFollowIsDamage) {
  const FileBuilder file = FileBuilder().AddMany(4, 100);
  std::string bytes = file.bytes();
  bytes[file.boundaries()[2].offset + kTransactionStatusOffset] = kStatusInProgress;
  files_.SetContents(kData, bytes);
  EXPECT_TRUE(absl::IsDataLoss(BuildBadly()));
}

TEST_F(IndexBuilderTest, VersionsAreRefused) {
  FileBuilder file = FileBuilder().AddMany(2, 100);
  const uint64_t position = file.size() + kTransactionHeaderSize;
  file.Add({.tid = TestTid(9), .records = {{.oid = 1, .data = "x", .version = "v"}}});
  files_.SetContents(kData, file.bytes());
  const absl::Status status = BuildBadly();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr(absl::StrCat("the record at ", position)));
}

TEST_F(IndexBuilderTest, WhatIsNoFileStorage) {
  for (const char* bytes : {"", "FS3", "SQLite format 3"}) {
    files_.SetContents(kData, bytes);
    const absl::Status status = BuildBadly();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_THAT(status.message(), HasSubstr(kData));
  }
  ASSERT_TRUE(files_.Remove(kData).ok());
  EXPECT_TRUE(absl::IsNotFound(BuildBadly()));
}

// A writer that took an aborted transaction back, and began another in its place, between two reads.
TEST_F(IndexBuilderTest, DamageThatAFreshReadDoesNotFindIsNone) {
  const FileBuilder file = FileBuilder().AddMany(6, 100);
  std::string torn = file.bytes();
  torn[file.boundaries()[4].offset - 1] ^= 1;
  files_.SetContents(kData, torn);
  int reads = 0;
  files_.SetHook([&](const SimulatedOperation& operation) {
    reads += operation.kind == SimulatedOperation::Kind::kRead && operation.path == kData ? 1 : 0;
    if (reads == 3) files_.SetContents(kData, file.bytes());
    return absl::OkStatus();
  });
  BuildWell();
  EXPECT_EQ(files_.Contents(kIndex), ReferenceIndexOf(file.bytes()));
}

// Of what is committed by then, or at the beginning.
TEST_F(IndexBuilderTest, AWriterThatAppendsMeanwhile) {
  FileBuilder file = FileBuilder().AddMany(4, 100);
  const std::string before = file.bytes();
  file.AddMany(3, 100);
  for (int at = 1; at < 40; ++at) {
    files_.SetHook(nullptr);
    files_.SetContents(kData, before);
    int operations = 0;
    files_.SetHook([&](const SimulatedOperation&) {
      if (++operations == at) files_.SetContents(kData, file.bytes());
      return absl::OkStatus();
    });
    const uint64_t position = BuildWell().position;
    EXPECT_TRUE(position == before.size() || position == file.size());
    EXPECT_EQ(files_.Contents(kIndex), ReferenceIndexOf(file.bytes().substr(0, position)));
  }
}

TEST_F(IndexBuilderTest, AFileThatIsPackedMeanwhile) {
  const FileBuilder file = FileBuilder().AddMany(8, 100);
  const std::string packed = FileBuilder().AddMany(2, 100).bytes();
  files_.SetContents(kData, file.bytes());
  BuildWell();
  const uint64_t before = files_.operations();
  BuildWell();
  const uint64_t most = files_.operations() - before;
  for (uint64_t at = 2; at <= most; ++at) {
    files_.SetContents(kData, file.bytes());
    files_.SetContents("/db/Data.fs.pack", packed);
    files_.SetContents(kIndex, "ZODB's own");
    const uint64_t start = files_.operations();
    bool done = false;
    files_.SetHook([&](const SimulatedOperation& operation) {
      if (operation.number != start + at || done) return absl::OkStatus();
      done = true;
      return files_.Rename("/db/Data.fs.pack", kData);
    });
    const absl::StatusOr<IndexReport> report = Build();
    files_.SetHook(nullptr);
    const std::string index = files_.Contents(kIndex);
    if (report.ok()) {
      EXPECT_TRUE(index == ReferenceIndexOf(packed) || index == ReferenceIndexOf(file.bytes()));
    } else {
      // Of the file before there is none in its place.
      EXPECT_TRUE(absl::IsAborted(report.status())) << report.status();
      EXPECT_TRUE(index == "ZODB's own" || !files_.Exists(kIndex)) << at;
    }
    EXPECT_FALSE(files_.Exists("/db/Data.fs.index.zrs-new"));
  }
}

TEST_F(IndexBuilderTest, NothingBehindAPositionIsLookedAt) {
  const FileBuilder file = Varied();
  const uint64_t end = file.boundaries()[200].offset;
  std::string bytes = file.bytes();
  bytes[end + kMagicSize] = '?';
  files_.SetContents(kData, bytes + "nonsense");
  IndexReport report = BuildWell({.up_to = end});
  EXPECT_EQ(report.position, end);
  EXPECT_EQ(files_.Contents(kIndex), ReferenceIndexOf(bytes.substr(0, end)));
  report = BuildWell({.go_on = true, .up_to = end});
  EXPECT_EQ(report.went_on_from, end);
  EXPECT_FALSE(report.written);
}

TEST_F(IndexBuilderTest, AnIndexOfMoreThanIsWantedStays) {
  const FileBuilder file = Varied();
  files_.SetContents(kData, file.bytes());
  BuildWell();
  const IndexReport report = BuildWell({.go_on = true, .up_to = file.boundaries()[200].offset});
  EXPECT_EQ(report.position, file.size());
  EXPECT_FALSE(report.written);
  EXPECT_EQ(files_.Contents(kIndex), ReferenceIndexOf(file.bytes()));
}

TEST_F(IndexBuilderTest, APreparedOneThatIsNotPutInPlaceLeavesNothing) {
  files_.SetContents(kData, Varied().bytes());
  {
    const absl::StatusOr<PreparedIndex> prepared = PrepareIndex(files_, kData, {});
    ASSERT_TRUE(prepared.ok()) << prepared.status();
    EXPECT_THAT(*files_.List("/db"), testing::ElementsAre("Data.fs", "Data.fs.index.zrs-new"));
  }
  EXPECT_THAT(*files_.List("/db"), testing::ElementsAre("Data.fs"));
}

TEST_F(IndexBuilderTest, ItCanBeStopped) {
  files_.SetContents(kData, Varied().bytes());
  files_.SetContents(kIndex, "the old one");
  EXPECT_TRUE(absl::IsCancelled(BuildBadly({.progress = [](uint64_t, uint64_t) { return false; }})));
}

TEST_F(IndexBuilderTest, ProgressIsToldUpToTheEnd) {
  const FileBuilder file = FileBuilder().AddMany(40, 250'000);
  files_.SetContents(kData, file.bytes());
  std::vector<uint64_t> calls;
  BuildWell({.progress = [&](uint64_t done, uint64_t total) {
    EXPECT_EQ(total, file.size());
    calls.push_back(done);
    return true;
  }});
  ASSERT_GE(calls.size(), 2u);
  EXPECT_EQ(calls.back(), file.size());
}

}  // namespace
}  // namespace zrs::filestorage
