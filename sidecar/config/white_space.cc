#include "sidecar/config/white_space.h"

#include <cstdint>

#include "sidecar/text/utf8.h"

namespace zrs::config {
namespace {

bool Continues(absl::string_view text, size_t at) { return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80; }

// str.isspace() of Python 3.
bool IsSpace(uint32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

}  // namespace

size_t SpaceAt(absl::string_view text, size_t at) {
  if (at >= text.size()) return 0;
  const text::Character c = text::FirstCharacter(text.substr(at));
  return c.length != 0 && IsSpace(c.code_point) ? c.length : 0;
}

absl::string_view StripEnd(absl::string_view text) {
  while (!text.empty()) {
    size_t last = text.size() - 1;
    while (last > 0 && Continues(text, last)) --last;
    if (SpaceAt(text, last) == 0) break;
    text = text.substr(0, last);
  }
  return text;
}

absl::string_view Strip(absl::string_view text) {
  while (const size_t length = SpaceAt(text, 0)) text.remove_prefix(length);
  return StripEnd(text);
}

WordAndRest SplitWord(absl::string_view text) {
  size_t end = 0;
  while (end < text.size() && SpaceAt(text, end) == 0) ++end;
  WordAndRest result{text.substr(0, end), text.substr(end)};
  while (const size_t length = SpaceAt(result.rest, 0)) result.rest.remove_prefix(length);
  return result;
}

}  // namespace zrs::config
