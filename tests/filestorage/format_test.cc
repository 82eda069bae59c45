#include "filestorage/format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "tests/support/encode.h"

namespace zrs::filestorage {
namespace {

TEST(FormatTest, BothMagicsAreRecognised) {
  EXPECT_EQ(ParseMagic("FS21").value(), Magic::kFs21);
  EXPECT_EQ(ParseMagic("FS30 and more").value(), Magic::kFs30);
  EXPECT_EQ(MagicBytes(Magic::kFs21), "FS21");
  EXPECT_EQ(MagicBytes(Magic::kFs30), "FS30");
}

TEST(FormatTest, OtherMagicIsRefusedWithWhatWasFound) {
  const absl::Status status = ParseMagic("PK\x03\x04").status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(status.message(), testing::HasSubstr("PK\\x03\\x04"));
}

TEST(FormatTest, ShortMagicIsRefused) {
  for (const char* bytes : {"", "F", "FS3"}) EXPECT_TRUE(absl::IsDataLoss(ParseMagic(bytes).status())) << bytes;
}

TEST(FormatTest, TransactionHeaderHasTheDocumentedLayout) {
  const TransactionHeader header{.tid = 0x0102030405060708,
                                 .length = 0x1112131415161718,
                                 .status = 'p',
                                 .user_length = 0x2122,
                                 .description_length = 0x3132,
                                 .extension_length = 0xfffe};
  const std::string encoded = tests::EncodeTransactionHeader(header);
  EXPECT_EQ(absl::BytesToHexString(encoded), "010203040506070811121314151617187021223132fffe");
  EXPECT_EQ(encoded.size(), kTransactionHeaderSize);
  EXPECT_EQ(encoded[kTransactionStatusOffset], 'p');
  EXPECT_EQ(DecodeTransactionHeader(encoded + "what follows"), header);
}

TEST(FormatTest, LargestStringsCountInFull) {
  const TransactionHeader header{.tid = 1,
                                 .length = 0,
                                 .status = ' ',
                                 .user_length = 65535,
                                 .description_length = 65535,
                                 .extension_length = 65535};
  EXPECT_EQ(header.HeaderAndStringsSize(), 23u + 3 * 65535u);
}

TEST(FormatTest, DataHeaderHasTheDocumentedLayout) {
  const DataHeader header{.oid = 0x0102030405060708,
                          .tid = 0x1112131415161718,
                          .previous = 0x2122232425262728,
                          .transaction_position = 0x3132333435363738,
                          .version_length = 0x4142,
                          .data_length = 0xf1f2f3f4f5f6f7f8};
  const std::string encoded = tests::EncodeDataHeader(header);
  EXPECT_EQ(absl::BytesToHexString(encoded),
            "0102030405060708111213141516171821222324252627283132333435363738"
            "4142f1f2f3f4f5f6f7f8");
  EXPECT_EQ(encoded.size(), kDataHeaderSize);
  EXPECT_EQ(DecodeDataHeader(encoded + "what follows"), header);
}

TEST(FormatTest, NumbersUseAllEightBytes) {
  for (const uint64_t value : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 33, ~uint64_t{0}}) {
    EXPECT_EQ(DecodeUint64(EncodeUint64(value) + "x"), value);
  }
  EXPECT_EQ(absl::BytesToHexString(EncodeUint64(0x0102030405060708)), "0102030405060708");
}

}  // namespace
}  // namespace zrs::filestorage
