#include "sidecar/config/values.h"

#include <gtest/gtest.h>

#include <string>

namespace zrs::config {
namespace {

template <typename T>
std::string Message(const absl::StatusOr<T>& result) {
  return result.ok() ? "no error" : std::string(result.status().message());
}

TEST(Boolean, TakesZConfigsWords) {
  for (const char* text : {"on", "yes", "true", "ON", "Yes", "tRUE"}) {
    EXPECT_EQ(ParseBoolean(text).value(), true) << text;
  }
  for (const char* text : {"off", "no", "false", "OFF", "No", "fALSE"}) {
    EXPECT_EQ(ParseBoolean(text).value(), false) << text;
  }
}
TEST(Boolean, RefusesOtherWords) {
  for (const char* text : {"", "1", "0", "y", "enabled", "on ", "truely"}) {
    EXPECT_FALSE(ParseBoolean(text).ok()) << text;
  }
  EXPECT_EQ(Message(ParseBoolean("1")), "\"1\" is not a boolean; write on, yes or true, or off, no or false");
}

TEST(Integer, TakesDigits) {
  EXPECT_EQ(ParseInteger("0").value(), 0);
  EXPECT_EQ(ParseInteger("064").value(), 64);
  EXPECT_EQ(ParseInteger("-12").value(), -12);
  EXPECT_EQ(ParseInteger("+12").value(), 12);
  EXPECT_EQ(ParseInteger("9223372036854775807").value(), 9223372036854775807);
}
TEST(Integer, RefusesTheRest) {
  for (const char* text : {"", "-", "+-1", "1.0", "1e3", "0x10", "1_000", " 1", "1 ", "ten"}) {
    EXPECT_FALSE(ParseInteger(text).ok()) << text;
  }
  EXPECT_EQ(Message(ParseInteger("ten")), "\"ten\" is not an integer; write decimal digits");
}
TEST(Integer, RefusesOverflow) {
  EXPECT_EQ(Message(ParseInteger("9223372036854775808")),
            "\"9223372036854775808\" is not an integer of 64 bits; write a smaller one");
}

TEST(TimeInterval, TakesUnits) {
  EXPECT_EQ(ParseTimeInterval("10").value(), absl::Seconds(10));
  EXPECT_EQ(ParseTimeInterval("10s").value(), absl::Seconds(10));
  EXPECT_EQ(ParseTimeInterval("5m").value(), absl::Minutes(5));
  EXPECT_EQ(ParseTimeInterval("2H").value(), absl::Hours(2));
  EXPECT_EQ(ParseTimeInterval("1d").value(), absl::Hours(24));
  EXPECT_EQ(ParseTimeInterval("500ms").value(), absl::Milliseconds(500));
  EXPECT_EQ(ParseTimeInterval("0").value(), absl::ZeroDuration());
}
TEST(TimeInterval, TakesSpaceBeforeTheUnitAsZConfigDoes) {
  EXPECT_EQ(ParseTimeInterval("5 m").value(), absl::Minutes(5));
}
TEST(TimeInterval, TakesFractions) {
  EXPECT_EQ(ParseTimeInterval("1.5").value(), absl::Milliseconds(1500));
  EXPECT_EQ(ParseTimeInterval(".5s").value(), absl::Milliseconds(500));
  EXPECT_EQ(ParseTimeInterval("0.25h").value(), absl::Minutes(15));
  EXPECT_EQ(ParseTimeInterval("0.5ms").value(), absl::Microseconds(500));
  EXPECT_EQ(ParseTimeInterval("0.0000000019").value(), absl::Nanoseconds(1));
}
TEST(TimeInterval, RefusesTheRest) {
  for (const char* text : {"", "s", "ms", ".", "1.", "-1", "+1", "1w", "1h30m", "1h 30m", "1e3", "five", "1,5", "1..5",
                           "nan", "inf", " 1"}) {
    EXPECT_FALSE(ParseTimeInterval(text).ok()) << text;
  }
  EXPECT_EQ(Message(ParseTimeInterval("1w")),
            "\"1w\" is not a time interval; write a number and ms, s, m, h or d, such as 500ms, 30s or 5m");
}
TEST(TimeInterval, SaysThatCommentsStandAlone) {
  EXPECT_EQ(Message(ParseTimeInterval("60 # seconds")),
            "\"60 # seconds\" is not a time interval; write a number and ms, s, m, h or d, such as 500ms, 30s or 5m (a "
            "comment stands on a line of its own)");
}
TEST(TimeInterval, RefusesTenYears) {
  EXPECT_EQ(ParseTimeInterval("3650d").value(), absl::Hours(24 * 3650));
  for (const char* text : {"3651d", "315360001", "99999999999999999999", "18446744073709551615d"}) {
    EXPECT_FALSE(ParseTimeInterval(text).ok()) << text;
  }
}

TEST(TimeIntervalText, IsInTheLargestUnit) {
  EXPECT_EQ(TimeIntervalText(absl::ZeroDuration()), "0");
  EXPECT_EQ(TimeIntervalText(absl::Milliseconds(10)), "10ms");
  EXPECT_EQ(TimeIntervalText(absl::Milliseconds(1500)), "1500ms");
  EXPECT_EQ(TimeIntervalText(absl::Seconds(90)), "90s");
  EXPECT_EQ(TimeIntervalText(absl::Seconds(3600)), "1h");
  EXPECT_EQ(TimeIntervalText(absl::Hours(48)), "2d");
  EXPECT_EQ(TimeIntervalText(absl::Nanoseconds(1'000'000'001)), "1.000000001s");
}
TEST(TimeIntervalText, IsReadAsTheSame) {
  for (const char* text : {"0", "1", "2m", "0.3", "0.000000001", "10.000000250ms", "0.1d", "0.33333333333h", "3650d",
                           "315359999.999999999"}) {
    const absl::Duration interval = ParseTimeInterval(text).value();
    EXPECT_EQ(ParseTimeInterval(TimeIntervalText(interval)).value(), interval) << TimeIntervalText(interval);
  }
}

TEST(ByteSize, TakesUnits) {
  EXPECT_EQ(ParseByteSize("12").value(), 12u);
  EXPECT_EQ(ParseByteSize("256KB").value(), 256u << 10);
  EXPECT_EQ(ParseByteSize("10mb").value(), 10u << 20);
  EXPECT_EQ(ParseByteSize("1 Gb").value(), 1u << 30);
}
TEST(ByteSize, RefusesTheRest) {
  for (const char* text : {"", "KB", "1.5MB", "-1", "1K", "1TB", "1 000", "1B"}) {
    EXPECT_FALSE(ParseByteSize(text).ok()) << text;
  }
  EXPECT_EQ(Message(ParseByteSize("1TB")),
            "\"1TB\" is not a size in bytes; write decimal digits and KB, MB or GB, such as 10MB, or bytes without a "
            "unit");
}
TEST(ByteSize, RefusesOverflow) {
  EXPECT_EQ(ParseByteSize("8589934591GB").value(), uint64_t{8589934591} << 30);
  EXPECT_FALSE(ParseByteSize("8589934592GB").ok());
  EXPECT_FALSE(ParseByteSize("18446744073709551616").ok());
}

}  // namespace
}  // namespace zrs::config
