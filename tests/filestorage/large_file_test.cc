// Lengths and offsets beyond 8 GB, in sparse files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "filestorage/boundary_probe.h"
#include "filestorage/index/index_builder.h"
#include "filestorage/posix_file_system.h"
#include "filestorage/verify.h"
#include "tests/filestorage/index/reference_index.h"
#include "tests/filestorage/temporary_directory.h"
#include "tests/support/encode.h"
#include "tests/support/file_builder.h"

namespace zrs::filestorage {
namespace {

constexpr uint64_t kLargeData = (uint64_t{8} << 30) + 12345;

// A file with a transaction of one record with kLargeData zeros, and small transactions before and behind it.
class LargeFileTest : public testing::Test {
 protected:
  LargeFileTest() {
    file_ = *PosixFileSystem().CreateExclusively(path_, 0644);
    const tests::FileBuilder small = tests::FileBuilder().AddMany(2, 100);
    Write(0, small.bytes());
    positions_ = ReferencePositions(small.bytes());
    large_ = small.end().offset;
    const uint64_t length = kTransactionHeaderSize + kDataHeaderSize + kLargeData;
    Write(large_,
          tests::EncodeTransactionHeader({.tid = tests::TestTid(3), .length = length}) +
              tests::EncodeDataHeader(
                  {.oid = 1, .tid = tests::TestTid(3), .transaction_position = large_, .data_length = kLargeData}));
    redundant_length_ = large_ + length;
    Write(redundant_length_, EncodeUint64(length));
    last_ = redundant_length_ + kLengthSize;
    const std::string behind = tests::EncodeTransaction(
        {.tid = tests::TestTid(4),
         .records = {{.oid = 1, .data = "small", .previous = large_ + kTransactionHeaderSize}}},
        last_);
    Write(last_, behind);
    end_ = {.offset = last_ + behind.size(),
            .last_offset = last_,
            .tid = tests::TestTid(4),
            .digest = DigestOf("FS30" + behind)};
  }

  void Write(uint64_t offset, const std::string& bytes) { EXPECT_TRUE(file_->WriteAt(offset, bytes).ok()); }

  TemporaryDirectory directory_;
  const std::string path_ = directory_ / "Data.fs";
  std::unique_ptr<File> file_;
  uint64_t large_ = 0;             // where the large transaction begins
  uint64_t redundant_length_ = 0;  // its
  uint64_t last_ = 0;              // where the small one behind it begins
  Boundary end_;
  std::map<uint64_t, uint64_t> positions_;  // of the last records of the objects before the large transaction
};

TEST_F(LargeFileTest, IsSound) {
  const absl::StatusOr<VerifyReport> report = Verify(PosixFileSystem(), path_, nullptr);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->sound) << report->reason;
  EXPECT_EQ(report->transactions, 4u);
  EXPECT_EQ(report->end, end_);
  EXPECT_GT(report->end.offset, uint64_t{8} << 30);
  EXPECT_EQ(report->file_size, end_.offset);
}

TEST_F(LargeFileTest, DamageBeyond8GbIsFound) {
  Write(redundant_length_ + 7, std::string(1, '\x7f'));
  const absl::StatusOr<VerifyReport> report = Verify(PosixFileSystem(), path_, nullptr);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_FALSE(report->sound);
  EXPECT_EQ(report->position, redundant_length_);
  EXPECT_EQ(report->end.offset, large_);
}

TEST_F(LargeFileTest, PositionsBeyond8GbAreIndexed) {
  const absl::StatusOr<IndexReport> report = BuildIndex(PosixFileSystem(), path_, {});
  ASSERT_TRUE(report.ok()) << report.status();
  positions_[1] = last_ + kTransactionHeaderSize;
  EXPECT_EQ(ReadWholeFile(PosixFileSystem(), path_ + ".index", 1000).value(), ReferenceIndex(positions_, end_.offset));
}

TEST_F(LargeFileTest, BoundaryBeyond8GbIsProved) {
  EXPECT_TRUE(HasBoundary(*file_, Magic::kFs30, end_).value());
  Boundary other = end_;
  other.last_offset -= uint64_t{1} << 32;
  EXPECT_FALSE(HasBoundary(*file_, Magic::kFs30, other).value());
}

}  // namespace
}  // namespace zrs::filestorage
