#include "sidecar/admin/screen_lines.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "sidecar/text/printable.h"

namespace zrs::admin {
namespace {

constexpr size_t kFewestColumns = 40;
constexpr size_t kTextColumn = 15;

std::string Label(absl::string_view label) { return absl::StrFormat("  %-*s", kTextColumn - 2, label); }

}  // namespace

ScreenLines::ScreenLines(size_t columns) : columns_(std::max(columns, kFewestColumns)) {}

void ScreenLines::Add(absl::string_view line) { absl::StrAppend(&text_, line, "\n"); }

void ScreenLines::Add(absl::string_view label, absl::string_view text) {
  std::string line = Label(label);
  bool empty = true;
  for (const absl::string_view word : absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
    if (!empty && line.size() + 1 + word.size() > columns_) {
      Add(line);
      line = Label("");
      empty = true;
    }
    absl::StrAppend(&line, empty ? "" : " ", text::Clean(word));
    empty = false;
  }
  Add(absl::StripTrailingAsciiWhitespace(line));
}

void ScreenLines::AddTable(absl::string_view label, const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (size_t row = 0; row < rows.size(); ++row) {
    std::string line = Label(row == 0 ? label : "");
    for (size_t i = 0; i < rows[row].size(); ++i) {
      absl::StrAppendFormat(&line, "%-*s  ", widths[i], text::Clean(rows[row][i]));
    }
    Add(absl::StripTrailingAsciiWhitespace(line));
  }
}

}  // namespace zrs::admin
