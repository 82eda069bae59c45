#include "sidecar/config/text.h"

#include <gtest/gtest.h>

namespace zrs::config {
namespace {

TEST(IsUtf8, TakesEveryLength) { EXPECT_TRUE(IsUtf8("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80")); }
TEST(IsUtf8, RefusesALoneContinuation) { EXPECT_FALSE(IsUtf8("a\x80")); }
TEST(IsUtf8, RefusesATruncatedCharacter) { EXPECT_FALSE(IsUtf8("\xE2\x82")); }
TEST(IsUtf8, RefusesAnOverlongForm) {
  EXPECT_FALSE(IsUtf8("\xC0\xAF"));
  EXPECT_FALSE(IsUtf8("\xE0\x80\xAF"));
}
TEST(IsUtf8, RefusesASurrogate) { EXPECT_FALSE(IsUtf8("\xED\xA0\x80")); }
TEST(IsUtf8, RefusesBeyondTheLastCodePoint) { EXPECT_FALSE(IsUtf8("\xF4\x90\x80\x80")); }
TEST(IsUtf8, RefusesLatin1) { EXPECT_FALSE(IsUtf8("Zoe \xE4")); }

TEST(Strip, RemovesEverySpaceOfPython) {
  EXPECT_EQ(Strip("\t\v\f\r\x1C \xC2\xA0x\xE2\x80\x83y\xE3\x80\x80\xC2\x85"), "x\xE2\x80\x83y");
}
TEST(Strip, KeepsZeroWidthSpace) { EXPECT_EQ(Strip("\xE2\x80\x8B"), "\xE2\x80\x8B"); }
TEST(Strip, OfNothingIsNothing) {
  EXPECT_EQ(Strip(""), "");
  EXPECT_EQ(Strip(" \xC2\xA0 "), "");
}

TEST(SplitWord, TakesTheFirstWord) {
  EXPECT_EQ(SplitWord("a \t b c").word, "a");
  EXPECT_EQ(SplitWord("a \t b c").rest, "b c");
  EXPECT_EQ(SplitWord("a").rest, "");
}

TEST(Quoted, EscapesWhatIsNotPrintable) { EXPECT_EQ(Quoted("a\x01\"\xC3\xA4"), "\"a\\001\\\"\xC3\xA4\""); }
TEST(Quoted, CutsBetweenCharacters) {
  std::string text(119, 'a');
  text += "\xC3\xA4 and more";
  EXPECT_EQ(Quoted(text), "\"" + std::string(119, 'a') + "...\"");
}

}  // namespace
}  // namespace zrs::config
