#include "sidecar/config/white_space.h"

#include <gtest/gtest.h>

namespace zrs::config {
namespace {

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

}  // namespace
}  // namespace zrs::config
