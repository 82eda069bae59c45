#include "filestorage/timestamp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "tests/support/encode.h"

namespace zrs::filestorage {
namespace {

struct Example {
  absl::CivilSecond second;
  int nanoseconds;
  Tid tid;
  const char* text;
};

// Tids and texts as persistent.TimeStamp gave them: TimeStamp(y, m, d, h, min, s).raw().hex() and str(), here
// as RFC 3339.
const Example kExamples[] = {
    {absl::CivilSecond(1900, 1, 1, 0, 0, 0), 0, 0x0000000000000000, "1900-01-01T00:00:00.000000Z"},
    {absl::CivilSecond(1970, 1, 1, 0, 0, 0), 0, 0x023c2b0000000000, "1970-01-01T00:00:00.000000Z"},
    {absl::CivilSecond(2000, 2, 29, 12, 0, 0), 500'000'000, 0x0332b0b002222222, "2000-02-29T12:00:00.500000Z"},
    {absl::CivilSecond(2024, 5, 1, 12, 30, 0), 250'000'000, 0x03f84a6e01111111, "2024-05-01T12:30:00.250000Z"},
    {absl::CivilSecond(1999, 12, 31, 23, 59, 59), 999'999'000, 0x033161ffffffffb8, "1999-12-31T23:59:59.999999Z"},
    {absl::CivilSecond(2024, 1, 2, 3, 4, 5), 678'901'000, 0x03f59458183adfcf, "2024-01-02T03:04:05.678901Z"},
    {absl::CivilSecond(2025, 11, 22, 16, 14, 17), 123'456'000, 0x0405042e490f6155, "2025-11-22T16:14:17.123456Z"},
    {absl::CivilSecond(2038, 1, 19, 3, 14, 8), 0, 0x0468630222222222, "2038-01-19T03:14:08.000000Z"},
    {absl::CivilSecond(2024, 12, 31, 23, 59, 59), 0, 0x03fdba7ffbbbbbbb, "2024-12-31T23:59:59.000000Z"},
};

absl::Time TimeOf(const Example& example) {
  return absl::FromCivil(example.second, absl::UTCTimeZone()) + absl::Nanoseconds(example.nanoseconds);
}

TEST(TimestampTest, TidsAreThoseOfZodb) {
  for (const Example& example : kExamples) {
    EXPECT_EQ(tests::TidFromTime(TimeOf(example)).value(), example.tid) << example.text;
  }
}

TEST(TimestampTest, TimesAreThoseOfZodbWithinATidsUnit) {
  for (const Example& example : kExamples) {
    const absl::Time time = TimeFromTid(example.tid).value();
    EXPECT_LE(time, TimeOf(example)) << example.text;
    EXPECT_GT(time, TimeOf(example) - absl::Nanoseconds(14)) << example.text;
  }
}

TEST(TimestampTest, TextIsThatOfZodb) {
  for (const Example& example : kExamples) EXPECT_EQ(Rfc3339FromTid(example.tid).value(), example.text);
}

TEST(TimestampTest, EveryPossibleTidIsReadBack) {
  std::mt19937_64 random(20240501);  // NOLINT: the same numbers each time
  int possible = 0;
  for (int i = 0; i < 200'000; ++i) {
    // From 1900 to 2900, where the tids of real databases are and more.
    const Tid tid = random() % (uint64_t{1000 * 12 * 31 * 24 * 60} << 32);
    const absl::StatusOr<absl::Time> time = TimeFromTid(tid);
    if (!time.ok()) continue;
    ++possible;
    ASSERT_EQ(tests::TidFromTime(*time).value(), tid) << *time;
  }
  EXPECT_GT(possible, 190'000);
}

TEST(TimestampTest, ADayThatNoMonthHasIsRefused) {
  const Tid february_30 = Tid{((uint64_t{2024 - 1900} * 12 + 1) * 31 + 29) * 24 * 60} << 32;
  const Tid june_31 = Tid{((uint64_t{2024 - 1900} * 12 + 5) * 31 + 30) * 24 * 60} << 32;
  for (const Tid tid : {february_30, june_31}) {
    EXPECT_TRUE(absl::IsInvalidArgument(TimeFromTid(tid).status()));
    EXPECT_TRUE(absl::IsInvalidArgument(Rfc3339FromTid(tid).status()));
  }
  EXPECT_THAT(TimeFromTid(february_30).status().message(), testing::HasSubstr("month 2 of 2024 has no day 30"));
}

TEST(TimestampTest, February29IsThereInLeapYearsOnly) {
  const auto february_29 = [](uint64_t year) { return Tid{((((year - 1900) * 12 + 1) * 31 + 28) * 24 * 60)} << 32; };
  EXPECT_TRUE(TimeFromTid(february_29(2024)).ok());
  EXPECT_FALSE(TimeFromTid(february_29(2023)).ok());
  EXPECT_FALSE(TimeFromTid(february_29(1900)).ok());
}

TEST(TimestampTest, TheLargestTidIsATime) {
  EXPECT_EQ(Rfc3339FromTid(~Tid{0}).value(), "9917-10-14T04:16:00.000000Z");
  EXPECT_EQ(tests::TidFromTime(TimeFromTid(~Tid{0}).value()).value(), ~Tid{0});
}

TEST(TimestampTest, TimesBefore1900AreRefused) {
  const absl::Time time = absl::FromCivil(absl::CivilSecond(1899, 12, 31, 23, 59, 59), absl::UTCTimeZone());
  EXPECT_TRUE(absl::IsInvalidArgument(tests::TidFromTime(time).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(tests::TidFromTime(absl::InfinitePast()).status()));
}

TEST(TimestampTest, TimesPastTheLastTidAreRefused) {
  const absl::Time last = absl::FromCivil(absl::CivilSecond(9917, 10, 14, 4, 15, 59), absl::UTCTimeZone());
  EXPECT_TRUE(tests::TidFromTime(last).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(tests::TidFromTime(last + absl::Seconds(1)).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(tests::TidFromTime(absl::InfiniteFuture()).status()));
}

}  // namespace
}  // namespace zrs::filestorage
