#include "sidecar/admin/screen_lines.h"

#include <gtest/gtest.h>

namespace zrs::admin {
namespace {

TEST(ScreenLines, TextIsAlignedAndWrappedBetweenWords) {
  ScreenLines lines(40);
  lines.Add("reason", "one two three four five six seven eight nine");
  lines.Add("next", "ten");
  EXPECT_EQ(lines.text(),
            "  reason       one two three four five\n"
            "               six seven eight nine\n"
            "  next         ten\n");
}

TEST(ScreenLines, AWordThatFitsExactlyStays) {
  ScreenLines lines(40);
  lines.Add("a", std::string(25, 'x'));
  lines.Add("b", "y " + std::string(23, 'x'));
  lines.Add("c", "y " + std::string(24, 'x'));
  EXPECT_EQ(lines.text(), "  a            " + std::string(25, 'x') + "\n  b            y " + std::string(23, 'x') +
                              "\n  c            y\n               " + std::string(24, 'x') + "\n");
}

TEST(ScreenLines, ALongWordIsNotDivided) {
  ScreenLines lines(40);
  lines.Add("a", "b " + std::string(100, 'x') + " c");
  EXPECT_EQ(lines.text(), "  a            b\n               " + std::string(100, 'x') + "\n               c\n");
}

TEST(ScreenLines, LineFeedsAreSpacesAndOtherControlCharactersAreShown) {
  ScreenLines lines(80);
  lines.Add("a", "one\ntwo \033[31mred\x7f\x01");
  EXPECT_EQ(lines.text(), "  a            one two ?[31mred??\n");
}

TEST(ScreenLines, WithoutTextTheLabelAlone) {
  ScreenLines lines(80);
  lines.Add("a", "");
  EXPECT_EQ(lines.text(), "  a\n");
}

TEST(ScreenLines, AVeryNarrowWindowCountsAsForty) {
  ScreenLines narrow(1);
  ScreenLines forty(40);
  narrow.Add("a", "one two three four five six seven eight");
  forty.Add("a", "one two three four five six seven eight");
  EXPECT_EQ(narrow.text(), forty.text());
}

TEST(ScreenLines, ColumnsOfATableAreAsWideAsTheirWidestCell) {
  ScreenLines lines(80);
  lines.AddTable("rows", {{"1", "one", "x"}, {"1000", "a thousand", "y"}});
  lines.AddTable("none", {});
  EXPECT_EQ(lines.text(),
            "  rows         1     one         x\n"
            "               1000  a thousand  y\n");
}

}  // namespace
}  // namespace zrs::admin
