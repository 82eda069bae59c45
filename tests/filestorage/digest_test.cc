#include "filestorage/digest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"

namespace zrs::filestorage {
namespace {

std::string Sample(size_t size) {
  std::string out;
  for (size_t i = 0; i < size; ++i) out.push_back(static_cast<char>(i * 131 + i / 251));
  return out;
}

TEST(DigestTest, EmptyInputHasThePublishedXxh128) {
  EXPECT_EQ(DigestOf("").ToHex(), "99aa06d3014798d86001c324468d497f");
}

TEST(DigestTest, BytesAreBigEndianLikeTheHex) {
  const Digest digest = DigestOf("");
  EXPECT_EQ(digest.high, 0x99aa06d3014798d8u);
  EXPECT_EQ(digest.low, 0x6001c324468d497fu);
  EXPECT_EQ(digest.ToBytes(), std::string("\x99\xaa\x06\xd3\x01\x47\x98\xd8\x60\x01\xc3\x24\x46\x8d\x49\x7f"));
}

TEST(DigestTest, BytesAndHexAreReadBack) {
  const Digest digest = DigestOf("something");
  EXPECT_EQ(Digest::FromBytes(digest.ToBytes()).value(), digest);
  EXPECT_EQ(Digest::FromHex(digest.ToHex()).value(), digest);
  EXPECT_NE(digest, DigestOf("something else"));
}

TEST(DigestTest, UpperCaseHexIsReadToo) {
  EXPECT_EQ(Digest::FromHex("99AA06D3014798D86001C324468D497F").value(), DigestOf(""));
}

TEST(DigestTest, BytesOfAnotherLengthAreRefused) {
  for (const size_t size : {0, 8, 15, 17, 32}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Digest::FromBytes(std::string(size, 'x')).status())) << size;
  }
}

TEST(DigestTest, HexOfAnotherLengthIsRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(Digest::FromHex("99aa06d3014798d86001c324468d497").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Digest::FromHex("").status()));
}

TEST(DigestTest, HexWithOtherCharactersIsRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(Digest::FromHex("99aa06d3014798d86001c324468d497g").status()));
}

TEST(DigesterTest, PiecesOfAnySizeGiveTheSameDigest) {
  const std::string sample = Sample(5000);
  for (const size_t piece : {1, 7, 64, 240, 241, 1024, 4999}) {
    Digester digester;
    for (size_t at = 0; at < sample.size(); at += piece) digester.Update(absl::string_view(sample).substr(at, piece));
    EXPECT_EQ(digester.Finish(), DigestOf(sample)) << piece;
  }
}

TEST(DigesterTest, GoesOnAfterFinish) {
  Digester digester;
  digester.Update("one");
  EXPECT_EQ(digester.Finish(), DigestOf("one"));
  digester.Update("two");
  EXPECT_EQ(digester.Finish(), DigestOf("onetwo"));
}

TEST(DigesterTest, CopyGoesOnByItself) {
  Digester digester;
  digester.Update(Sample(300));
  Digester copy = digester;
  copy.Update("a");
  digester.Update("b");
  EXPECT_EQ(copy.Finish(), DigestOf(Sample(300) + "a"));
  EXPECT_EQ(digester.Finish(), DigestOf(Sample(300) + "b"));
  copy = digester;
  EXPECT_EQ(copy.Finish(), digester.Finish());
}

TEST(DigesterTest, ResetForgets) {
  Digester digester;
  digester.Update("one");
  digester.Reset();
  EXPECT_EQ(digester.Finish(), DigestOf(""));
}

}  // namespace
}  // namespace zrs::filestorage
