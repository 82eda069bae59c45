// A writer that aborts a vote A, writes B in its place and finishes it, all in the middle of one of the tail's reads:
// for every read of a poll and every byte at which it can be torn, nothing of A is ever reported.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "filestorage/tail.h"
#include "tests/filestorage/tail_test_support.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::tests {
namespace {

using filestorage::Boundary;
using filestorage::Tail;
using filestorage::TailEvent;
using filestorage::TailOptions;
using filestorage::TailReport;

constexpr char kPath[] = "/data/Data.fs";
constexpr filestorage::Tid kAborted = 0x0a0a0a0a0a0a0a0a;
constexpr filestorage::Tid kCommitted = 0x0b0b0b0b0b0b0b0b;

struct Shape {
  uint64_t read_size;
  int commits_before;   // that the poll has to find, before it comes to the vote
  size_t aborted_size;  // of the data
  size_t committed_size;
};

void PrintTo(const Shape& shape, std::ostream* out) {
  *out << "reads of " << shape.read_size << ", " << shape.commits_before << " commits before, " << shape.aborted_size
       << " then " << shape.committed_size << " bytes";
}

class TailTornTest : public testing::TestWithParam<Shape> {
 protected:
  // A poll whose read number `read` (of those that reach so far) is torn at `distance` behind the end of the commits.
  // False when the poll had no such read.
  bool TearOnce(uint64_t read, uint64_t distance) {
    const Shape& shape = GetParam();
    SimulatedFileSystem files;
    EXPECT_TRUE(files.CreateDirectories("/data", 0755).ok());
    Spy spy;
    SpyFileSystem spied(files, spy);
    SimulatedWriter writer(files, kPath);
    writer.Commit(Transaction(1, 10));
    TailOptions options;
    options.read_size = shape.read_size;
    auto tail = Tail::Open(spied, kPath, options, {});
    EXPECT_TRUE(tail.ok());
    PollToTheEnd(**tail);

    const Boundary reported = writer.end();
    for (int i = 0; i < shape.commits_before; ++i) writer.Commit(Transaction(10 + filestorage::Tid(i), 10));
    const Boundary before = writer.end();
    writer.Vote(Transaction(kAborted, shape.aborted_size));
    bool torn = false;
    spy.torn_at = before.offset + distance;
    spy.torn_read = read;
    spy.torn = [&] {
      torn = true;
      writer.Abort();
      writer.Commit(Transaction(kCommitted, shape.committed_size));
    };
    auto report = (*tail)->Poll();
    if (!torn) return false;
    ExpectHonest(report, reported, before, writer.end());
    EXPECT_EQ(PollToTheEnd(**tail).end, writer.end());
    return true;
  }

  static void ExpectHonest(const absl::StatusOr<TailReport>& report, const Boundary& reported, const Boundary& before,
                           const Boundary& after) {
    ASSERT_TRUE(report.ok()) << report.status();
    const bool honest = report->end == reported || report->end == before || report->end == after;
    EXPECT_TRUE(honest) << "reported " << report->end.offset << ", tid " << std::hex << report->end.tid;
    EXPECT_NE(report->event, TailEvent::kCorrupt) << report->reason;
  }
};

INSTANTIATE_TEST_SUITE_P(Shapes, TailTornTest,
                         testing::Values(Shape{4096, 0, 20, 20}, Shape{4096, 1, 20, 20}, Shape{4096, 2, 20, 50},
                                         Shape{4096, 1, 50, 20}, Shape{24, 0, 20, 20}, Shape{24, 1, 20, 20},
                                         Shape{64, 2, 50, 20}, Shape{64, 1, 20, 50}));

TEST_P(TailTornTest, NothingOfAnAbortedVoteIsReported) {
  const size_t size = 100 + std::max(GetParam().aborted_size, GetParam().committed_size);
  uint64_t torn = 0;
  for (uint64_t read = 1; read <= 8; ++read) {
    for (uint64_t distance = 0; distance <= size; ++distance) {
      if (TearOnce(read, distance)) ++torn;
      ASSERT_FALSE(HasFailure()) << "read " << read << " torn at " << distance;
    }
  }
  EXPECT_GT(torn, size_t{20});
}

}  // namespace
}  // namespace zrs::tests
