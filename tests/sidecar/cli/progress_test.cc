#include "sidecar/cli/terminal/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace zrs::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr uint64_t kTotal = 1'000'000'000;

// A line without what clears the rest of it.
std::string Visible(const std::string& line) {
  const std::string end = "\033[K";
  EXPECT_THAT(line, StartsWith("\r"));
  EXPECT_THAT(line, EndsWith(end));
  return line.substr(1, line.size() - 1 - end.size());
}

class ProgressTest : public ::testing::Test {
 protected:
  std::string At(double seconds, uint64_t done) {
    return progress_.Update(done, kTotal, began_ + absl::Seconds(seconds));
  }

  const absl::Duration began_ = absl::Hours(7);
  Progress progress_{"verify", 80, began_};
};

TEST_F(ProgressTest, ShortWorkLeavesNoTrace) {
  EXPECT_EQ(At(0.1, 1), "");
  EXPECT_EQ(At(0.99, kTotal), "");
  EXPECT_EQ(progress_.Finish(), "");
}

TEST_F(ProgressTest, LongWorkHasBarBytesRateAndTimeLeft) {
  EXPECT_EQ(At(0, 0), "");
  EXPECT_EQ(Visible(At(2, 250'000'000)),
            "verify  25 % [=====                ] 250.0 MB of 1.0 GB, 125.0 MB/s, 6.0 s left");
  EXPECT_EQ(progress_.Finish(), "\r\033[K");
  EXPECT_EQ(progress_.Finish(), "");
}

TEST_F(ProgressTest, LinesKeepATenthOfASecondApart) {
  EXPECT_NE(At(1.5, 1000), "");
  EXPECT_EQ(At(1.59, 2000), "");
  EXPECT_NE(At(1.61, 3000), "");
}

TEST_F(ProgressTest, TheRateIsThatOfTheLastSeconds) {
  At(0, 0);
  for (int second = 1; second <= 10; ++second) At(second, static_cast<uint64_t>(second) * 10'000'000);
  std::string line;
  for (int second = 11; second <= 16; ++second) line = At(second, 100'000'000 + (second - 10) * 1'000'000ull);
  EXPECT_THAT(line, HasSubstr(", 1.0 MB/s, 15 min left"));
}

TEST_F(ProgressTest, NothingIsSaidOfARateThatIsNotKnown) {
  EXPECT_EQ(Visible(At(1.5, 0)), "verify   0 % [" + std::string(40, ' ') + "] 0 B of 1.0 GB");
}

TEST_F(ProgressTest, GoingBackBeginsTheRateAnew) {
  At(1, 0);
  EXPECT_THAT(At(2, 500'000'000), HasSubstr("/s"));
  EXPECT_THAT(At(3, 400'000'000), Not(HasSubstr("/s")));
  EXPECT_THAT(At(4, 410'000'000), HasSubstr(", 10.0 MB/s"));
}

TEST_F(ProgressTest, AHundredPercentIsTheEndAlone) {
  EXPECT_THAT(At(2, kTotal - 1), HasSubstr(" 99 %"));
  EXPECT_THAT(At(3, kTotal), HasSubstr("100 %"));
  EXPECT_THAT(At(4, 2 * kTotal), HasSubstr("100 %"));
}

TEST(Progress, FitsTheTerminal) {
  for (size_t columns = 0; columns <= 200; ++columns) {
    Progress progress("verify", columns, absl::ZeroDuration());
    progress.Update(0, kTotal, absl::ZeroDuration());
    const std::string line = Visible(progress.Update(kTotal / 3, kTotal, absl::Seconds(2)));
    EXPECT_LE(line.size() + 1, std::max<size_t>(columns, 1));
    EXPECT_EQ(line.find('[') != std::string::npos, columns >= 69) << columns;
  }
}

TEST(Progress, NothingToDoIsNoDivisionByZero) {
  Progress progress("verify", 80, absl::ZeroDuration());
  EXPECT_THAT(progress.Update(0, 0, absl::Seconds(2)), HasSubstr("0 B of 0 B"));
}

}  // namespace
}  // namespace zrs::cli
