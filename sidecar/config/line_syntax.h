// The two shapes of a line with content: "key value" and the inside of "<type name/>".
#ifndef ZRS_SIDECAR_CONFIG_LINE_SYNTAX_H_
#define ZRS_SIDECAR_CONFIG_LINE_SYNTAX_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace zrs::config {

struct KeyAndValue {
  absl::string_view key;
  absl::string_view value;  // "" where there is none
};
// From a stripped line. Nothing when it begins with a parenthesis, or is empty. A key ends at white space or at a
// parenthesis, which is then part of the value.
std::optional<KeyAndValue> SplitKeyValue(absl::string_view line);

struct SectionHeader {
  std::string type;     // lower case
  std::string name;     // lower case; "" where it has none
  bool closed = false;  // "<type/>"
};
// From what stands between '<' and '>'. Nothing when it is malformed.
std::optional<SectionHeader> ParseSectionHeader(absl::string_view inside);

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_LINE_SYNTAX_H_
