// White space as Python's str.strip and the regular expression \s take it, because that is what ZConfig uses. Pure
// functions; any thread.
#ifndef ZRS_SIDECAR_CONFIG_WHITE_SPACE_H_
#define ZRS_SIDECAR_CONFIG_WHITE_SPACE_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace zrs::config {

// The length in bytes of the white-space character that begins at text[at]; 0 where there is none. Well-formed UTF-8.
size_t SpaceAt(absl::string_view text, size_t at);

// `text` without white space at its ends. Well-formed UTF-8.
absl::string_view Strip(absl::string_view text);
absl::string_view StripEnd(absl::string_view text);

// The part of `text` before its first white space, and what follows that white space ("" when nothing does).
struct WordAndRest {
  absl::string_view word;
  absl::string_view rest;
};
WordAndRest SplitWord(absl::string_view text);

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_WHITE_SPACE_H_
