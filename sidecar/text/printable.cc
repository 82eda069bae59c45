#include "sidecar/text/printable.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "sidecar/text/utf8.h"

namespace zrs::text {
namespace {

bool IsControl(uint32_t code_point) { return code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0); }

// The bytes that the first character of a text has, or its first byte that is part of none.
struct Piece {
  absl::string_view bytes;
  bool fit = false;  // for people
};

Piece FirstPiece(absl::string_view text) {
  const Character character = FirstCharacter(text);
  return {text.substr(0, std::max<size_t>(character.length, 1)),
          character.length > 0 && !IsControl(character.code_point)};
}

}  // namespace

std::string Clean(absl::string_view text, size_t limit) {
  std::string clean;
  while (!text.empty()) {
    const Piece piece = FirstPiece(text);
    if (clean.size() + piece.bytes.size() > limit) break;
    absl::StrAppend(&clean, piece.fit ? piece.bytes : "?");
    text.remove_prefix(piece.bytes.size());
  }
  return clean;
}

std::string Escaped(absl::string_view text, size_t limit) {
  std::string escaped;
  size_t taken = 0;
  while (taken < text.size()) {
    const Piece piece = FirstPiece(text.substr(taken));
    if (taken + piece.bytes.size() > limit) break;
    // CEscape knows ASCII's own; Utf8SafeCEscape would let pass what is no UTF-8, and U+0080 to U+009F.
    absl::StrAppend(&escaped,
                    piece.fit && piece.bytes.size() > 1 ? std::string(piece.bytes) : absl::CEscape(piece.bytes));
    taken += piece.bytes.size();
  }
  if (taken < text.size()) escaped += "...";
  return escaped;
}

std::string Quoted(absl::string_view text) { return absl::StrCat("\"", Escaped(text), "\""); }

absl::string_view ShownUser(absl::string_view user) { return absl::StripAsciiWhitespace(user); }

}  // namespace zrs::text
