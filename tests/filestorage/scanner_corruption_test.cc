// Unsound input: one test for each shape. What comes before the damage is always taken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "filestorage/scanner.h"
#include "tests/filestorage/scan_harness.h"
#include "tests/support/encode.h"
#include "tests/support/file_builder.h"

namespace zrs::filestorage {
namespace {

using testing::HasSubstr;
using tests::FileBuilder;
using tests::TestTid;

// A sound file of two transactions, of which tests damage the second: it has two records, of 10 and of 20 bytes.
class ScannerCorruptionTest : public testing::Test {
 protected:
  ScannerCorruptionTest() {
    file_.Add({.tid = TestTid(1), .user = "first", .records = {{.oid = 1, .data = "sound"}}});
    file_.Add({.tid = TestTid(2),
               .user = "user",
               .description = "description",
               .extension = "extension",
               .records = {{.oid = 1, .data = std::string(10, 'a')}, {.oid = 2, .data = std::string(20, 'b')}}});
    begin_ = file_.boundaries()[1].offset;
    bytes_ = file_.bytes();
    header_ = DecodeTransactionHeader(absl::string_view(bytes_).substr(begin_));
    first_record_ = begin_ + header_.HeaderAndStringsSize();
    second_record_ = first_record_ + kDataHeaderSize + 10;
    redundant_length_ = begin_ + header_.length;
  }

  void ChangeHeader(const std::function<void(TransactionHeader*)>& change) {
    change(&header_);
    bytes_.replace(begin_, kTransactionHeaderSize, tests::EncodeTransactionHeader(header_));
  }

  void ChangeRecord(uint64_t position, const std::function<void(DataHeader*)>& change) {
    DataHeader header = DecodeDataHeader(absl::string_view(bytes_).substr(position));
    change(&header);
    bytes_.replace(position, kDataHeaderSize, tests::EncodeDataHeader(header));
  }

  void ExpectCorrupt(uint64_t position, const std::string& reason) {
    const Observation seen = ScanAllWays(bytes_);
    EXPECT_EQ(seen.result.outcome, ScanOutcome::kCorrupt);
    EXPECT_EQ(seen.result.position, position);
    EXPECT_THAT(seen.result.reason, HasSubstr(reason));
    EXPECT_EQ(seen.last, file_.boundaries()[1]) << "the sound transaction before the damage was not taken";
    EXPECT_EQ(seen.transactions, 1u);
    EXPECT_EQ(seen.transaction_end, 0u);
  }

  FileBuilder file_;
  std::string bytes_;
  TransactionHeader header_;
  uint64_t begin_ = 0;
  uint64_t first_record_ = 0;
  uint64_t second_record_ = 0;
  uint64_t redundant_length_ = 0;
};

TEST_F(ScannerCorruptionTest, TheUndamagedFileIsSound) { EXPECT_EQ(ScanAllWays(bytes_).last, file_.end()); }

TEST_F(ScannerCorruptionTest, StatusIsNoKnownOne) {
  ChangeHeader([](TransactionHeader* header) { header->status = 'x'; });
  ExpectCorrupt(begin_, "invalid status 'x'");
}

TEST_F(ScannerCorruptionTest, StatusIsNotPrintable) {
  ChangeHeader([](TransactionHeader* header) { header->status = '\x81'; });
  ExpectCorrupt(begin_, "invalid status '\\x81'");
}

TEST_F(ScannerCorruptionTest, StatusHasTheWrongCase) {
  ChangeHeader([](TransactionHeader* header) { header->status = 'P'; });
  ExpectCorrupt(begin_, "invalid status 'P'");
}

TEST_F(ScannerCorruptionTest, AllZeros) {
  bytes_.replace(begin_, std::string::npos, std::string(4096, '\0'));
  ExpectCorrupt(begin_, "invalid status '\\x00'");
}

TEST_F(ScannerCorruptionTest, GarbageBehindTheCommittedEnd) {
  bytes_.replace(begin_, std::string::npos, "#!/bin/sh\necho this is no database\n");
  ExpectCorrupt(begin_, "invalid status");
}

TEST_F(ScannerCorruptionTest, LengthIsZero) {
  ChangeHeader([](TransactionHeader* header) { header->length = 0; });
  ExpectCorrupt(begin_, "length is 0");
}

TEST_F(ScannerCorruptionTest, LengthIsLessThanTheHeader) {
  ChangeHeader([](TransactionHeader* header) { header->length = kTransactionHeaderSize - 1; });
  ExpectCorrupt(begin_, "length is 22");
}

TEST_F(ScannerCorruptionTest, LengthIsLessThanHeaderAndStrings) {
  ChangeHeader([](TransactionHeader* header) { header->length = header->HeaderAndStringsSize() - 1; });
  ExpectCorrupt(begin_, "header and strings have 47 bytes");
}

TEST_F(ScannerCorruptionTest, LengthOfAnUndoneTransactionIsLessThanHeaderAndStrings) {
  ChangeHeader([](TransactionHeader* header) {
    header->status = kStatusUndone;
    header->length = header->HeaderAndStringsSize() - 1;
  });
  ExpectCorrupt(begin_, "header and strings have 47 bytes");
}

TEST_F(ScannerCorruptionTest, LengthReachesPastAnyPossibleFile) {
  ChangeHeader([this](TransactionHeader* header) { header->length = (uint64_t{1} << 63) - 1 - 8 - begin_ + 1; });
  ExpectCorrupt(begin_, "past the end of any possible file");
}

TEST_F(ScannerCorruptionTest, LengthOverflows) {
  ChangeHeader([](TransactionHeader* header) { header->length = ~uint64_t{0}; });
  ExpectCorrupt(begin_, "past the end of any possible file");
}

TEST_F(ScannerCorruptionTest, LengthWithTheRedundantLengthOverflows) {
  ChangeHeader([this](TransactionHeader* header) { header->length = ~uint64_t{0} - begin_ - 3; });
  ExpectCorrupt(begin_, "past the end of any possible file");
}

TEST_F(ScannerCorruptionTest, LengthEndsWithinADataHeader) {
  ChangeHeader([this](TransactionHeader* header) { header->length = second_record_ - begin_ + kDataHeaderSize - 1; });
  ExpectCorrupt(second_record_, "do not add up");
}

TEST_F(ScannerCorruptionTest, LengthEndsWithADataHeader) {
  ChangeHeader([this](TransactionHeader* header) { header->length = second_record_ - begin_ + kDataHeaderSize; });
  ExpectCorrupt(second_record_, "do not add up");
}

TEST_F(ScannerCorruptionTest, LengthEndsWithinData) {
  ChangeHeader([](TransactionHeader* header) { header->length -= 1; });
  ExpectCorrupt(second_record_, "extends past its transaction's end");
}

TEST_F(ScannerCorruptionTest, LengthEndsBetweenRecords) {
  ChangeHeader([this](TransactionHeader* header) { header->length = second_record_ - begin_; });
  ExpectCorrupt(second_record_, "the redundant length behind a transaction is");
}

TEST_F(ScannerCorruptionTest, LengthLeavesAFewBytesBehindTheRecords) {
  ChangeHeader([](TransactionHeader* header) { header->length += 5; });
  bytes_.append(5, '\0');
  ExpectCorrupt(redundant_length_, "5 bytes are left");
}

TEST_F(ScannerCorruptionTest, StringLengthTooLarge) {
  ChangeHeader([](TransactionHeader* header) { header->user_length += 1; });
  ExpectCorrupt(first_record_ + 1, "a data record says that its transaction begins at");
}

TEST_F(ScannerCorruptionTest, StringLengthTooSmall) {
  ChangeHeader([](TransactionHeader* header) { header->extension_length -= 1; });
  ExpectCorrupt(first_record_ - 1, "a data record says that its transaction begins at");
}

TEST_F(ScannerCorruptionTest, RecordOfAnotherTransaction) {
  ChangeRecord(first_record_, [](DataHeader* header) { header->transaction_position = 4; });
  ExpectCorrupt(first_record_, absl::StrCat("begins at 4, not at ", begin_));
}

TEST_F(ScannerCorruptionTest, LaterRecordOfAnotherTransaction) {
  ChangeRecord(second_record_, [this](DataHeader* header) { header->transaction_position = begin_ + 1; });
  ExpectCorrupt(second_record_, "a data record says that its transaction begins at");
}

TEST_F(ScannerCorruptionTest, TransactionPositionDiffersInItsHighHalf) {
  ChangeRecord(first_record_, [](DataHeader* header) { header->transaction_position += uint64_t{1} << 32; });
  ExpectCorrupt(first_record_, "a data record says that its transaction begins at");
}

TEST_F(ScannerCorruptionTest, DataReachesPastTheTransaction) {
  ChangeRecord(second_record_, [](DataHeader* header) { header->data_length += 1; });
  ExpectCorrupt(second_record_, "with 21 bytes of data");
}

TEST_F(ScannerCorruptionTest, DataLengthOverflows) {
  ChangeRecord(second_record_, [](DataHeader* header) { header->data_length = ~uint64_t{0}; });
  ExpectCorrupt(second_record_, "extends past its transaction's end");
}

TEST_F(ScannerCorruptionTest, DataLengthWithTheHeaderOverflows) {
  ChangeRecord(second_record_, [](DataHeader* header) { header->data_length = ~uint64_t{0} - kDataHeaderSize; });
  ExpectCorrupt(second_record_, "extends past its transaction's end");
}

TEST_F(ScannerCorruptionTest, DataLengthWithTheVersionOverflows) {
  ChangeRecord(second_record_, [](DataHeader* header) {
    header->version_length = 1;
    header->data_length = ~uint64_t{0} - kVersionPositionsSize;
  });
  ExpectCorrupt(second_record_, "extends past its transaction's end");
}

TEST_F(ScannerCorruptionTest, DataIsTooShort) {
  ChangeRecord(second_record_, [](DataHeader* header) { header->data_length -= 1; });
  ExpectCorrupt(redundant_length_ - 1, "1 bytes are left");
}

TEST_F(ScannerCorruptionTest, BackPointerInPlaceOfDataLeavesBytes) {
  ChangeRecord(second_record_, [](DataHeader* header) { header->data_length = 0; });
  ExpectCorrupt(second_record_ + kDataHeaderSize + kBackPointerSize, "12 bytes are left");
}

TEST_F(ScannerCorruptionTest, BackPointerReachesPastTheTransaction) {
  bytes_.resize(begin_);
  file_ = FileBuilder().Add({.tid = TestTid(1), .user = "first", .records = {{.oid = 1, .data = "sound"}}});
  const std::string record = tests::EncodeDataHeader({.oid = 1, .transaction_position = begin_}) + std::string(7, '\0');
  const uint64_t length = kTransactionHeaderSize + record.size();
  bytes_ += tests::EncodeTransactionHeader({.tid = TestTid(2), .length = length}) + record + EncodeUint64(length);
  ExpectCorrupt(begin_ + kTransactionHeaderSize, "8 bytes of data (or back pointer) extends past");
}

TEST_F(ScannerCorruptionTest, VersionReachesPastTheTransaction) {
  ChangeRecord(second_record_, [](DataHeader* header) { header->version_length = 65535; });
  ExpectCorrupt(second_record_, "extends past its transaction's end");
}

TEST_F(ScannerCorruptionTest, DataBehindTheVersionReachesPastTheTransaction) {
  // 16 bytes of positions and 3 of name leave one byte.
  ChangeRecord(second_record_, [](DataHeader* header) {
    header->version_length = 3;
    header->data_length = 2;
  });
  ExpectCorrupt(second_record_, "extends past its transaction's end");
}

TEST_F(ScannerCorruptionTest, RedundantLengthIsAnother) {
  bytes_[bytes_.size() - 1] ^= 1;
  ExpectCorrupt(redundant_length_, "the redundant length behind a transaction is");
}

TEST_F(ScannerCorruptionTest, RedundantLengthDiffersInItsHighHalf) {
  bytes_[redundant_length_] = 1;
  ExpectCorrupt(redundant_length_, "the redundant length behind a transaction is");
}

TEST_F(ScannerCorruptionTest, RedundantLengthOfAnUndoneTransactionIsAnother) {
  ChangeHeader([](TransactionHeader* header) { header->status = kStatusUndone; });
  bytes_[bytes_.size() - 1] ^= 1;
  ExpectCorrupt(redundant_length_, "the redundant length behind a transaction is");
}

TEST_F(ScannerCorruptionTest, TornOverAnOlderTransactionsBytes) {
  // A shorter transaction over a longer one that was abandoned: the older one's bytes show up behind it.
  const std::string shorter = tests::EncodeTransaction({.tid = TestTid(3)}, begin_);
  bytes_.replace(begin_, shorter.size(), shorter);
  const Observation seen = ScanAllWays(bytes_);
  EXPECT_EQ(seen.result.outcome, ScanOutcome::kCorrupt);
  EXPECT_EQ(seen.result.position, begin_ + shorter.size());
  EXPECT_EQ(seen.last.tid, TestTid(3));
}

TEST_F(ScannerCorruptionTest, NothingIsTakenAfterwards) {
  ChangeHeader([](TransactionHeader* header) { header->status = 'x'; });
  Scanner scanner(Magic::kFs30, FirstBoundary(Magic::kFs30));
  const ScanResult first = scanner.Feed(absl::string_view(bytes_).substr(kMagicSize));
  const ScanResult second = scanner.Feed(file_.transaction(2));
  EXPECT_EQ(second.outcome, ScanOutcome::kCorrupt);
  EXPECT_EQ(second.position, first.position);
  EXPECT_EQ(second.reason, first.reason);
  EXPECT_EQ(scanner.last(), file_.boundaries()[1]);
}

TEST_F(ScannerCorruptionTest, FoundBehindWhatWasPassedOver) {
  ChangeRecord(second_record_, [](DataHeader* header) { header->data_length -= 1; });
  Scanner scanner(Magic::kFs30, file_.boundaries()[1]);
  scanner.Feed(absl::string_view(bytes_).substr(begin_, second_record_ + kDataHeaderSize - begin_));
  scanner.PassOver(scanner.skippable());
  const ScanResult result = scanner.Feed({});
  EXPECT_EQ(result.outcome, ScanOutcome::kCorrupt);
  EXPECT_EQ(result.position, redundant_length_ - 1);
}

TEST_F(ScannerCorruptionTest, AnyChangedByteIsCorruptOrChangesTheDigest) {
  for (size_t i = begin_; i < bytes_.size(); ++i) {
    for (const int flip : {1, 0x80, 0xff}) {
      std::string damaged = bytes_;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      const Observation seen =
          ScanInPieces(Magic::kFs30, FirstBoundary(Magic::kFs30), absl::string_view(damaged).substr(kMagicSize), {});
      ASSERT_LE(seen.last.offset, damaged.size());
      ASSERT_NE(seen.last, file_.end()) << "byte " << i << " flipped by " << flip;
    }
  }
}

}  // namespace
}  // namespace zrs::filestorage
