#include "tests/support/document.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace zrs::tests {
namespace {

std::string ReadDocument(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> CellsOf(absl::string_view line) {
  line = absl::StripSuffix(absl::StripPrefix(line, "|"), "|");
  std::vector<std::string> cells;
  for (absl::string_view cell : absl::StrSplit(line, '|')) {
    cell = absl::StripAsciiWhitespace(cell);
    const bool is_code = std::count(cell.begin(), cell.end(), '`') == 2 && cell.front() == '`' && cell.back() == '`';
    cells.emplace_back(is_code ? cell.substr(1, cell.size() - 2) : cell);
  }
  return cells;
}

}  // namespace

std::vector<std::vector<std::string>> DocumentTable(const std::string& path, const std::string& name) {
  const std::string document = ReadDocument(path);
  const std::string mark = absl::StrCat("<!-- begin ", name, " -->\n");
  const size_t begin = document.find(mark);
  const size_t end = document.find(absl::StrCat("<!-- end ", name, " -->"));
  EXPECT_TRUE(begin < end && end != std::string::npos) << path << " has no table " << name;
  if (begin >= end || end == std::string::npos) return {};
  std::vector<std::vector<std::string>> rows;
  for (const absl::string_view line : absl::StrSplit(absl::string_view(document).substr(begin, end - begin), '\n')) {
    if (absl::StartsWith(line, "|")) rows.push_back(CellsOf(line));
  }
  constexpr size_t kHeadLines = 2;
  EXPECT_GT(rows.size(), kHeadLines) << path << ": the table " << name << " is empty";
  rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(std::min(rows.size(), kHeadLines)));
  return rows;
}

std::vector<std::string> DocumentedNames(const std::string& path, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& row : DocumentTable(path, name)) names.push_back(row.front());
  return names;
}

std::string DocumentBlock(const std::string& path, const std::string& language) {
  const std::string document = ReadDocument(path);
  const std::string fence = absl::StrCat("\n```", language, "\n");
  const size_t begin = document.find(fence);
  const size_t end = begin == std::string::npos ? begin : document.find("\n```\n", begin + fence.size());
  EXPECT_NE(end, std::string::npos) << path << " has no block of " << language;
  return end == std::string::npos ? "" : document.substr(begin + fence.size(), end - begin - fence.size());
}

}  // namespace zrs::tests
