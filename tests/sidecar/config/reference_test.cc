// The reference of all keys in sidecar/config/README.md is what the table of keys says.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sidecar/config/keys.h"
#include "tests/sidecar/config/test_environment.h"

namespace zrs::config {
namespace {

std::string DefaultText(const KeySpec& key) {
  if (key.required) return "required";
  return key.default_value.empty() ? std::string(key.default_words) : absl::StrCat("`", key.default_value, "`");
}

std::string SectionsText(const KeySpec& key) {
  std::vector<std::string> sections;
  for (const SectionKind kind : {kZrs, kPrimary, kSecondary}) {
    if ((key.sections & kind) != 0) sections.push_back(absl::StrCat("`<", SectionType(kind), ">`"));
  }
  return (key.sections & kStorages) == kStorages ? "all" : absl::StrJoin(sections, ", ");
}

std::string HelpText(const KeySpec& key) {
  std::string text(key.help);
  if (!key.least.empty()) absl::StrAppend(&text, " From `", key.least, "` to `", key.most, "`.");
  if (key.effect == Effect::kListening) text += " Only where followers connect to.";
  if (key.effect == Effect::kFollowing) text += " Only in a secondary.";
  if (key.effect == Effect::kPrimaryOnly) text += " Only in a primary.";
  return text;
}

std::string Table(unsigned sections, bool which_section) {
  std::string text = which_section ? "| key | in | type | default | |\n| --- | --- | --- | --- | --- |\n"
                                   : "| key | type | default | |\n| --- | --- | --- | --- |\n";
  for (const KeySpec& key : Keys()) {
    if ((key.sections & sections) == 0) continue;
    absl::StrAppend(&text, "| `", key.name, "` | ", which_section ? SectionsText(key) + " | " : "", TypeName(key.type),
                    " | ", DefaultText(key), " | ", HelpText(key), " |\n");
  }
  return text;
}

TEST(Reference, AgreesWithTheTableOfKeys) {
  const std::string expected = absl::StrCat(
      "\n### In `<zrs>`, `<primary>` and `<secondary>`\n\n", Table(kStorages, true), "\n### In `<filestorage>`\n\n",
      Table(kFileStorage, false), "\n### In `<sidecar>`\n\n", Table(kSidecar, false), "\n");
  constexpr absl::string_view kBegin = "<!-- begin keys -->\n";
  const std::string document = ReadTestData("sidecar/config/README.md");
  const size_t begin = document.find(std::string(kBegin));
  const size_t end = document.find("<!-- end keys -->");
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  EXPECT_EQ(document.substr(begin + kBegin.size(), end - begin - kBegin.size()), expected)
      << "Put this between the two marks in sidecar/config/README.md:\n"
      << expected;
}

TEST(Keys, EveryOneIsComplete) {
  for (const KeySpec& key : Keys()) {
    EXPECT_FALSE(key.help.empty()) << key.name;
    EXPECT_EQ(key.least.empty(), key.most.empty()) << key.name;
    EXPECT_EQ(key.required || !key.default_value.empty(), key.default_words.empty()) << key.name;
    EXPECT_EQ(RetiredKeyRemedy(key.name), "") << key.name;
  }
}

TEST(Keys, AreKnownOncePerSection) {
  for (const SectionKind kind : {kSidecar, kZrs, kPrimary, kSecondary, kFileStorage}) {
    std::vector<absl::string_view> names = KeyNames(kind);
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::unique(names.begin(), names.end()), names.end()) << SectionType(kind);
  }
}

}  // namespace
}  // namespace zrs::config
