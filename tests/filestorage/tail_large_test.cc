// Offsets and lengths beyond 4 and 8 GB, in sparse files.
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "filestorage/posix_file_system.h"
#include "filestorage/tail.h"
#include "tests/filestorage/tail_test_support.h"
#include "tests/support/encode.h"

namespace zrs::tests {
namespace {

using filestorage::Boundary;
using filestorage::Tail;
using filestorage::TailEvent;
using filestorage::TailReport;

// A file system in memory reads holes at memory speed; one on a disk fills the page cache with zeros.
std::string WhereHolesAreFast() { return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ""; }

class TailLargeTest : public testing::Test {
 protected:
  filestorage::FileSystem& files_ = filestorage::PosixFileSystem();
  ScratchDirectory scratch_{WhereHolesAreFast()};
  const std::string path_ = scratch_.Path("Data.fs");
};

TEST_F(TailLargeTest, OffsetsBeyondEightGigabytesAreFollowed) {
  const uint64_t far = (uint64_t{9} << 30) + 5;
  SimulatedWriter(files_, path_).WriteAt(far - 1, "x");
  Boundary before;
  before.offset = far;
  SimulatedWriter writer(files_, path_, before);
  writer.Commit(Transaction(1, 100));
  auto tail = Tail::Open(files_, path_, {}, writer.end());
  ASSERT_TRUE(tail.ok()) << tail.status();
  writer.Commit(Transaction(2, 100));
  writer.Vote(Transaction(3, 100));
  auto report = (*tail)->Poll();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->event, TailEvent::kAdvanced);
  EXPECT_EQ(report->end, writer.end());
  EXPECT_GT(report->end.last_offset, far);
}

// A hole of `size` bytes as the data of a transaction's only record: the bytes before and behind it.
struct SparseTransaction {
  explicit SparseTransaction(uint64_t size, uint64_t offset) {
    filestorage::TransactionHeader header;
    header.tid = 7;
    header.length = filestorage::kTransactionHeaderSize + filestorage::kDataHeaderSize + size;
    filestorage::DataHeader record;
    record.oid = 1;
    record.tid = 7;
    record.transaction_position = offset;
    record.data_length = size;
    before = tests::EncodeTransactionHeader(header) + tests::EncodeDataHeader(record);
    behind = filestorage::EncodeUint64(header.length);
    end = offset + header.length + behind.size();
  }
  std::string before;
  std::string behind;
  uint64_t end;
};

TEST_F(TailLargeTest, ARecordLargerThanEightGigabytesIsFollowed) {
  SimulatedWriter writer(files_, path_);
  writer.Commit(Transaction(1, 100));
  const uint64_t begin = writer.end().offset;
  const SparseTransaction sparse(uint64_t{8'700'000'000}, begin);
  writer.WriteAt(begin, sparse.before);
  writer.WriteAt(sparse.end - sparse.behind.size(), sparse.behind);
  Boundary behind;
  behind.offset = sparse.end;
  SimulatedWriter last(files_, path_, behind);
  last.Commit(Transaction(9, 100));

  auto tail = Tail::Open(files_, path_, {}, {});
  ASSERT_TRUE(tail.ok()) << tail.status();
  auto report = (*tail)->Poll();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->event, TailEvent::kAdvanced) << "what comes before the large one is reported first";
  EXPECT_EQ(report->end, writer.end());
  const TailReport whole = PollToTheEnd(**tail);
  EXPECT_EQ(whole.end, last.end());
  EXPECT_EQ(whole.end.last_offset, sparse.end);
}

}  // namespace
}  // namespace zrs::tests
