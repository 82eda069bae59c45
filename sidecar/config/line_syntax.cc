#include "sidecar/config/line_syntax.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "sidecar/config/white_space.h"

namespace zrs::config {
namespace {

// ZConfig's names: [^\s()]+
size_t NameLength(absl::string_view text) {
  size_t end = 0;
  while (end < text.size() && text[end] != '(' && text[end] != ')' && SpaceAt(text, end) == 0) ++end;
  return end;
}

}  // namespace

std::optional<KeyAndValue> SplitKeyValue(absl::string_view line) {
  const size_t length = NameLength(line);
  if (length == 0) return std::nullopt;
  return KeyAndValue{line.substr(0, length), Strip(line.substr(length))};
}

std::optional<SectionHeader> ParseSectionHeader(absl::string_view inside) {
  SectionHeader header;
  header.closed = absl::EndsWith(inside, "/");
  if (header.closed) inside.remove_suffix(1);
  inside = StripEnd(inside);
  const size_t type_length = NameLength(inside);
  if (type_length == 0) return std::nullopt;
  header.type = absl::AsciiStrToLower(inside.substr(0, type_length));
  const absl::string_view rest = inside.substr(type_length);
  if (rest.empty()) return header;
  const absl::string_view name = Strip(rest);
  // The type and the name are apart, and the name is all that follows.
  if (name.size() == rest.size() || NameLength(name) != name.size()) return std::nullopt;
  header.name = absl::AsciiStrToLower(name);
  return header;
}

}  // namespace zrs::config
