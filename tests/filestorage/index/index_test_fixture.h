// A data file and its index in a simulated file system.
#ifndef ZRS_TESTS_FILESTORAGE_INDEX_INDEX_TEST_FIXTURE_H_
#define ZRS_TESTS_FILESTORAGE_INDEX_INDEX_TEST_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "filestorage/index/index_builder.h"
#include "tests/support/file_builder.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::filestorage {

inline constexpr char kData[] = "/db/Data.fs";
inline constexpr char kIndex[] = "/db/Data.fs.index";

class IndexBuilderTest : public testing::Test {
 protected:
  IndexBuilderTest() { EXPECT_TRUE(files_.CreateDirectories("/db", 0755).ok()); }

  absl::StatusOr<IndexReport> Build(const IndexOptions& options = {}) { return BuildIndex(files_, kData, options); }

  // The report; the index must be there, and nothing else beside the file.
  IndexReport BuildWell(const IndexOptions& options = {}) {
    const absl::StatusOr<IndexReport> report = Build(options);
    EXPECT_TRUE(report.ok()) << report.status();
    EXPECT_THAT(*files_.List("/db"), testing::ElementsAre("Data.fs", "Data.fs.index"));
    return report.value_or(IndexReport());
  }

  // Nothing is written; the index that was there stays.
  absl::Status BuildBadly(const IndexOptions& options = {}) {
    const std::vector<std::string> before = *files_.List("/db");
    const std::string index = files_.Contents(kIndex);
    const absl::StatusOr<IndexReport> report = Build(options);
    EXPECT_FALSE(report.ok());
    EXPECT_EQ(*files_.List("/db"), before);
    EXPECT_EQ(files_.Contents(kIndex), index);
    return report.status();
  }

  tests::SimulatedFileSystem files_;
};

// Many oids below many prefixes, and each of them more than once.
inline tests::FileBuilder Varied() {
  tests::FileBuilder file = tests::FileBuilder().AddMany(10, 100);
  for (uint64_t n = 0; n < 400; ++n) {
    const uint64_t oid = (n * 7919 % 997) << (n % 5 * 12);
    file.Add(
        {.tid = tests::TestTid(20 + n), .user = "u", .records = {{.oid = oid, .data = "x"}, {.oid = n, .data = "y"}}});
  }
  return file;
}

}  // namespace zrs::filestorage

#endif  // ZRS_TESTS_FILESTORAGE_INDEX_INDEX_TEST_FIXTURE_H_
