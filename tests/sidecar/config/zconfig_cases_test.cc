// The parser against what the real ZConfig makes of the same inputs: zconfig_cases.txt, in the format that
// check_zconfig_cases.py describes.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sidecar/config/zconfig.h"
#include "tests/sidecar/config/test_environment.h"

namespace zrs::config {
namespace {

constexpr char kDirectory[] = "/etc/";

struct Case {
  std::string name;
  std::map<std::string, std::string> files;
  std::string expected;
};

void AppendUtf8(unsigned long c, std::string* text) {
  if (c < 0x80) {
    text->push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    text->push_back(static_cast<char>(0xC0 | c >> 6));
    text->push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else {
    text->push_back(static_cast<char>(0xE0 | c >> 12));
    text->push_back(static_cast<char>(0x80 | (c >> 6 & 0x3F)));
    text->push_back(static_cast<char>(0x80 | (c & 0x3F)));
  }
}

std::string Decode(absl::string_view text) {
  static constexpr absl::string_view kNames = "trvf\\";
  static constexpr absl::string_view kCharacters = "\t\r\v\f\\";
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      result.push_back(text[i]);
    } else if (text[i + 1] == 'u') {
      AppendUtf8(std::strtoul(std::string(text.substr(i + 2, 4)).c_str(), nullptr, 16), &result);
      i += 5;
    } else {
      result.push_back(kCharacters[kNames.find(text[++i])]);
    }
  }
  return result;
}

Case ReadCase(absl::string_view text) {
  Case result;
  std::string* current = nullptr;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (current == nullptr) {
      result.name = std::string(line);
      current = &result.files[absl::StrCat(kDirectory, "main.conf")];
    } else if (absl::ConsumePrefix(&line, "--- file ")) {
      current = &result.files[absl::StrCat(kDirectory, line)];
    } else if (line == "--- expect") {
      current = &result.expected;
    } else if (current != &result.expected || !line.empty()) {
      absl::StrAppend(current, Decode(line), "\n");
    }
  }
  return result;
}

std::vector<Case> ReadCases() {
  const std::string text = ReadTestData("tests/sidecar/config/zconfig_cases.txt");
  std::vector<Case> cases;
  bool first = true;
  for (const absl::string_view part : absl::StrSplit(text, "\n=== ")) {
    if (!first) cases.push_back(ReadCase(part));
    first = false;
  }
  return cases;
}

std::string Place(const Location& location) {
  // Names of included files are made of the including one's and their own.
  std::string text = std::filesystem::path(location.ToString()).lexically_normal().string();
  return std::string(absl::StripPrefix(text, kDirectory));
}

void Dump(const Section& section, const std::string& indent, std::string* text) {
  for (const Key& key : section.keys) {
    absl::StrAppend(text, indent, key.name, " [", key.value, "] ", Place(key.location), "\n");
  }
  for (const Section& inner : section.sections) {
    absl::StrAppend(text, indent, "<", inner.type, inner.name.empty() ? "" : " ", inner.name, "> ",
                    Place(inner.location), "\n");
    Dump(inner, indent + "  ", text);
  }
}

std::string Answer(const Case& a_case) {
  TestWorld world;
  world.files = a_case.files;
  world.variables = {{"HOME", "/home/zope"}, {"EMPTY", ""}, {"Mixed", "case"}, {"DOLLAR", "$HOME"}};
  const Environment environment = MakeEnvironment(world);
  const absl::StatusOr<Section> root =
      ParseZConfig(absl::StrCat(kDirectory, "main.conf"), environment.read_file, environment.get_environment);
  std::string text;
  if (root.ok()) {
    Dump(*root, "", &text);
  } else {
    const std::string message(root.status().message());
    absl::StrAppend(&text, "error ", absl::StripPrefix(message.substr(0, message.find(": ")), kDirectory), "\n");
  }
  return text;
}

class ZConfigCases : public testing::TestWithParam<Case> {};

TEST_P(ZConfigCases, AsTheRealOne) { EXPECT_EQ(Answer(GetParam()), GetParam().expected); }

INSTANTIATE_TEST_SUITE_P(All, ZConfigCases, testing::ValuesIn(ReadCases()),
                         [](const auto& parameter) { return parameter.param.name; });

TEST(ZConfigCasesFile, IsWhole) { EXPECT_GE(ReadCases().size(), 95u); }

}  // namespace
}  // namespace zrs::config
