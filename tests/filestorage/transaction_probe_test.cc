#include "filestorage/transaction_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/support/file_builder.h"

namespace zrs::filestorage {
namespace {

using testing::HasSubstr;

class TransactionProbeTest : public testing::Test {
 protected:
  TransactionProbeTest() {
    file_.AddMany(3, 400);
    file_.Add({.tid = file_.end().tid + 1,
               .user = "admin",
               .description = "edit a document",
               .extension = "ext",
               .records = {{.oid = 9, .data = std::string(1000, 'd')}}});
    file_.AddMany(2, 400);
  }

  absl::StatusOr<ProbedTransaction> Probe(const std::string& bytes, uint64_t begin) {
    return ProbeTransaction(
        [&bytes](uint64_t offset, absl::Span<char> out) -> absl::StatusOr<size_t> {
          if (offset >= bytes.size()) return 0;
          return bytes.copy(out.data(), out.size(), static_cast<size_t>(offset));
        },
        begin);
  }
  void ExpectUnsound(std::string bytes, const std::string& words) {
    const auto found = Probe(bytes, begin());
    EXPECT_EQ(found.status().code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(found.status().message()), HasSubstr(words));
  }
  uint64_t begin() const { return file_.boundaries()[3].offset; }
  uint64_t end() const { return file_.boundaries()[4].offset; }

  tests::FileBuilder file_;
};

TEST_F(TransactionProbeTest, TellsWhatIsThere) {
  const auto found = Probe(file_.bytes(), begin());
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->begin, begin());
  EXPECT_EQ(found->end, end());
  EXPECT_EQ(found->tid, file_.boundaries()[4].tid);
  EXPECT_EQ(found->user, "admin");
  EXPECT_EQ(found->description, "edit a document");
}

TEST_F(TransactionProbeTest, AFileThatEndsWithinIt) {
  for (uint64_t size = begin(); size < end(); size += 7) {
    ExpectUnsound(file_.bytes().substr(0, static_cast<size_t>(size)), "end within a transaction");
  }
}

TEST_F(TransactionProbeTest, EachHeaderField) {
  const auto with = [this](uint64_t offset, char byte) {
    std::string bytes = file_.bytes();
    bytes[static_cast<size_t>(begin() + offset)] = byte;
    return bytes;
  };
  ExpectUnsound(with(16, 'c'), "in progress");
  ExpectUnsound(with(16, 'x'), "no status");
  ExpectUnsound(with(8, '\x80'), "impossible length");
  ExpectUnsound(with(14, '\0'), "");
  ExpectUnsound(with(17, '\x70'), "");                           // user length
  ExpectUnsound(with(23 + 5 + 15 + 3 + 24, '\7'), "begins at");  // the record's transaction position
  ExpectUnsound(with(end() - begin() - 1, '\0'), "redundant length");
}

TEST_F(TransactionProbeTest, AnErrorOfReadingIsThatError) {
  const auto found = ProbeTransaction(
      [](uint64_t, absl::Span<char>) -> absl::StatusOr<size_t> { return absl::UnavailableError("gone"); }, begin());
  EXPECT_EQ(found.status().code(), absl::StatusCode::kUnavailable);
}

// A sparse one: nothing but its header and its end is read.
TEST_F(TransactionProbeTest, OfAHugeOneTheLengthsAlone) {
  const uint64_t length = uint64_t{1} << 40;
  std::string header = EncodeUint64(1) + EncodeUint64(length) + " " + std::string(6, '\0');
  uint64_t told = length;
  const auto read = [&](uint64_t offset, absl::Span<char> out) -> absl::StatusOr<size_t> {
    EXPECT_TRUE(offset <= 4 + header.size() || offset >= 4 + length);
    const std::string bytes = offset < 4 + length ? header.substr(static_cast<size_t>(offset - 4)) : EncodeUint64(told);
    return bytes.copy(out.data(), out.size());
  };
  const auto found = ProbeTransaction(read, 4);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->end, 4 + length + 8);
  told = 5;
  EXPECT_THAT(std::string(ProbeTransaction(read, 4).status().message()), HasSubstr("redundant length"));
}

}  // namespace
}  // namespace zrs::filestorage
