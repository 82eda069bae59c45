#include "filestorage/index/external_sort.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "tests/support/simulated_file_system.h"

namespace zrs::filestorage {
namespace {

class ExternalSortTest : public testing::Test {
 protected:
  ExternalSort::MakeFile Maker() {
    return [this] { return files_.CreateExclusively("/runs", 0600); };
  }

  static absl::StatusOr<std::vector<IndexEntry>> Sorted(ExternalSort& sort) {
    const auto source = sort.Finish();
    if (!source.ok()) return source.status();
    std::vector<IndexEntry> entries;
    IndexEntry entry;
    while (true) {
      const absl::StatusOr<bool> more = (*source)->Next(&entry);
      if (!more.ok()) return more.status();
      if (!*more) return entries;
      entries.push_back(entry);
    }
  }

  tests::SimulatedFileSystem files_;
};

// Oids of every shape: few and many, near each other and far.
std::vector<IndexEntry> RandomEntries(uint64_t seed, size_t count) {
  std::mt19937_64 random(seed);
  std::vector<IndexEntry> entries;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t bits = random() % 64;
    entries.push_back({random() >> bits, 27 + i});
  }
  return entries;
}

std::vector<IndexEntry> Expected(const std::vector<IndexEntry>& added) {
  std::map<uint64_t, uint64_t> last;
  for (const IndexEntry& entry : added) last[entry.oid] = entry.position;
  std::vector<IndexEntry> entries;
  for (const auto& [oid, position] : last) entries.push_back({oid, position});
  return entries;
}

TEST_F(ExternalSortTest, Nothing) {
  ExternalSort sort(1 << 20, Maker());
  EXPECT_TRUE(Sorted(sort)->empty());
}

TEST_F(ExternalSortTest, InMemoryNoFileIsMade) {
  ExternalSort sort(1 << 20, Maker());
  const std::vector<IndexEntry> entries = RandomEntries(1, 5000);
  for (const IndexEntry& entry : entries) ASSERT_TRUE(sort.Add(entry).ok());
  EXPECT_EQ(*Sorted(sort), Expected(entries));
  EXPECT_EQ(sort.spills(), 0u);
  EXPECT_FALSE(files_.Exists("/runs"));
}

TEST_F(ExternalSortTest, TheLastOneCountsInWhicheverRunItIs) {
  for (const size_t limit : {size_t{0}, size_t{1} << 10, size_t{20} << 10, size_t{100} << 10}) {
    for (const size_t count : {size_t{15}, size_t{16}, size_t{17}, size_t{20'000}}) {
      SCOPED_TRACE(limit);
      ExternalSort sort(limit, Maker());
      const std::vector<IndexEntry> entries = RandomEntries(count, count);
      for (const IndexEntry& entry : entries) ASSERT_TRUE(sort.Add(entry).ok());
      EXPECT_EQ(*Sorted(sort), Expected(entries));
      if (count == 20'000) {
        EXPECT_GT(sort.spills(), 2u);
      }
      if (files_.Exists("/runs")) {
        ASSERT_TRUE(files_.Remove("/runs").ok());
      }
    }
  }
}

TEST_F(ExternalSortTest, OneOidAllTheTime) {
  ExternalSort sort(0, Maker());
  for (uint64_t i = 0; i < 10'000; ++i) ASSERT_TRUE(sort.Add({5, 27 + i}).ok());
  EXPECT_EQ(*Sorted(sort), (std::vector<IndexEntry>{{5, 10'026}}));
}

TEST_F(ExternalSortTest, EachOperationThatFailsIsAnError) {
  const std::vector<IndexEntry> entries = RandomEntries(3, 300);
  const auto run = [&]() -> absl::Status {
    ExternalSort sort(0, Maker());
    for (const IndexEntry& entry : entries) {
      if (absl::Status added = sort.Add(entry); !added.ok()) return added;
    }
    return Sorted(sort).status();
  };
  ASSERT_TRUE(run().ok());
  const uint64_t operations = files_.operations();
  ASSERT_GT(operations, 50u);
  for (uint64_t failing = 1; failing <= operations; ++failing) {
    ASSERT_TRUE(RemoveIfThere(files_, "/runs").ok());
    const uint64_t before = files_.operations();
    files_.SetHook([&](const tests::SimulatedOperation& operation) {
      return operation.number == before + failing ? absl::DataLossError("injected") : absl::OkStatus();
    });
    EXPECT_TRUE(absl::IsDataLoss(run())) << failing;
    files_.SetHook(nullptr);
  }
}

TEST_F(ExternalSortTest, ARunThatBecameShorterIsAnError) {
  ExternalSort sort(0, Maker());
  for (const IndexEntry& entry : RandomEntries(4, 32)) ASSERT_TRUE(sort.Add(entry).ok());
  ASSERT_TRUE((*files_.OpenForWriting("/runs"))->Truncate(200).ok());
  EXPECT_TRUE(absl::IsDataLoss(Sorted(sort).status()));
}

}  // namespace
}  // namespace zrs::filestorage
