// What the reader of index files takes, and each shape that it refuses. What it takes was written by ZODB 6.4, or is
// what Python 2's pickler writes by protocol 1.
#include "filestorage/index/index_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "filestorage/index/index_writer.h"
#include "tests/filestorage/index/reference_index.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::filestorage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::string_literals;  // NOLINT: strings with zeros in them

constexpr char kPath[] = "/Data.fs.index";

struct Found {
  uint64_t position = 0;
  IndexDialect dialect = IndexDialect::kPython3;
  std::vector<IndexEntry> entries;
};

class IndexReaderTest : public testing::Test {
 protected:
  absl::StatusOr<Found> Read(const std::string& bytes) {
    files_.SetContents(kPath, bytes);
    auto reader = IndexReader::Open(*files_.OpenForReading(kPath));
    if (!reader.ok()) return reader.status();
    Found found = {(*reader)->position(), (*reader)->dialect(), {}};
    IndexEntry entry;
    while (true) {
      const absl::StatusOr<bool> more = (*reader)->Next(&entry);
      if (!more.ok()) return more.status();
      if (!*more) break;
      found.entries.push_back(entry);
    }
    EXPECT_FALSE((*reader)->Next(&entry).value());
    return found;
  }

  // It is refused at `offset`.
  void ExpectRefused(const std::string& bytes, uint64_t offset, const std::string& why) {
    const absl::Status status = Read(bytes).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(status.message(), HasSubstr(absl::StrCat(kPath, " at ", offset, ": ")));
    EXPECT_THAT(status.message(), HasSubstr(why));
    EXPECT_THAT(status.message(), HasSubstr("zrs index"));
  }

  std::string Write(IndexDialect dialect, uint64_t position, const std::vector<IndexEntry>& entries) {
    files_.SetContents(kPath, "");
    const auto file = *files_.OpenForWriting(kPath);
    IndexWriter writer(*file, dialect, position);
    for (const IndexEntry& entry : entries) EXPECT_TRUE(writer.Add(entry).ok());
    EXPECT_TRUE(writer.Finish().ok());
    EXPECT_EQ(writer.entries(), entries.size());
    return files_.Contents(kPath);
  }

  tests::SimulatedFileSystem files_;
};

const std::string kPosition = "\x80\x03M\xe8\x03."s;  // 1000; the first bucket begins at 6
const std::string kEnd = "\x80\x03N."s;
const std::string kPrefix = "\x80\x03\x43\x06\0\0\0\0\0\0"s;  // its bytes' length is at 16
const std::string kBucket = kPrefix + "C\x10\0\1\0\5\0\0\0\0\0\x30\0\0\0\0\1\0\x86."s;

TEST_F(IndexReaderTest, WrittenByZodb) {
  const absl::StatusOr<Found> found = Read(kPosition + kBucket + kEnd);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->position, 1000u);
  EXPECT_EQ(found->dialect, IndexDialect::kPython3);
  EXPECT_THAT(found->entries, ElementsAre(IndexEntry{1, 0x30}, IndexEntry{5, 0x100}));
}

TEST_F(IndexReaderTest, WrittenByPython2) {
  const absl::StatusOr<Found> found = Read("M\xe8\x03.(U\x06\0\0\0\0\0\2U\x08\0\1\0\0\0\0\0\x30t.N."s);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->dialect, IndexDialect::kPython2);
  EXPECT_THAT(found->entries, ElementsAre(IndexEntry{0x20001, 0x30}));
}

TEST_F(IndexReaderTest, WithoutObjects) {
  EXPECT_TRUE(Read("\x80\x03K\x04."s + kEnd)->entries.empty());
  EXPECT_EQ(Read("K\x04.N.")->position, 4u);
}

// Each from ZODB's pickler.
TEST_F(IndexReaderTest, PositionsOfEverySize) {
  const std::vector<std::pair<uint64_t, std::string>> positions = {
      {5, "K\x05"s},
      {255, "K\xff"s},
      {256, "M\0\1"s},
      {70000, "Jp\x11\1\0"s},
      {0x7fffffff, "J\xff\xff\xff\x7f"s},
      {0x80000000, "\x8a\5\0\0\0\x80\0"s},
      {uint64_t{1} << 40, "\x8a\6\0\0\0\0\0\1"s},
      {uint64_t{1} << 47, "\x8a\7\0\0\0\0\0\x80\0"s},
      {(uint64_t{1} << 63) - 1, "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"s}};
  for (const auto& [position, pickled] : positions) {
    EXPECT_EQ(EncodeIndexPosition(IndexDialect::kPython3, position), "\x80\x03" + pickled + ".");
    const absl::StatusOr<Found> found = Read("\x80\x03" + pickled + "." + kEnd);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(found->position, position);
  }
  for (const char* pickled : {"I2147483648\n.", "L2147483648L\n."}) {
    EXPECT_EQ(Read(absl::StrCat(pickled, "N."))->position, 2147483648u);
  }
  EXPECT_EQ(EncodeIndexPosition(IndexDialect::kPython2, 2147483648), "I2147483648\n.");
}

TEST_F(IndexReaderTest, WhatIsWrittenIsRead) {
  std::vector<IndexEntry> entries;
  std::map<uint64_t, uint64_t> positions;
  for (uint64_t oid = 0; oid < 70000; ++oid) entries.push_back({oid, 27 + oid * 3});
  for (const uint64_t oid : {uint64_t{1} << 40, ~uint64_t{0} - 65536, ~uint64_t{0}}) {
    entries.push_back({oid, kLargestIndexPosition});
  }
  for (const IndexEntry& entry : entries) positions[entry.oid] = entry.position;
  const uint64_t position = uint64_t{1} << 48;
  for (const IndexDialect dialect : {IndexDialect::kPython2, IndexDialect::kPython3}) {
    const std::string bytes = Write(dialect, position, entries);
    const absl::StatusOr<Found> found = Read(bytes);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(found->entries, entries);
    EXPECT_EQ(found->position, position);
    EXPECT_EQ(found->dialect, dialect);
    if (dialect == IndexDialect::kPython3) {
      EXPECT_EQ(bytes, ReferenceIndex(positions, position));
    }
  }
}

TEST_F(IndexReaderTest, APositionThatTakesMoreThan48BitsIsNotWritten) {
  files_.SetContents(kPath, "");
  const auto file = *files_.OpenForWriting(kPath);
  IndexWriter writer(*file, IndexDialect::kPython3, uint64_t{1} << 49);
  const absl::Status status = writer.Add({7, kLargestIndexPosition + 1});
  EXPECT_TRUE(absl::IsOutOfRange(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr("281474976710656"));
}

TEST_F(IndexReaderTest, AFileThatIsCutAnywhere) {
  const std::string bytes = kPosition + kBucket + kEnd;
  for (size_t size = 0; size < bytes.size(); ++size) ExpectRefused(bytes.substr(0, size), size, "it ends too soon");
}

TEST_F(IndexReaderTest, BytesBehindTheEnd) {
  ExpectRefused(kPosition + kBucket + kEnd + "x", 36 + 4, "bytes follow its end");
}

TEST_F(IndexReaderTest, PositionsThatAreNone) {
  ExpectRefused("\x80\x03K\x03."s + kEnd, 0, "below 4");
  ExpectRefused("\x80\x03J\xff\xff\xff\xff."s + kEnd, 2, "none that a file can have");
  ExpectRefused("\x80\x03\x8a\x08\0\0\0\0\0\0\0\x80."s + kEnd, 2, "none that a file can have");
  ExpectRefused("\x80\x03\x8a\x09\0\0\0\0\0\0\0\0\1."s + kEnd, 2, "there is no position");
  ExpectRefused("\x80\x03}."s + kEnd, 2, "there is no position");
  for (const char* text : {"I12\n.", "I+2147483648\n.", "I02147483648\n.", "I2147483648", "I-1\n.", "L5\n.", "LL\n.",
                           "L99999999999999999999L\n.", "I9223372036854775808\n.", "I\n.", "I 2147483648\n."}) {
    ExpectRefused(absl::StrCat(text, "N."), 0, "there is no position");
  }
}

TEST_F(IndexReaderTest, APositionInALongerFormThanThePicklerTakes) {
  ExpectRefused("\x80\x03M\xff\0."s + kEnd, 2, "in a form that no pickler writes");
  ExpectRefused("\x80\x03J\xff\xff\0\0."s + kEnd, 2, "in a form that no pickler writes");
  ExpectRefused("\x80\x03\x8a\2\xe8\3."s + kEnd, 2, "in a form that no pickler writes");
  ExpectRefused("\x8a\5\0\0\0\x80\0.N."s, 0, "in a form that no pickler writes");
}

// As ZODB 3.9 and older saved it: {'pos': ..., 'index': ...}.
TEST_F(IndexReaderTest, ADictionary) { ExpectRefused("}q\1(U\3posq\2K\4u."s, 0, "there is no position"); }

TEST_F(IndexReaderTest, OtherProtocols) {
  ExpectRefused("\x80\x02M\xe8\x03.\x80\x02N."s, 0, "in place of");
  ExpectRefused("\x80\x04\x95\x04\0\0\0\0\0\0\0M\xe8\x03.N."s, 0, "in place of");
  ExpectRefused(kPosition + "N.N.", 6, "in place of");
}

TEST_F(IndexReaderTest, WithAMemo) {
  ExpectRefused(kPosition + kPrefix + "q\0C\x08\0\1\0\0\0\0\0\x30q\1\x86q\2."s + kEnd, 16, "there is no bucket");
}

TEST_F(IndexReaderTest, BucketsOfTheWrongSize) {
  ExpectRefused(kPosition + kPrefix + "C\x00\x86."s + kEnd, 16, "a bucket has 0 bytes");
  ExpectRefused(kPosition + kPrefix + "C\x07" + std::string(7, 'x') + "\x86." + kEnd, 16, "a bucket has 7 bytes");
  ExpectRefused(kPosition + kPrefix + "B\x08\0\x08\0"s + kEnd, 16, "a bucket has 524296 bytes");
  ExpectRefused(kPosition + kPrefix + "B\xf8\xff\xff\xff"s + kEnd, 16, "a bucket has 4294967288 bytes");
  ExpectRefused(kPosition + kPrefix + "B\x08\0\0\0\0\1\0\0\0\0\0\x30\x86."s + kEnd, 16, "there is no bucket");
}

TEST_F(IndexReaderTest, SuffixesThatDoNotAscend) {
  for (const char* second : {"\1", "\0"}) {
    ExpectRefused(
        kPosition + kPrefix + "C\x10\0\1\0"s + std::string(second, 1) + "\0\0\0\0\0\x30\0\0\0\0\1\0\x86."s + kEnd, 20,
        "suffixes are not in ascending order");
  }
}

TEST_F(IndexReaderTest, PrefixesThatDoNotAscend) {
  ExpectRefused(kPosition + kBucket + kBucket + kEnd, 36 + 4, "prefixes are not in ascending order");
}

TEST_F(IndexReaderTest, RecordsWhereNoneCanBe) {
  ExpectRefused(kPosition + kPrefix + "C\x08\0\1\0\0\0\0\0\x1a\x86."s + kEnd, 18, "no record can be");
  ExpectRefused(kPosition + kPrefix + "C\x08\0\1\0\0\0\0\3\xe8\x86."s + kEnd, 18, "no record can be");
}

TEST_F(IndexReaderTest, AReadThatFails) {
  files_.SetContents(kPath, kPosition + kEnd);
  files_.SetHook([](const tests::SimulatedOperation& operation) {
    return operation.kind == tests::SimulatedOperation::Kind::kRead ? absl::DataLossError("injected")
                                                                    : absl::OkStatus();
  });
  EXPECT_TRUE(absl::IsDataLoss(IndexReader::Open(*files_.OpenForReading(kPath)).status()));
}

}  // namespace
}  // namespace zrs::filestorage
