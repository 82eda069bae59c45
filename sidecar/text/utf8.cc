#include "sidecar/text/utf8.h"

namespace zrs::text {
namespace {

// A character of `length` bytes, whose code point is at least `least`: a smaller one has a shorter form.
Character Multibyte(absl::string_view text, size_t length, uint32_t least) {
  if (text.size() < length) return {};
  uint32_t value = static_cast<unsigned char>(text[0]) & (0xFFu >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80) return {};
    value = value << 6 | (byte & 0x3Fu);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < least || value > 0x10FFFF || surrogate) return {};
  return {value, length};
}

}  // namespace

Character FirstCharacter(absl::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return {first, 1};
  if (first >= 0xF0 && first < 0xF8) return Multibyte(text, 4, 0x10000);
  if (first >= 0xE0 && first < 0xF0) return Multibyte(text, 3, 0x800);
  if (first >= 0xC0 && first < 0xE0) return Multibyte(text, 2, 0x80);
  return {};
}

bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    const size_t length = FirstCharacter(text).length;
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace zrs::text
