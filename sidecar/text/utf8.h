// UTF-8, character by character. Pure functions; any thread.
#ifndef ZRS_SIDECAR_TEXT_UTF8_H_
#define ZRS_SIDECAR_TEXT_UTF8_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace zrs::text {

struct Character {
  uint32_t code_point = 0;
  size_t length = 0;  // in bytes, 1 to 4; 0: the bytes are no well-formed character
};

// The character that `text`, which is not empty, begins with. Overlong forms, surrogates, what lies behind U+10FFFF and
// a character that is cut off are not well-formed.
Character FirstCharacter(absl::string_view text);

// Whether `text` is well-formed throughout; the empty one is.
bool IsUtf8(absl::string_view text);

}  // namespace zrs::text

#endif  // ZRS_SIDECAR_TEXT_UTF8_H_
