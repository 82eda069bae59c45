#include "sidecar/config/text.h"

#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace zrs::config {
namespace {

constexpr size_t kPrintableMost = 120;

struct CodePoint {
  uint32_t value = 0;
  size_t length = 0;  // 0: malformed
};

bool Continues(absl::string_view text, size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

CodePoint Multibyte(absl::string_view text, size_t at, size_t length, uint32_t least) {
  uint32_t value = static_cast<unsigned char>(text[at]) & (0xFFu >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if (!Continues(text, at + i)) return {};
    value = value << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3Fu);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < least || value > 0x10FFFF || surrogate) return {};
  return {value, length};
}

CodePoint Decode(absl::string_view text, size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return {first, 1};
  if (first >= 0xF0 && first < 0xF8) return Multibyte(text, at, 4, 0x10000);
  if (first >= 0xE0 && first < 0xF0) return Multibyte(text, at, 3, 0x800);
  if (first >= 0xC0 && first < 0xE0) return Multibyte(text, at, 2, 0x80);
  return {};
}

// str.isspace() of Python 3.
bool IsSpace(uint32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

}  // namespace

bool IsUtf8(absl::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const size_t length = Decode(text, at).length;
    if (length == 0) return false;
    at += length;
  }
  return true;
}

size_t SpaceAt(absl::string_view text, size_t at) {
  if (at >= text.size()) return 0;
  const CodePoint c = Decode(text, at);
  return c.length != 0 && IsSpace(c.value) ? c.length : 0;
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

std::string Printable(absl::string_view text) {
  if (text.size() <= kPrintableMost) return absl::Utf8SafeCEscape(text);
  size_t end = kPrintableMost;
  while (end > 0 && Continues(text, end)) --end;
  return absl::StrCat(absl::Utf8SafeCEscape(text.substr(0, end)), "...");
}

std::string Quoted(absl::string_view text) { return absl::StrCat("\"", Printable(text), "\""); }

}  // namespace zrs::config
