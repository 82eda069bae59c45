#include "sidecar/text/printable.h"

#include <gtest/gtest.h>

#include <string>

namespace zrs::text {
namespace {

TEST(Clean, KeepsWhatIsFit) {
  EXPECT_EQ(Clean("plain, \xc3\xa4, \xe2\x82\xac, \xf0\x9f\x99\x82"),
            "plain, \xc3\xa4, \xe2\x82\xac, \xf0\x9f\x99\x82");
  EXPECT_EQ(Clean(""), "");
}

TEST(Clean, ReplacesControlCharacters) {
  EXPECT_EQ(Clean("a\x1b[31mb\nc\x7f"
                  "d\xc2\x85"
                  "e"),
            "a?[31mb?c?d?e");
}

TEST(Clean, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(Clean("\xff"), "?");                 // no beginning
  EXPECT_EQ(Clean("\x80"), "?");                 // a continuation alone
  EXPECT_EQ(Clean("\xe2\x82"), "??");            // cut off
  EXPECT_EQ(Clean("\xc0\xaf"), "??");            // overlong
  EXPECT_EQ(Clean("\xe0\x80\xaf"), "???");       // overlong
  EXPECT_EQ(Clean("\xed\xa0\x80"), "???");       // surrogate
  EXPECT_EQ(Clean("\xf4\x90\x80\x80"), "????");  // behind the last code point
  EXPECT_EQ(Clean(absl::string_view("\0", 1)), "?");
}

TEST(Clean, CutsBetweenCharacters) {
  EXPECT_EQ(Clean("abc", 2), "ab");
  EXPECT_EQ(Clean("a\xe2\x82\xac", 3), "a");
  EXPECT_EQ(Clean("a\xe2\x82\xac", 4), "a\xe2\x82\xac");
}

TEST(Escaped, ShowsTheBytesOfWhatIsNotFit) {
  EXPECT_EQ(Escaped("a\nb\\ \x1b[31m"), "a\\nb\\\\ \\033[31m");
  EXPECT_EQ(Escaped("\xc3\xa4 \xff \xe2\x82"), "\xc3\xa4 \\377 \\342\\202");
  EXPECT_EQ(Escaped("\xc2\x9b"
                    "31m"),
            "\\302\\23331m");
}

TEST(Escaped, CountsTheTextsOwnBytes) {
  EXPECT_EQ(Escaped("\n\n\n", 2), "\\n\\n...");
  EXPECT_EQ(Escaped("\n\n", 2), "\\n\\n");
}

TEST(Quoted, EscapesWhatIsNotPrintable) { EXPECT_EQ(Quoted("a\x01\"\xC3\xA4"), "\"a\\001\\\"\xC3\xA4\""); }
TEST(Quoted, CutsBetweenCharacters) {
  std::string text(119, 'a');
  text += "\xC3\xA4 and more";
  EXPECT_EQ(Quoted(text), "\"" + std::string(119, 'a') + "...\"");
}

}  // namespace
}  // namespace zrs::text
