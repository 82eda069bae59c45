#include "sidecar/config/zconfig_parser.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sidecar/config/line_syntax.h"
#include "sidecar/config/nearest.h"
#include "sidecar/config/white_space.h"
#include "sidecar/text/printable.h"
#include "sidecar/text/utf8.h"

namespace zrs::config {
namespace {

using text::Escaped;
using text::IsUtf8;
using text::Quoted;

// For recognising a file that includes itself; symbolic links are caught by the depth.
std::string Normal(const std::string& path) { return std::filesystem::path(path).lexically_normal().string(); }

}  // namespace

absl::StatusOr<Section> ZConfigParser::Parse(const std::string& path) {
  Section root;
  root.location.file = std::make_shared<const std::string>(path);
  open_.push_back(std::move(root));
  if (absl::Status status = ParseFile(path, nullptr); !status.ok()) return status;
  return std::move(open_.front());
}

absl::StatusOr<std::string> ZConfigParser::Read(const std::string& path, const Location* included_at) {
  absl::StatusOr<std::string> text = read_file_(path);
  if (text.ok()) return text;
  if (included_at != nullptr) {
    return ErrorAt(*included_at, absl::StrCat("cannot include ", path, ": ", text.status().message()),
                   "name a file that exists; a relative name is relative to the file that includes it");
  }
  const bool missing = absl::IsNotFound(text.status());
  return absl::Status(text.status().code(),
                      absl::StrCat(path, ": cannot read the configuration: ", text.status().message(),
                                   missing ? "; create it, or name another one" : "; mend that, or name another one"));
}

absl::Status ZConfigParser::CheckText(const std::shared_ptr<const std::string>& file, absl::string_view text) {
  const Location whole{file, 0};
  bytes_read_ += text.size();
  if (text.size() > kMostFileBytes || bytes_read_ > kMostBytes) {
    return ErrorAt(
        whole,
        absl::StrCat("more than ", kMostFileBytes, " bytes in one file, or ", kMostBytes, " with all it includes"),
        "this is hardly a configuration: name another file");
  }
  const size_t null = text.find('\0');
  if (null != absl::string_view::npos) {
    const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(null), '\n') + 1;
    return ErrorAt({file, static_cast<int>(line)}, "a NUL byte", "write the configuration as plain text");
  }
  if (!IsUtf8(text)) return ErrorAt(whole, "not UTF-8 text", "save the file in the encoding UTF-8");
  if (absl::StartsWith(text, "\xEF\xBB\xBF")) {
    return ErrorAt({file, 1}, "a byte order mark", "save the file as UTF-8 without a byte order mark");
  }
  return absl::OkStatus();
}

absl::Status ZConfigParser::ParseFile(const std::string& path, const Location* included_at) {
  absl::StatusOr<std::string> text = Read(path, included_at);
  if (!text.ok()) return text.status();
  ++files_read_;
  auto file = std::make_shared<const std::string>(path);
  if (absl::Status status = CheckText(file, *text); !status.ok()) return status;

  files_.push_back(Normal(path));
  const size_t floor = open_.size();
  Location at{file, 0};
  absl::string_view rest = *text;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    ++at.line;
    if (absl::Status status = ParseLine(Strip(rest.substr(0, end)), at, floor); !status.ok()) return status;
    rest = end == absl::string_view::npos ? absl::string_view() : rest.substr(end + 1);
  }
  if (open_.size() > floor) {
    const Section& section = open_.back();
    return ErrorAt(at, absl::StrCat("the file ends inside ", HeaderText(section), " of line ", section.location.line),
                   absl::StrCat("close it with </", Escaped(section.type), ">"));
  }
  files_.pop_back();
  return absl::OkStatus();
}

absl::Status ZConfigParser::ParseLine(absl::string_view line, const Location& at, size_t floor) {
  if (line.empty() || line[0] == '#') return absl::OkStatus();
  if (absl::StartsWith(line, "</")) return CloseSection(line, at, floor);
  if (line[0] == '<') return OpenSection(line, at);
  if (line[0] == '%') return Directive(line.substr(1), at);
  return AddKey(line, at);
}

absl::Status ZConfigParser::OpenSection(absl::string_view line, const Location& at) {
  const bool complete = line.size() >= 2 && absl::EndsWith(line, ">");
  const std::optional<SectionHeader> header =
      complete ? ParseSectionHeader(line.substr(1, line.size() - 2)) : std::nullopt;
  if (!header) {
    return ErrorAt(at, absl::StrCat("malformed section start ", Quoted(line)),
                   "write <type>, <type name> or <type name/>, and nothing after it on the line");
  }
  if (open_.size() > kMostSectionDepth) {
    return ErrorAt(at, absl::StrCat("sections inside each other more than ", kMostSectionDepth, " deep"),
                   "close the sections that are meant to stand side by side");
  }
  Section section{header->type, header->name, at, {}, {}};
  if (header->closed) {
    open_.back().sections.push_back(std::move(section));
  } else {
    open_.push_back(std::move(section));
  }
  return absl::OkStatus();
}

absl::Status ZConfigParser::CloseSection(absl::string_view line, const Location& at, size_t floor) {
  if (!absl::EndsWith(line, ">")) {
    return ErrorAt(at, absl::StrCat("malformed section end ", Quoted(line)),
                   "write </type>, and nothing after it on the line");
  }
  if (open_.size() <= floor) {
    return ErrorAt(at, absl::StrCat("section end ", Quoted(line), " without a section that was opened in this file"),
                   "remove the line, or open the section above it");
  }
  const std::string type = absl::AsciiStrToLower(StripEnd(line.substr(2, line.size() - 3)));
  if (type != open_.back().type) {
    const Section& section = open_.back();
    return ErrorAt(
        at,
        absl::StrCat("section end ", Quoted(line), " inside ", HeaderText(section), " of line ", section.location.line),
        absl::StrCat("close that one first, with </", Escaped(section.type), ">"));
  }
  Section closed = std::move(open_.back());
  open_.pop_back();
  open_.back().sections.push_back(std::move(closed));
  return absl::OkStatus();
}

absl::Status ZConfigParser::AddKey(absl::string_view line, const Location& at) {
  const std::optional<KeyAndValue> pair = SplitKeyValue(line);
  if (!pair) {
    return ErrorAt(at, absl::StrCat("malformed line ", Quoted(line)), "write a key, a space and its value");
  }
  Key key{absl::AsciiStrToLower(pair->key), "", at};
  absl::StatusOr<std::string> value = Replace(pair->value, at);
  if (value.ok()) {
    key.value = *std::move(value);
  } else {
    key.error = value.status();
  }
  absl::Status status = tolerant_ ? absl::OkStatus() : key.error;
  open_.back().keys.push_back(std::move(key));
  return status;
}

absl::Status ZConfigParser::Directive(absl::string_view text, const Location& at) {
  static constexpr absl::string_view kDirectives[] = {"define", "import", "include"};
  const std::optional<KeyAndValue> pair = SplitKeyValue(text);
  const bool known = pair && std::ranges::count(kDirectives, pair->key) != 0;
  if (!known) {
    const absl::string_view name = pair ? pair->key : absl::string_view();
    const absl::string_view near = Nearest(name, kDirectives);
    return ErrorAt(
        at, absl::StrCat("unknown directive ", Quoted(absl::StrCat("%", name))),
        near.empty() ? "there are %define, %import and %include" : absl::StrCat("did you mean %", near, "?"));
  }
  if (pair->value.empty()) {
    return ErrorAt(at, absl::StrCat("%", pair->key, " without an argument"),
                   pair->key == "define"    ? "write %define NAME VALUE"
                   : pair->key == "include" ? "write %include FILE"
                                            : "write %import PACKAGE, or remove the line");
  }
  if (pair->key == "define") return Define(pair->value, at);
  if (pair->key == "include") return Include(pair->value, at);
  // The schema of a Python package: nothing here is read by it.
  return tolerant_ ? absl::OkStatus() : Replace(pair->value, at).status();
}

absl::Status ZConfigParser::Define(absl::string_view argument, const Location& at) {
  const WordAndRest parts = SplitWord(argument);
  std::string name = absl::AsciiStrToLower(parts.word);
  const auto present = definitions_.find(name);
  // The present value is a substituted one and the new one is not: a definition with references is never repeatable.
  // That is ZConfig's rule.
  if (present != definitions_.end() && present->second.ok() && *present->second != parts.rest) {
    return ErrorAt(at, absl::StrCat("cannot redefine ", Quoted(name)), "choose another name, or remove one of the two");
  }
  if (!IsDefinitionName(name)) {
    return ErrorAt(at, absl::StrCat("cannot define ", Quoted(name), ": not a name"),
                   "use a letter or underscore, then letters, digits and underscores");
  }
  absl::StatusOr<std::string> value = Replace(parts.rest, at);
  if (!value.ok() && !tolerant_) return value.status();
  definitions_.insert_or_assign(std::move(name), std::move(value));
  return absl::OkStatus();
}

absl::Status ZConfigParser::Include(absl::string_view argument, const Location& at) {
  absl::StatusOr<std::string> name = Replace(argument, at);
  if (!name.ok()) return name.status();
  const std::string stripped(Strip(*name));
  if (stripped.empty()) return ErrorAt(at, "%include of an empty name", "write %include FILE");
  if (absl::StrContains(stripped, "://") || absl::StartsWith(stripped, "package:")) {
    return ErrorAt(at, absl::StrCat("cannot include ", Quoted(stripped), ": only files are included here, no URLs"),
                   "write the path of a file");
  }
  const std::string path = (std::filesystem::path(*at.file).parent_path() / stripped).string();
  if (std::ranges::count(files_, Normal(path)) != 0) {
    return ErrorAt(at,
                   absl::StrCat("a file includes itself: ", absl::StrJoin(files_, " includes "), " includes ", path),
                   "remove this line");
  }
  if (files_.size() >= static_cast<size_t>(kMostIncludeDepth)) {
    return ErrorAt(at, absl::StrCat("files include each other more than ", kMostIncludeDepth, " deep"),
                   "look for one that includes itself by another name, or include fewer");
  }
  if (files_read_ >= kMostFiles) {
    return ErrorAt(at, absl::StrCat("more than ", kMostFiles, " files"), "include fewer files");
  }
  return ParseFile(path, &at);
}

absl::StatusOr<std::string> ZConfigParser::Replace(absl::string_view text, const Location& at) {
  absl::StatusOr<std::string> value = Substitute(text, definitions_, environment_, kMostValueBytes, at);
  if (!value.ok()) return value;
  values_bytes_ += value->size();
  if (values_bytes_ > kMostValuesBytes) {
    return ErrorAt(at, absl::StrCat("all values together are longer than ", kMostValuesBytes, " bytes"),
                   "define shorter values");
  }
  return value;
}

}  // namespace zrs::config
