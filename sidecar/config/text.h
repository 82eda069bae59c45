// What the grammar needs to know about text: UTF-8, and white space as Python's str.strip and the regular expression \s
// take it, because that is what ZConfig uses.
#ifndef ZRS_SIDECAR_CONFIG_TEXT_H_
#define ZRS_SIDECAR_CONFIG_TEXT_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace zrs::config {

// Whether `text` is well-formed UTF-8 (no overlong forms, no surrogates).
bool IsUtf8(absl::string_view text);

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

// `text` for a message: printable, at most about 120 bytes of it. Quoted puts it into double quotes.
std::string Printable(absl::string_view text);
std::string Quoted(absl::string_view text);

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_TEXT_H_
