#include "sidecar/config/nearest.h"

#include <gtest/gtest.h>

#include <string>

namespace zrs::config {
namespace {

constexpr absl::string_view kKnown[] = {"path", "replicate-from", "replicate-to", "quota"};

TEST(EditDistance, CountsEdits) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("abc", ""), 3u);
  EXPECT_EQ(EditDistance("abc", "abd"), 1u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
}
TEST(EditDistance, CountsASwapOnce) {
  EXPECT_EQ(EditDistance("form", "from"), 1u);
  EXPECT_EQ(EditDistance("abcd", "badc"), 2u);
}

TEST(Nearest, FindsATypingError) {
  EXPECT_EQ(Nearest("replicate-form", kKnown), "replicate-from");
  EXPECT_EQ(Nearest("replicateto", kKnown), "replicate-to");
  EXPECT_EQ(Nearest("pth", kKnown), "path");
}
TEST(Nearest, FindsNothingFarAway) {
  EXPECT_EQ(Nearest("blob", kKnown), "");
  EXPECT_EQ(Nearest("", kKnown), "");
}
TEST(Nearest, TakesTheNearerOne) { EXPECT_EQ(Nearest("replicate-tom", kKnown), "replicate-to"); }
TEST(Nearest, IsQuickForLongNames) { EXPECT_EQ(Nearest(std::string(size_t{1} << 20, 'a'), kKnown), ""); }

}  // namespace
}  // namespace zrs::config
