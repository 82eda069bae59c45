// Sound input: what the scanner says about it, however it is cut into pieces.
#include "filestorage/scanner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tests/filestorage/scan_harness.h"
#include "tests/support/encode.h"
#include "tests/support/file_builder.h"

namespace zrs::filestorage {
namespace {

using tests::FileBuilder;
using tests::TestTid;

// The file was taken in whole and is at rest.
void ExpectAllTaken(const Observation& seen, const FileBuilder& file) {
  EXPECT_EQ(seen.result.outcome, ScanOutcome::kMore) << seen.result.reason;
  EXPECT_EQ(seen.last, file.end());
  EXPECT_EQ(seen.position, file.size());
  EXPECT_FALSE(seen.inside_transaction);
  EXPECT_EQ(seen.transactions, file.boundaries().size() - 1);
}

// Written by ZODB 6.4 (FileStorage): a transaction with user and description, one without, and the undo of that.
constexpr absl::string_view kRealFile =
    "46533330"
    "03f84a6e0000000000000000000000502000050005000061646d696e68656c6c6f"
    "000000000000000003f84a6e000000000000000000000000000000000000000400000000000000000005"
    "66697273740000000000000050"
    "03f84a6e04444444000000000000004720000000000000"
    "000000000000000003f84a6e044444440000000000000025000000000000005c00000000000000000006"
    "7365636f6e640000000000000047"
    "03f84a6e08888888000000000000004d20000000040000756e646f"
    "000000000000000003f84a6e08888888000000000000007300000000000000ab00000000000000000000"
    "0000000000000025000000000000004d";

TEST(ScannerTest, AFileThatZodbWroteIsSound) {
  const std::string file = absl::HexStringToBytes(kRealFile);
  const Observation seen = ScanAllWays(file);
  EXPECT_EQ(seen.result.outcome, ScanOutcome::kMore) << seen.result.reason;
  EXPECT_EQ(seen.transactions, 3u);
  EXPECT_EQ(seen.decreasing_tids, 0u);
  EXPECT_EQ(seen.last.offset, 256u);
  EXPECT_EQ(seen.last.last_offset, 171u);
  EXPECT_EQ(seen.last.tid, 0x03f84a6e08888888u);
  EXPECT_EQ(seen.last.digest, DigestOf("FS30" + file.substr(171)));
  EXPECT_THAT(seen.record_positions, testing::ElementsAre(0x25, 0x73, 0xc6));
  EXPECT_THAT(seen.records, testing::ElementsAre(testing::Field(&DataHeader::data_length, 5),
                                                 testing::Field(&DataHeader::data_length, 6),
                                                 testing::Field(&DataHeader::data_length, 0)));
}

TEST(ScannerTest, NothingToTake) {
  for (const Magic magic : {Magic::kFs21, Magic::kFs30}) {
    const FileBuilder file(magic);
    const Observation seen = ScanAllWays(file.bytes());
    ExpectAllTaken(seen, file);
    EXPECT_EQ(seen.last, FirstBoundary(magic));
  }
}

TEST(ScannerTest, Fs21AndFs30DifferInTheDigestAlone) {
  const FileBuilder fs21 = FileBuilder(Magic::kFs21).AddMany(3, 20);
  const FileBuilder fs30 = FileBuilder(Magic::kFs30).AddMany(3, 20);
  const Observation seen21 = ScanAllWays(fs21.bytes());
  const Observation seen30 = ScanAllWays(fs30.bytes());
  ExpectAllTaken(seen21, fs21);
  ExpectAllTaken(seen30, fs30);
  EXPECT_EQ(seen21.last.offset, seen30.last.offset);
  EXPECT_NE(seen21.last.digest, seen30.last.digest);
}

TEST(ScannerTest, AStartWithOffset0IsBehindTheMagic) {
  const Scanner scanner(Magic::kFs21, Boundary{});
  EXPECT_EQ(scanner.last(), FirstBoundary(Magic::kFs21));
  EXPECT_EQ(scanner.position(), kMagicSize);
}

TEST(ScannerTest, GoesOnFromAnyBoundary) {
  const FileBuilder file = FileBuilder().AddMany(5, 30);
  for (const Boundary& start : file.boundaries()) {
    const Observation seen =
        ScanInPieces(Magic::kFs30, start, absl::string_view(file.bytes()).substr(start.offset), {});
    EXPECT_EQ(seen.result.outcome, ScanOutcome::kMore) << seen.result.reason;
    EXPECT_EQ(seen.last, file.end()) << "from " << start.offset;
    EXPECT_EQ(seen.decreasing_tids, 0u);
  }
}

TEST(ScannerTest, LastIsRightBehindEveryPiece) {
  const FileBuilder file = FileBuilder().AddMany(4, 10);
  Scanner scanner(Magic::kFs30, FirstBoundary(Magic::kFs30));
  size_t complete = 0;
  for (size_t i = kMagicSize; i < file.size(); ++i) {
    scanner.Feed(absl::string_view(file.bytes()).substr(i, 1));
    while (complete + 1 < file.boundaries().size() && file.boundaries()[complete + 1].offset <= i + 1) ++complete;
    ASSERT_EQ(scanner.last(), file.boundaries()[complete]) << "behind byte " << i;
    ASSERT_EQ(scanner.position(), i + 1);
  }
  EXPECT_EQ(complete, 4u);
}

TEST(ScannerTest, TransactionEndIsKnownOnceTheHeaderIs) {
  const FileBuilder file = FileBuilder().AddMany(1, 10);
  Scanner scanner(Magic::kFs30, FirstBoundary(Magic::kFs30));
  EXPECT_EQ(scanner.transaction_end(), 0u);
  for (uint64_t i = kMagicSize; i < file.size() - 1; ++i) {
    scanner.Feed(absl::string_view(file.bytes()).substr(i, 1));
    EXPECT_EQ(scanner.transaction_end(), i + 1 < kMagicSize + kTransactionHeaderSize ? 0 : file.size()) << i;
    EXPECT_TRUE(scanner.inside_transaction());
  }
  scanner.Feed(absl::string_view(file.bytes()).substr(file.size() - 1));
  EXPECT_EQ(scanner.transaction_end(), 0u);
  EXPECT_FALSE(scanner.inside_transaction());
}

TEST(ScannerTest, DataAndBackPointersAndZeroBackPointers) {
  FileBuilder file;
  file.Add({.tid = TestTid(1), .records = {{.oid = 1, .data = "data"}, {.oid = 2, .data = "x"}}});
  const uint64_t first = file.record_position(1);
  file.Add({.tid = TestTid(2), .records = {{.oid = 1, .back_pointer = first}, {.oid = 2, .back_pointer = 0}}});
  const Observation seen = ScanAllWays(file.bytes());
  ExpectAllTaken(seen, file);
  ASSERT_EQ(seen.records.size(), 4u);
  EXPECT_EQ(seen.records[2].previous, first);
  EXPECT_EQ(seen.records[2].data_length, 0u);
  EXPECT_EQ(seen.record_positions[3], seen.record_positions[2] + kDataHeaderSize + kBackPointerSize);
}

TEST(ScannerTest, EmptyTransactions) {
  FileBuilder file;
  file.Add({.tid = TestTid(1)}).Add({.tid = TestTid(2), .description = "nothing"}).Add({.tid = TestTid(3)});
  const Observation seen = ScanAllWays(file.bytes());
  ExpectAllTaken(seen, file);
  EXPECT_THAT(seen.scanned, testing::Each(testing::Field(&ScannedTransaction::records, 0)));
}

TEST(ScannerTest, StringsOfEveryLength) {
  for (const size_t size : {0, 1, 255, 256, 65534, 65535}) {
    FileBuilder file;
    file.Add({.tid = TestTid(1),
              .user = std::string(size, 'u'),
              .description = std::string(size, 'd'),
              .extension = std::string(size, 'e'),
              .records = {{.oid = 1, .data = "data"}}});
    file.Add({.tid = TestTid(2), .extension = std::string(size, 'e')});
    ExpectAllTaken(ScanInPieces(Magic::kFs30, FirstBoundary(Magic::kFs30), file.bytes().substr(kMagicSize), {}), file);
  }
}

TEST(ScannerTest, LargestStringsInPieces) {
  FileBuilder file;
  file.Add({.tid = TestTid(1),
            .user = std::string(65535, 'u'),
            .description = std::string(65535, 'd'),
            .extension = std::string(65535, 'e'),
            .records = {{.oid = 1, .data = "data"}}});
  ExpectAllTaken(ScanAllWays(file.bytes()), file);
}

TEST(ScannerTest, RecordsOfTheVersionFeature) {
  FileBuilder file(Magic::kFs21);
  file.Add({.tid = TestTid(1),
            .records = {{.oid = 1, .data = "data in a version", .version = "work in progress"},
                        {.oid = 2, .back_pointer = 4, .version = "v"},
                        {.oid = 3, .data = "z", .version = std::string(65535, 'n')}}});
  const Observation seen = ScanAllWays(file.bytes());
  ExpectAllTaken(seen, file);
  ASSERT_EQ(seen.records.size(), 3u);
  EXPECT_EQ(seen.records[0].version_length, 16);
  EXPECT_EQ(seen.records[2].version_length, 65535);
}

TEST(ScannerTest, PackedTransactions) {
  FileBuilder file;
  file.Add({.tid = TestTid(1), .status = kStatusPacked, .records = {{.oid = 1, .data = "data"}}});
  file.Add({.tid = TestTid(2), .records = {{.oid = 1, .data = "more"}}});
  const Observation seen = ScanAllWays(file.bytes());
  ExpectAllTaken(seen, file);
  EXPECT_EQ(seen.scanned[0].status, kStatusPacked);
  EXPECT_EQ(seen.scanned[1].status, kStatusComplete);
}

TEST(ScannerTest, RecordsOfUndoneTransactionsAreSkipped) {
  FileBuilder file;
  // What such a transaction holds is not looked at: these are no records.
  file.Add({.tid = TestTid(1), .status = kStatusUndone, .user = "u", .extension = std::string(100, '\xff')});
  file.Add({.tid = TestTid(2), .status = kStatusUndone, .records = {{.oid = 1, .data = "data"}}});
  const Observation seen = ScanAllWays(file.bytes());
  ExpectAllTaken(seen, file);
  EXPECT_TRUE(seen.records.empty());
  EXPECT_EQ(seen.scanned[1].records, 0u);
}

TEST(ScannerTest, UnsoundBodyOfAnUndoneTransactionIsSkipped) {
  FileBuilder file;
  file.Add({.tid = TestTid(1), .status = kStatusUndone, .user = std::string(50, '\0')});
  std::string bytes = file.bytes();
  bytes[kMagicSize + kTransactionStatusOffset + 2] = 0;  // the string becomes 50 bytes of something else
  const Observation seen = ScanAllWays(bytes);
  EXPECT_EQ(seen.result.outcome, ScanOutcome::kMore);
  EXPECT_EQ(seen.transactions, 1u);
}

TEST(ScannerTest, InProgressIsNotTaken) {
  FileBuilder file = FileBuilder().AddMany(2, 10);
  const Boundary committed = file.end();
  file.Add({.tid = TestTid(10), .status = kStatusInProgress, .records = {{.oid = 1, .data = "voted"}}});
  // With its whole body, with a part of it, with the header alone.
  for (const uint64_t size : {file.size(), file.size() - 20, committed.offset + kTransactionHeaderSize}) {
    const Observation seen = ScanAllWays(absl::string_view(file.bytes()).substr(0, size));
    EXPECT_EQ(seen.result.outcome, ScanOutcome::kInProgress);
    EXPECT_EQ(seen.result.position, committed.offset);
    EXPECT_EQ(seen.position, committed.offset);
    EXPECT_FALSE(seen.inside_transaction);
    EXPECT_EQ(seen.last, committed);
  }
}

TEST(ScannerTest, PartOfATransactionIsMore) {
  const FileBuilder file = FileBuilder().AddMany(2, 10);
  for (uint64_t size = file.boundaries()[1].offset + 1; size < file.size(); ++size) {
    const Observation seen = ScanInPieces(Magic::kFs30, FirstBoundary(Magic::kFs30),
                                          absl::string_view(file.bytes()).substr(kMagicSize, size - kMagicSize), {});
    ASSERT_EQ(seen.result.outcome, ScanOutcome::kMore);
    ASSERT_EQ(seen.result.position, size);
    ASSERT_EQ(seen.last, file.boundaries()[1]);
    ASSERT_TRUE(seen.inside_transaction);
  }
}

TEST(ScannerTest, DecreasingAndEqualTidsAreCounted) {
  FileBuilder file;
  for (const uint64_t n : {5, 4, 4, 6, 1}) file.Add({.tid = TestTid(n)});
  const Observation seen = ScanAllWays(file.bytes());
  ExpectAllTaken(seen, file);
  EXPECT_EQ(seen.decreasing_tids, 3u);
}

TEST(ScannerTest, ATidBelowTheStartsIsCounted) {
  FileBuilder file;
  file.Add({.tid = TestTid(5)}).Add({.tid = TestTid(4)});
  const Boundary& start = file.boundaries()[1];
  const Observation seen = ScanInPieces(Magic::kFs30, start, file.transaction(2), {});
  EXPECT_EQ(seen.decreasing_tids, 1u);
}

TEST(ScannerTest, StringsAndDataMayBePassedOver) {
  const FileBuilder file = FileBuilder().AddMany(3, 50);
  Scanner scanner(Magic::kFs30, FirstBoundary(Magic::kFs30));
  uint64_t passed_over = 0;
  while (scanner.position() < file.size()) {
    const uint64_t skippable = scanner.skippable();
    passed_over += skippable;
    scanner.PassOver(skippable);
    const ScanResult result = scanner.Feed(absl::string_view(file.bytes()).substr(scanner.position(), 1));
    ASSERT_EQ(result.outcome, ScanOutcome::kMore) << result.reason;
  }
  EXPECT_GT(passed_over, 6 * 50u);
  EXPECT_EQ(scanner.last().offset, file.size());
  EXPECT_EQ(scanner.last().tid, file.end().tid);
  EXPECT_EQ(scanner.last().digest, Digest{});
}

TEST(ScannerTest, DigestIsKnownAgainBehindWhatWasPassedOver) {
  const FileBuilder file = FileBuilder().AddMany(2, 50);
  Scanner scanner(Magic::kFs30, FirstBoundary(Magic::kFs30));
  scanner.Feed(absl::string_view(file.bytes()).substr(kMagicSize, kTransactionHeaderSize));
  scanner.PassOver(3);
  scanner.Feed(absl::string_view(file.bytes()).substr(scanner.position()));
  EXPECT_EQ(scanner.last(), file.end());
}

TEST(ScannerTest, NoMoreIsPassedOverThanSkippable) {
  const FileBuilder file = FileBuilder().AddMany(1, 50);
  Scanner scanner(Magic::kFs30, FirstBoundary(Magic::kFs30));
  EXPECT_EQ(scanner.skippable(), 0u);
  scanner.PassOver(100);
  EXPECT_EQ(scanner.position(), kMagicSize);
  scanner.Feed(absl::string_view(file.bytes()).substr(kMagicSize, kTransactionHeaderSize));
  const uint64_t end_of_strings = scanner.position() + scanner.skippable();
  scanner.PassOver(~uint64_t{0});
  EXPECT_EQ(scanner.position(), end_of_strings);
}

// Lengths of more than 32 bits: the body is never there, so nothing but the arithmetic is asked.
TEST(ScannerTest, LengthsAndOffsetsPast32Bits) {
  const Boundary start{.offset = uint64_t{1} << 40, .last_offset = 4, .tid = 1, .digest = {}};
  const uint64_t data_length = uint64_t{10} << 30;
  const uint64_t length = kTransactionHeaderSize + kDataHeaderSize + data_length;
  TransactionHeader header;
  header.tid = TestTid(1);
  header.length = length;
  DataHeader record;
  record.transaction_position = start.offset;
  record.data_length = data_length;
  Scanner scanner(Magic::kFs30, start);
  EXPECT_EQ(scanner.Feed(tests::EncodeTransactionHeader(header) + tests::EncodeDataHeader(record)).outcome,
            ScanOutcome::kMore);
  EXPECT_EQ(scanner.transaction_end(), start.offset + length + kLengthSize);
  EXPECT_EQ(scanner.position(), start.offset + kTransactionHeaderSize + kDataHeaderSize);
}

}  // namespace
}  // namespace zrs::filestorage
