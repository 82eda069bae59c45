#include "sidecar/config/values.h"

#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "sidecar/config/white_space.h"
#include "sidecar/text/printable.h"

namespace zrs::config {
namespace {

using text::Quoted;

constexpr int kFractionDigits = 9;
constexpr int64_t kLongestIntervalDays = 3650;
constexpr uint32_t kOwnerReadsAndWrites = 0600;

constexpr std::pair<absl::string_view, uint64_t> kByteUnits[] = {
    {"kb", uint64_t{1} << 10}, {"mb", uint64_t{1} << 20}, {"gb", uint64_t{1} << 30}};
constexpr std::pair<absl::string_view, int64_t> kTimeUnits[] = {  // in milliseconds
    {"ms", 1},
    {"s", 1000},
    {"m", 60'000},
    {"h", 3'600'000},
    {"d", 86'400'000}};

absl::Status NotA(absl::string_view what, absl::string_view text, absl::string_view remedy) {
  const bool comment = absl::StrContains(text, "#");
  return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " is not ", what, "; ", remedy,
                                                 comment ? " (a comment stands on a line of its own)" : ""));
}

bool AllDigits(absl::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return false;
  }
  return !text.empty();
}

// Decimal digits only; nothing when there is something else, or too much of it.
std::optional<uint64_t> Digits(absl::string_view text) {
  uint64_t value = 0;
  if (!AllDigits(text) || !absl::SimpleAtoi(text, &value)) return std::nullopt;
  return value;
}

// "12", "1.5", ".5": whole seconds, and nanoseconds.
struct Decimal {
  uint64_t whole = 0;
  int64_t billionths = 0;
};
std::optional<Decimal> ParseDecimal(absl::string_view text) {
  const size_t point = text.find('.');
  const absl::string_view whole = text.substr(0, point);
  Decimal result;
  if (!whole.empty() || point == absl::string_view::npos) {
    const std::optional<uint64_t> value = Digits(whole);
    if (!value) return std::nullopt;
    result.whole = *value;
  }
  if (point == absl::string_view::npos) return result;
  const absl::string_view fraction = text.substr(point + 1);
  if (!AllDigits(fraction)) return std::nullopt;
  for (size_t i = 0; i < kFractionDigits; ++i) {
    result.billionths = result.billionths * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  }
  return result;
}

}  // namespace

absl::StatusOr<bool> ParseBoolean(absl::string_view text) {
  const std::string lower = absl::AsciiStrToLower(text);
  if (lower == "on" || lower == "yes" || lower == "true") return true;
  if (lower == "off" || lower == "no" || lower == "false") return false;
  return NotA("a boolean", text, "write on, yes or true, or off, no or false");
}

absl::StatusOr<int64_t> ParseInteger(absl::string_view text) {
  absl::string_view digits = text;
  if (!absl::ConsumePrefix(&digits, "-")) absl::ConsumePrefix(&digits, "+");
  int64_t value = 0;
  if (!AllDigits(digits)) return NotA("an integer", text, "write decimal digits");
  if (!absl::SimpleAtoi(text, &value)) return NotA("an integer of 64 bits", text, "write a smaller one");
  return value;
}

absl::StatusOr<absl::Duration> ParseTimeInterval(absl::string_view text) {
  constexpr absl::string_view kRemedy = "write a number and ms, s, m, h or d, such as 500ms, 30s or 5m";
  const std::string lower = absl::AsciiStrToLower(text);
  absl::string_view number = lower;
  int64_t milliseconds = 1000;
  for (const auto& [suffix, factor] : kTimeUnits) {
    if (!absl::ConsumeSuffix(&number, suffix)) continue;
    milliseconds = factor;
    break;
  }
  const std::optional<Decimal> decimal = ParseDecimal(StripEnd(number));
  if (!decimal) return NotA("a time interval", text, kRemedy);
  if (decimal->whole > static_cast<uint64_t>(std::numeric_limits<int32_t>::max()) * 1000) {
    return NotA("a time interval of less than ten years", text, kRemedy);
  }
  const absl::Duration unit = absl::Milliseconds(milliseconds);
  const absl::Duration result =
      unit * static_cast<int64_t>(decimal->whole) + absl::Nanoseconds(decimal->billionths) * milliseconds / 1000;
  if (result > absl::Hours(24 * kLongestIntervalDays)) {
    return NotA("a time interval of less than ten years", text, kRemedy);
  }
  return absl::Trunc(result, absl::Nanoseconds(1));
}

std::string TimeIntervalText(absl::Duration interval) {
  if (interval == absl::ZeroDuration()) return "0";
  absl::Duration fraction;
  const int64_t seconds = absl::IDivDuration(interval, absl::Seconds(1), &fraction);
  std::string text = absl::StrFormat("%d.%09ds", seconds, absl::ToInt64Nanoseconds(fraction));
  for (const auto& [suffix, milliseconds] : kTimeUnits) {
    absl::Duration rest;
    const int64_t whole = absl::IDivDuration(interval, absl::Milliseconds(milliseconds), &rest);
    if (rest == absl::ZeroDuration()) text = absl::StrCat(whole, suffix);
  }
  return text;
}

absl::StatusOr<uint32_t> ParseMode(absl::string_view text) {
  constexpr absl::string_view kRemedy = "write three octal digits, such as 640";
  uint32_t mode = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '7' || mode > 0777) return NotA("permissions in octal", text, kRemedy);
    mode = mode * 8 + static_cast<uint32_t>(digit - '0');
  }
  if (text.empty() || mode > 0777) return NotA("permissions in octal", text, kRemedy);
  if ((mode & kOwnerReadsAndWrites) == kOwnerReadsAndWrites) return mode;
  return absl::InvalidArgumentError(absl::StrCat("with ", Quoted(text), " the owner could not read and write; write ",
                                                 absl::StrFormat("%03o", mode | kOwnerReadsAndWrites)));
}

absl::StatusOr<uint64_t> ParseByteSize(absl::string_view text) {
  constexpr absl::string_view kRemedy = "write decimal digits and KB, MB or GB, such as 10MB, or bytes without a unit";
  const std::string lower = absl::AsciiStrToLower(text);
  absl::string_view number = lower;
  uint64_t factor = 1;
  for (const auto& [suffix, bytes] : kByteUnits) {
    if (!absl::ConsumeSuffix(&number, suffix)) continue;
    factor = bytes;
    break;
  }
  const std::optional<uint64_t> value = Digits(StripEnd(number));
  if (!value) return NotA("a size in bytes", text, kRemedy);
  if (*value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) / factor) {
    return NotA("a size that fits 64 bits", text, kRemedy);
  }
  return *value * factor;
}

std::string ByteSizeText(uint64_t size) {
  std::string text = absl::StrCat(size);
  for (const auto& [suffix, bytes] : kByteUnits) {
    if (size > 0 && size % bytes == 0) text = absl::StrCat(size / bytes, absl::AsciiStrToUpper(suffix));
  }
  return text;
}

}  // namespace zrs::config
