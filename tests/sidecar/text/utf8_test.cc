#include "sidecar/text/utf8.h"

#include <gtest/gtest.h>

namespace zrs::text {
namespace {

TEST(FirstCharacter, HasItsCodePointAndLength) {
  EXPECT_EQ(FirstCharacter("ab").code_point, 'a');
  EXPECT_EQ(FirstCharacter("ab").length, 1u);
  EXPECT_EQ(FirstCharacter("\xE2\x82\xAC ").code_point, 0x20ACu);
  EXPECT_EQ(FirstCharacter("\xE2\x82\xAC ").length, 3u);
  EXPECT_EQ(FirstCharacter(absl::string_view("\0", 1)).length, 1u);
  EXPECT_EQ(FirstCharacter("\x80").length, 0u);
}

TEST(IsUtf8, OfNothingIsTrue) { EXPECT_TRUE(IsUtf8("")); }
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

}  // namespace
}  // namespace zrs::text
