// Any index file: it is refused with the place, or what is read of it is written as the same bytes again.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "filestorage/index/index_reader.h"
#include "filestorage/index/index_writer.h"
#include "tests/fuzz/one_input.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::fuzz {
namespace {

using filestorage::IndexEntry;

constexpr char kPath[] = "/Data.fs.index";

absl::StatusOr<std::vector<IndexEntry>> ReadAll(filestorage::IndexReader& reader) {
  std::vector<IndexEntry> entries;
  IndexEntry entry;
  while (true) {
    const absl::StatusOr<bool> more = reader.Next(&entry);
    if (!more.ok()) return more.status();
    if (!*more) return entries;
    EXPECT_TRUE(entries.empty() || entries.back().oid < entry.oid);
    EXPECT_GE(entry.position, filestorage::kFirstRecordPosition);
    EXPECT_LT(entry.position, reader.position());
    entries.push_back(entry);
  }
}

void ExpectRefused(const absl::Status& status) {
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_TRUE(absl::StartsWith(status.message(), "reading the index /Data.fs.index at ")) << status;
}

void ReadOnce(const std::string& bytes) {
  tests::SimulatedFileSystem files;
  files.SetContents(kPath, bytes);
  const auto reader = filestorage::IndexReader::Open(*files.OpenForReading(kPath));
  if (!reader.ok()) return ExpectRefused(reader.status());
  const auto entries = ReadAll(**reader);
  if (!entries.ok()) return ExpectRefused(entries.status());
  files.SetContents("/again", "");
  const auto file = *files.OpenForWriting("/again");
  filestorage::IndexWriter writer(*file, (*reader)->dialect(), (*reader)->position());
  for (const IndexEntry& entry : *entries) EXPECT_TRUE(writer.Add(entry).ok());
  EXPECT_TRUE(writer.Finish().ok());
  // Python 2 has a second form of a position as text, "L5L\n", which is not written.
  if (bytes[0] != 'L') {
    EXPECT_EQ(files.Contents("/again"), bytes);
  }
}

}  // namespace
}  // namespace zrs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  zrs::fuzz::ReadOnce(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
