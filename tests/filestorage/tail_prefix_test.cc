// A file that is cut after any byte, and a file that grows byte by byte.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "filestorage/tail.h"
#include "tests/filestorage/tail_test_support.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::tests {
namespace {

using filestorage::Boundary;
using filestorage::kTransactionHeaderSize;
using filestorage::kTransactionStatusOffset;
using filestorage::Tail;
using filestorage::TailEvent;
using filestorage::TailOptions;
using filestorage::TailReport;

constexpr char kPath[] = "/data/Data.fs";

// Several small transactions of all kinds: an empty one, one without strings, one with a back pointer, and a packed
// one.
tests::FileBuilder AllKinds() {
  tests::FileBuilder builder;
  builder.Add(Transaction(1, 30))
      .Add({.tid = 2})
      .Add({.tid = 3, .records = {{.oid = 1, .data = "a"}, {.oid = 2, .data = "bcd"}}})
      .Add({.tid = 4, .status = 'p', .user = "u", .records = {{.oid = 1, .back_pointer = 4}}})
      .Add({.tid = 5, .extension = "extension", .records = {{.oid = 3, .data = std::string(60, 'x')}}});
  return builder;
}

class TailPrefixTest : public testing::TestWithParam<uint64_t> {
 protected:
  TailPrefixTest() { options_.read_size = GetParam(); }

  // The boundary that a Tail with no memory finds in a file with these bytes.
  Boundary EndOf(absl::string_view bytes) {
    SimulatedFileSystem files;
    files.SetContents(kPath, bytes);
    auto tail = Tail::Open(files, kPath, options_, {});
    if (!tail.ok()) {
      ADD_FAILURE() << tail.status();
      return {};
    }
    const TailReport report = PollToTheEnd(**tail);
    EXPECT_EQ(report.pending_bytes, bytes.size() - report.end.offset);
    EXPECT_NE(report.event, TailEvent::kCorrupt) << report.reason;
    return report.end;
  }

  TailOptions options_;
};

INSTANTIATE_TEST_SUITE_P(ReadSizes, TailPrefixTest, testing::Values(1, 24, 64, 100, 4096));

TEST_P(TailPrefixTest, AFileCutAfterAnyByteEndsAtTheBoundaryBefore) {
  const tests::FileBuilder builder = AllKinds();
  size_t whole = 0;
  for (size_t size = filestorage::kMagicSize; size <= builder.size(); ++size) {
    if (whole + 1 < builder.boundaries().size() && builder.boundaries()[whole + 1].offset <= size) ++whole;
    ASSERT_EQ(EndOf(builder.bytes().substr(0, size)), builder.boundaries()[whole]) << size;
  }
  EXPECT_EQ(whole + 1, builder.boundaries().size());
}

TEST_P(TailPrefixTest, AVoteCutAfterAnyByteEndsBeforeIt) {
  const tests::FileBuilder builder = AllKinds();
  const std::vector<Boundary>& boundaries = builder.boundaries();
  for (size_t n = 1; n < boundaries.size(); ++n) {
    const Boundary& before = boundaries[n - 1];
    std::string bytes = builder.bytes().substr(0, boundaries[n].offset);
    bytes[before.offset + kTransactionStatusOffset] = filestorage::kStatusInProgress;
    for (size_t size = before.offset; size <= bytes.size(); ++size) {
      ASSERT_EQ(EndOf(absl::string_view(bytes).substr(0, size)), before) << n << ", " << size;
    }
  }
}

TEST_P(TailPrefixTest, AFileThatGrowsByteByByteAdvancesWithEachStatusByte) {
  const tests::FileBuilder builder = AllKinds();
  SimulatedFileSystem files;
  files.SetContents(kPath, filestorage::MagicBytes(builder.magic()));
  auto file = files.OpenForWriting(kPath);
  ASSERT_TRUE(file.ok());
  auto tail = Tail::Open(files, kPath, options_, {});
  ASSERT_TRUE(tail.ok());
  for (size_t n = 1; n < builder.boundaries().size(); ++n) {
    const Boundary& before = builder.boundaries()[n - 1];
    std::string bytes(builder.transaction(n));
    const char status = bytes.at(kTransactionStatusOffset);
    bytes.replace(kTransactionStatusOffset, 1, 1, filestorage::kStatusInProgress);
    for (size_t i = 0; i < bytes.size(); ++i) {
      ASSERT_TRUE((*file)->WriteAt(before.offset + i, absl::string_view(&bytes[i], 1)).ok());
      const TailReport report = PollToTheEnd(**tail);
      ASSERT_EQ(report.event, TailEvent::kNothingYet) << n << ", " << i << ": " << report.reason;
      ASSERT_EQ(report.end, before);
      ASSERT_EQ(report.pending_bytes, i + 1);
    }
    ASSERT_TRUE((*file)->WriteAt(before.offset + kTransactionStatusOffset, absl::string_view(&status, 1)).ok());
    const TailReport report = PollToTheEnd(**tail);
    ASSERT_EQ(report.event, TailEvent::kAdvanced);
    ASSERT_EQ(report.end, builder.boundaries()[n]);
  }
}

}  // namespace
}  // namespace zrs::tests
