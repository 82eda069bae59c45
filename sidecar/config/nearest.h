// Which known name was probably meant.
#ifndef ZRS_SIDECAR_CONFIG_NEAREST_H_
#define ZRS_SIDECAR_CONFIG_NEAREST_H_

#include <cstddef>
#include <span>

#include "absl/strings/string_view.h"

namespace zrs::config {

// The least number of insertions, deletions, replacements and swaps of neighbouring bytes that turns one into the
// other.
size_t EditDistance(absl::string_view a, absl::string_view b);

// The one of `known` that is nearest to `name` (the first of several); "" when none is within a third of its length, or
// one edit.
absl::string_view Nearest(absl::string_view name, std::span<const absl::string_view> known);

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_NEAREST_H_
