#include "sidecar/config/substitution.h"

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sidecar/text/printable.h"
#include "sidecar/text/utf8.h"

namespace zrs::config {
namespace {

using text::Escaped;
using text::IsUtf8;

constexpr absl::string_view kWriteTwo = "write $$ for a dollar sign";

bool BeginsName(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool ContinuesName(char c) { return BeginsName(c) || absl::ascii_isdigit(static_cast<unsigned char>(c)); }

absl::string_view LeadingName(absl::string_view text) {
  if (text.empty() || !BeginsName(text[0])) return {};
  size_t end = 1;
  while (end < text.size() && ContinuesName(text[end])) ++end;
  return text.substr(0, end);
}

struct Reference {
  std::string name;  // as written; empty: a literal dollar sign
  bool environment = false;
  size_t length = 0;  // bytes of the text that the reference takes, from its dollar sign
};

// `text` begins with '$'.
absl::StatusOr<Reference> ParseReference(absl::string_view text, const Location& at) {
  if (text.size() == 1) return ErrorAt(at, "a lone '$' at the end", kWriteTwo);
  if (text[1] == '$') return Reference{"", false, 2};
  const bool brace = text[1] == '{';
  const bool parenthesis = text[1] == '(';
  if (!brace && !parenthesis) {
    const absl::string_view name = LeadingName(text.substr(1));
    if (name.empty()) return ErrorAt(at, "'$' is not followed by '$' or a name", kWriteTwo);
    return Reference{std::string(name), false, 1 + name.size()};
  }
  const absl::string_view opening = brace ? "${" : "$(";
  const absl::string_view closing = brace ? "}" : ")";
  const absl::string_view name = LeadingName(text.substr(2));
  if (name.empty()) return ErrorAt(at, absl::StrCat("'", opening, "' is not followed by a name"), kWriteTwo);
  if (!absl::StartsWith(text.substr(2 + name.size()), closing)) {
    return ErrorAt(at, absl::StrCat("'", opening, Escaped(name), "' is not followed by '", closing, "'"),
                   absl::StrCat("write ", opening, "NAME", closing));
  }
  return Reference{std::string(name), parenthesis, 3 + name.size()};
}

absl::StatusOr<std::string> Replacement(const Reference& reference, const Definitions& definitions,
                                        const GetEnvironment& environment, const Location& at) {
  if (reference.name.empty()) return "$";
  if (reference.environment) {
    if (const std::optional<std::string> value = environment(reference.name)) return *value;
    return ErrorAt(
        at, absl::StrCat("no replacement for $(", Escaped(reference.name), "): the environment has no such variable"),
        "set it in the environment of zrs, or write the value itself");
  }
  const auto found = definitions.find(absl::AsciiStrToLower(reference.name));
  if (found != definitions.end()) return found->second;
  return ErrorAt(
      at, absl::StrCat("no replacement for $", Escaped(reference.name), ": nothing of that name is defined above"),
      absl::StrCat("add \"%define ", Escaped(reference.name), " VALUE\" above this line, or ", kWriteTwo));
}

}  // namespace

bool IsDefinitionName(absl::string_view name) { return !name.empty() && LeadingName(name) == name; }

absl::StatusOr<std::string> Substitute(absl::string_view text, const Definitions& definitions,
                                       const GetEnvironment& environment, size_t most, const Location& at) {
  std::string result;
  while (!text.empty()) {
    const size_t dollar = text.find('$');
    absl::StrAppend(&result, text.substr(0, dollar));
    if (dollar != absl::string_view::npos) {
      text.remove_prefix(dollar);
      absl::StatusOr<Reference> reference = ParseReference(text, at);
      if (!reference.ok()) return reference.status();
      absl::StatusOr<std::string> replacement = Replacement(*reference, definitions, environment, at);
      if (!replacement.ok()) return replacement.status();
      absl::StrAppend(&result, *replacement);
      text.remove_prefix(reference->length);
    } else {
      text = {};
    }
    if (result.size() > most) {
      return ErrorAt(at, absl::StrCat("the value is longer than ", most, " bytes once its references are replaced"),
                     "define shorter values");
    }
  }
  if (!IsUtf8(result)) {
    return ErrorAt(at, "the value is not UTF-8 once its references are replaced",
                   "use UTF-8 in the environment variable");
  }
  return result;
}

}  // namespace zrs::config
