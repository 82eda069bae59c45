#include "sidecar/admin/human_units.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "absl/strings/str_format.h"

namespace zrs::admin {

std::string HumanBytes(double bytes) {
  constexpr std::array kUnits = {"kB", "MB", "GB", "TB", "PB"};
  // What would be printed as 1000 or more belongs to the next unit.
  constexpr double kMostInBytes = 999.5;
  constexpr double kMostInUnit = 999.95;
  bytes = std::max(bytes, 0.0);
  if (bytes < kMostInBytes) return absl::StrFormat("%.0f B", bytes);
  size_t unit = 0;
  for (bytes /= 1000; bytes >= kMostInUnit && unit + 1 < kUnits.size(); ++unit) bytes /= 1000;
  return absl::StrFormat("%.1f %s", bytes, kUnits[unit]);
}

std::string HumanDuration(absl::Duration duration) {
  const double seconds = std::max(absl::ToDoubleSeconds(duration), 0.0);
  if (seconds < 0.0005) return "0 s";
  if (seconds < 0.9995) return absl::StrFormat("%.0f ms", seconds * 1000);
  if (seconds < 9.95) return absl::StrFormat("%.1f s", seconds);
  if (seconds < 119.5) return absl::StrFormat("%.0f s", seconds);
  const double minutes = seconds / 60;
  if (minutes < 119.5) return absl::StrFormat("%.0f min", minutes);
  const double hours = minutes / 60;
  if (hours < 47.5) return absl::StrFormat("%.0f h", hours);
  return absl::StrFormat("%.0f days", hours / 24);
}

}  // namespace zrs::admin
