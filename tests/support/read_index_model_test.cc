#include "tests/support/read_index_model.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/file_builder.h"

namespace zrs::tests {
namespace {

using tests::FileBuilder;

// A sound file of three transactions.
FileBuilder Sound() { return FileBuilder().AddMany(3, 50); }

void ExpectEnd(const std::string& file, const filestorage::Boundary& end) {
  const ReadIndexResult result = ReadIndexModel(file);
  EXPECT_FALSE(result.refused) << result.reason;
  EXPECT_EQ(result.end, end.offset);
}

TEST(ReadIndexModelTest, ASoundFileIsReadToItsEnd) {
  const FileBuilder file = Sound();
  ExpectEnd(file.bytes(), file.end());
  EXPECT_EQ(ReadIndexModel(file.bytes()).last_tid, file.end().tid);
}

TEST(ReadIndexModelTest, AFileWithoutTransactionsHasNone) {
  EXPECT_EQ(ReadIndexModel("").end, 4u);
  EXPECT_EQ(ReadIndexModel("FS30").end, 4u);
}

TEST(ReadIndexModelTest, AnythingShorterThanAHeaderIsIgnored) {
  const FileBuilder file = Sound();
  ExpectEnd(file.bytes() + std::string(22, '\xff'), file.end());
  ExpectEnd(file.bytes() + std::string(22, '\0'), file.end());
}

TEST(ReadIndexModelTest, ATransactionInProgressIsIgnoredButItsTidIsNot) {
  FileBuilder file = Sound();
  const filestorage::Boundary end = file.end();
  file.Add({.tid = end.tid + 5, .status = 'c', .records = {{.oid = 1, .data = "x"}}});
  ExpectEnd(file.bytes() + "garbage", end);
  EXPECT_EQ(ReadIndexModel(file.bytes()).last_tid, end.tid + 5);
}

TEST(ReadIndexModelTest, AnIncompleteTransactionIsIgnored) {
  const FileBuilder file = Sound();
  ExpectEnd(file.bytes().substr(0, file.size() - 1), file.boundaries()[2]);
}

TEST(ReadIndexModelTest, AHeaderOfZerosAtTheVeryEndIsIgnored) {
  const FileBuilder file = Sound();
  ExpectEnd(file.bytes() + std::string(4000, '\0'), file.end());
}

TEST(ReadIndexModelTest, AHeaderOfZerosWithATransactionsEndBehindItIsRefused) {
  const FileBuilder file = Sound();
  EXPECT_TRUE(ReadIndexModel(file.bytes() + std::string(4000, '\0') + filestorage::EncodeUint64(100)).refused);
}

TEST(ReadIndexModelTest, ATornHeaderThatEndsLikeALengthIsRefused) {
  const FileBuilder file = Sound();
  EXPECT_TRUE(ReadIndexModel(file.bytes() + std::string(22, '\0') + "\x17").refused);
}

TEST(ReadIndexModelTest, DamageIsRefused) {
  const FileBuilder file = Sound();
  const uint64_t second = file.boundaries()[1].offset;
  std::string redundant = file.bytes();
  redundant[file.boundaries()[2].offset - 1] ^= 1;
  EXPECT_TRUE(ReadIndexModel(redundant).refused);
  std::string position = file.bytes();
  position[second + file.transaction(2).size() - 8 - 50 - 42 + 31] ^= 1;
  EXPECT_TRUE(ReadIndexModel(position).refused);
  std::string magic = file.bytes();
  magic[3] = '1';
  EXPECT_TRUE(ReadIndexModel(magic).refused);
  std::string status = file.bytes();
  status[second + 16] = '\xff';
  EXPECT_TRUE(ReadIndexModel(status).refused);
}

TEST(ReadIndexModelTest, AnUnknownStatusIsTaken) {
  FileBuilder file = Sound();
  std::string status = file.bytes();
  status[file.boundaries()[1].offset + 16] = 'x';
  ExpectEnd(status, file.end());
}

TEST(ReadIndexModelTest, RecordsOfAnUndoneTransactionAreNotRead) {
  FileBuilder file = Sound();
  file.Add({.tid = file.end().tid + 1, .status = 'u', .records = {{.oid = 1, .data = "x"}}});
  std::string damaged = file.bytes();
  damaged[file.boundaries()[3].offset + 23 + 31] ^= 1;
  ExpectEnd(damaged, file.end());
}

}  // namespace
}  // namespace zrs::tests
