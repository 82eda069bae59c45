#include "sidecar/config/nearest.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace zrs::config {

size_t EditDistance(absl::string_view a, absl::string_view b) {
  // Three rows of the table of distances between prefixes, of which the last one is for swaps.
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> above(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

absl::string_view Nearest(absl::string_view name, std::span<const absl::string_view> known) {
  absl::string_view best;
  size_t best_distance = 0;
  for (const absl::string_view candidate : known) {
    const size_t most = std::max<size_t>(1, candidate.size() / 3);
    const size_t difference =
        name.size() > candidate.size() ? name.size() - candidate.size() : candidate.size() - name.size();
    if (difference > most) continue;  // also bounds the work, whatever the length of `name`
    const size_t distance = EditDistance(name, candidate);
    if (distance > most || (!best.empty() && distance >= best_distance)) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

}  // namespace zrs::config
