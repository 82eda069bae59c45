#include "sidecar/admin/human_units.h"

#include <gtest/gtest.h>

namespace zrs::admin {
namespace {

TEST(HumanBytes, EachUnitAndItsBorders) {
  EXPECT_EQ(HumanBytes(0), "0 B");
  EXPECT_EQ(HumanBytes(999), "999 B");
  EXPECT_EQ(HumanBytes(999.6), "1.0 kB");
  EXPECT_EQ(HumanBytes(1000), "1.0 kB");
  EXPECT_EQ(HumanBytes(999'949), "999.9 kB");
  EXPECT_EQ(HumanBytes(999'950), "1.0 MB");
  EXPECT_EQ(HumanBytes(1.5e9), "1.5 GB");
  EXPECT_EQ(HumanBytes(2e12), "2.0 TB");
  EXPECT_EQ(HumanBytes(9.2e18), "9200.0 PB");
  EXPECT_EQ(HumanBytes(-1), "0 B");
}

TEST(HumanDuration, EachUnitAndItsBorders) {
  EXPECT_EQ(HumanDuration(absl::ZeroDuration()), "0 s");
  EXPECT_EQ(HumanDuration(absl::Microseconds(400)), "0 s");
  EXPECT_EQ(HumanDuration(absl::Milliseconds(1)), "1 ms");
  EXPECT_EQ(HumanDuration(absl::Milliseconds(999)), "999 ms");
  EXPECT_EQ(HumanDuration(absl::Milliseconds(999.8)), "1.0 s");
  EXPECT_EQ(HumanDuration(absl::Seconds(9.94)), "9.9 s");
  EXPECT_EQ(HumanDuration(absl::Seconds(9.95)), "10 s");
  EXPECT_EQ(HumanDuration(absl::Seconds(119)), "119 s");
  EXPECT_EQ(HumanDuration(absl::Seconds(120)), "2 min");
  EXPECT_EQ(HumanDuration(absl::Minutes(119)), "119 min");
  EXPECT_EQ(HumanDuration(absl::Minutes(120)), "2 h");
  EXPECT_EQ(HumanDuration(absl::Hours(47)), "47 h");
  EXPECT_EQ(HumanDuration(absl::Hours(48)), "2 days");
  EXPECT_EQ(HumanDuration(absl::Hours(24 * 400)), "400 days");
  EXPECT_EQ(HumanDuration(-absl::Seconds(5)), "0 s");
}

}  // namespace
}  // namespace zrs::admin
