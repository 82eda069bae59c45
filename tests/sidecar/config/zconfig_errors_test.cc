// What the parser says of malformed input, and its bounds. Where it agrees with ZConfig: zconfig_cases_test.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sidecar/config/zconfig.h"
#include "tests/sidecar/config/test_environment.h"

namespace zrs::config {
namespace {

absl::StatusOr<Section> Parse(const TestWorld& world) {
  const Environment environment = MakeEnvironment(world);
  return ParseZConfig("/etc/zrs.conf", environment.read_file, environment.get_environment);
}

std::string Message(const TestWorld& world) {
  const absl::StatusOr<Section> root = Parse(world);
  return root.ok() ? "no error" : std::string(root.status().message());
}

std::string Message(const std::string& text) { return Message(TestWorld{{{"/etc/zrs.conf", text}}, {}, {}, 0}); }

bool Parses(const std::string& text) { return Message(text) == "no error"; }

TEST(ZConfigError, SectionStart) {
  EXPECT_EQ(Message("\n<zrs main\n"),
            "/etc/zrs.conf:2: malformed section start \"<zrs main\"; write <type>, <type name> or <type name/>, and "
            "nothing after it on the line");
}
TEST(ZConfigError, SectionEnd) {
  EXPECT_EQ(Message("<zrs>\n</zrs> # end\n"),
            "/etc/zrs.conf:2: malformed section end \"</zrs> # end\"; write </type>, and nothing after it on the line");
}
TEST(ZConfigError, SectionEndWithoutStart) {
  EXPECT_EQ(
      Message("</zrs>"),
      "/etc/zrs.conf:1: section end \"</zrs>\" without a section that was opened in this file; remove the line, or "
      "open the section above it");
}
TEST(ZConfigError, SectionEndOfAnother) {
  EXPECT_EQ(Message("<zrs a>\n<filestorage>\n</zrs>\n"),
            "/etc/zrs.conf:3: section end \"</zrs>\" inside <filestorage> of line 2; close that one first, with "
            "</filestorage>");
}
TEST(ZConfigError, SectionNotClosed) {
  EXPECT_EQ(Message("<zrs a>\nk v\n\n"),
            "/etc/zrs.conf:3: the file ends inside <zrs a> of line 1; close it with </zrs>");
}
TEST(ZConfigError, Line) {
  EXPECT_EQ(Message("(a) b"), "/etc/zrs.conf:1: malformed line \"(a) b\"; write a key, a space and its value");
}
TEST(ZConfigError, UnknownDirective) {
  EXPECT_EQ(Message("%inlcude x"), "/etc/zrs.conf:1: unknown directive \"%inlcude\"; did you mean %include?");
  EXPECT_EQ(Message("%set x y"),
            "/etc/zrs.conf:1: unknown directive \"%set\"; there are %define, %import and %include");
  EXPECT_EQ(Message("% define x y"),
            "/etc/zrs.conf:1: unknown directive \"%\"; there are %define, %import and %include");
}
TEST(ZConfigError, DirectiveWithoutArgument) {
  EXPECT_EQ(Message("%define"), "/etc/zrs.conf:1: %define without an argument; write %define NAME VALUE");
  EXPECT_EQ(Message("%include"), "/etc/zrs.conf:1: %include without an argument; write %include FILE");
  EXPECT_EQ(Message("%import"),
            "/etc/zrs.conf:1: %import without an argument; write %import PACKAGE, or remove the line");
}
TEST(ZConfigError, Define) {
  EXPECT_EQ(Message("%define a b\n%define A c"),
            "/etc/zrs.conf:2: cannot redefine \"a\"; choose another name, or remove one of the two");
  EXPECT_EQ(Message("%define a-b c"),
            "/etc/zrs.conf:1: cannot define \"a-b\": not a name; use a letter or underscore, then letters, digits and "
            "underscores");
}

TEST(SubstitutionError, Dollar) {
  EXPECT_EQ(Message("k a$"), "/etc/zrs.conf:1: a lone '$' at the end; write $$ for a dollar sign");
  EXPECT_EQ(Message("k $-"), "/etc/zrs.conf:1: '$' is not followed by '$' or a name; write $$ for a dollar sign");
  EXPECT_EQ(Message("k ${}"), "/etc/zrs.conf:1: '${' is not followed by a name; write $$ for a dollar sign");
  EXPECT_EQ(Message("k $(1)"), "/etc/zrs.conf:1: '$(' is not followed by a name; write $$ for a dollar sign");
  EXPECT_EQ(Message("k ${a"), "/etc/zrs.conf:1: '${a' is not followed by '}'; write ${NAME}");
  EXPECT_EQ(Message("k $(a}"), "/etc/zrs.conf:1: '$(a' is not followed by ')'; write $(NAME)");
}
TEST(SubstitutionError, NoReplacement) {
  EXPECT_EQ(
      Message("k $Data"),
      "/etc/zrs.conf:1: no replacement for $Data: nothing of that name is defined above; add \"%define Data VALUE\" "
      "above this line, or write $$ for a dollar sign");
  EXPECT_EQ(Message("k $(Data)"),
            "/etc/zrs.conf:1: no replacement for $(Data): the environment has no such variable; set it in the "
            "environment of zrs, or write the value itself");
}
TEST(SubstitutionError, EnvironmentIsNotUtf8) {
  EXPECT_EQ(Message(TestWorld{{{"/etc/zrs.conf", "k $(A)"}}, {{"A", "\xFF"}}, {}, 0}),
            "/etc/zrs.conf:1: the value is not UTF-8 once its references are replaced; use UTF-8 in the environment "
            "variable");
}

TEST(IncludeError, Missing) {
  EXPECT_EQ(
      Message("\n%include a.conf"),
      "/etc/zrs.conf:2: cannot include /etc/a.conf: No such file or directory; name a file that exists; a relative "
      "name is relative to the file that includes it");
}
TEST(IncludeError, ControlCharacters) {
  EXPECT_EQ(
      Message("%include a\x1b[2J\x7f"),
      "/etc/zrs.conf:1: cannot include /etc/a\\x1b[2J\\x7f: No such file or directory; name a file that exists; a "
      "relative name is relative to the file that includes it");
}
TEST(IncludeError, Url) {
  EXPECT_EQ(Message("%include http://host/a.conf"),
            "/etc/zrs.conf:1: cannot include \"http://host/a.conf\": only files are included here, no URLs; write the "
            "path of a file");
}
TEST(IncludeError, Cycle) {
  const TestWorld world{{{"/etc/zrs.conf", "%include a/b.conf"}, {"/etc/a/b.conf", "%include ../zrs.conf"}}, {}, {}, 0};
  EXPECT_EQ(Message(world),
            "/etc/a/b.conf:1: a file includes itself: /etc/zrs.conf includes /etc/a/b.conf includes "
            "/etc/a/../zrs.conf; remove this line");
  EXPECT_EQ(Message("%include zrs.conf"),
            "/etc/zrs.conf:1: a file includes itself: /etc/zrs.conf includes /etc/zrs.conf; remove this line");
}
TEST(IncludeError, TooDeep) {
  TestWorld world;
  world.files["/etc/zrs.conf"] = "%include 2";
  for (int i = 2; i <= kMostIncludeDepth; ++i) {
    world.files[absl::StrCat("/etc/", i)] = i < kMostIncludeDepth ? absl::StrCat("%include ", i + 1) : "k v";
  }
  EXPECT_EQ(Message(world), "no error");
  world.files["/etc/16"] = "%include 17";
  world.files["/etc/17"] = "k v";
  EXPECT_EQ(
      Message(world),
      "/etc/16:1: files include each other more than 16 deep; look for one that includes itself by another name, or "
      "include fewer");
}
TEST(IncludeError, TooMany) {
  TestWorld world;
  world.files["/etc/a"] = "k v\n";
  for (size_t i = 1; i < kMostFiles; ++i) world.files["/etc/zrs.conf"] += "%include a\n";
  EXPECT_EQ(Message(world), "no error");
  world.files["/etc/zrs.conf"] += "%include a\n";
  EXPECT_EQ(Message(world), "/etc/zrs.conf:256: more than 256 files; include fewer files");
}

TEST(TextError, Unreadable) {
  const absl::StatusOr<Section> root = Parse(TestWorld());
  EXPECT_EQ(root.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(root.status().message(),
            "/etc/zrs.conf: cannot read the configuration: No such file or directory; create it, or name another one");
}
TEST(TextError, NulByte) {
  EXPECT_EQ(Message(std::string("a b\nc\0d", 7)), "/etc/zrs.conf:2: a NUL byte; write the configuration as plain text");
}
TEST(TextError, NotUtf8) {
  EXPECT_EQ(Message("# Zo\xEB"), "/etc/zrs.conf: not UTF-8 text; save the file in the encoding UTF-8");
}
TEST(TextError, ByteOrderMark) {
  EXPECT_EQ(Message("\xEF\xBB\xBF<a/>"),
            "/etc/zrs.conf:1: a byte order mark; save the file as UTF-8 without a byte order mark");
}

TEST(Bounds, NestedSections) {
  std::string open;
  std::string close;
  for (size_t i = 0; i < kMostSectionDepth; ++i) {
    open += "<a>\n";
    close += "</a>\n";
  }
  EXPECT_TRUE(Parses(open + "k v\n" + close));
  EXPECT_EQ(
      Message(open + "<a>\n</a>\n" + close),
      "/etc/zrs.conf:33: sections inside each other more than 32 deep; close the sections that are meant to stand "
      "side by side");
  EXPECT_FALSE(Parses(open + "<a/>\n" + close));
}
TEST(Bounds, FileSize) {
  EXPECT_TRUE(Parses(std::string(kMostFileBytes, '\n')));
  EXPECT_EQ(Message(std::string(kMostFileBytes + 1, '\n')),
            "/etc/zrs.conf: more than 1048576 bytes in one file, or 4194304 with all it includes; this is hardly a "
            "configuration: name another file");
}
TEST(Bounds, SizeOfAllFiles) {
  TestWorld world;
  world.files["/etc/a"] = std::string(kMostFileBytes, '\n');
  for (int i = 0; i < 4; ++i) world.files["/etc/zrs.conf"] += "%include a\n";
  EXPECT_TRUE(absl::StartsWith(Message(world), "/etc/a: more than"));
}
TEST(Bounds, GrowingDefinitions) {
  std::string text = "%define a0 0123456789abcdef\n";
  for (int i = 1; i < 64; ++i) absl::StrAppend(&text, "%define a", i, " $a", i - 1, "$a", i - 1, "\n");
  EXPECT_EQ(Message(text),
            "/etc/zrs.conf:14: the value is longer than 65536 bytes once its references are replaced; define shorter "
            "values");
}
TEST(Bounds, ManyLongValues) {
  std::string text = absl::StrCat("%define a ", std::string(kMostValueBytes, 'a'), "\n");
  for (size_t i = 0; i < kMostValuesBytes / kMostValueBytes; ++i) text += "k $a\n";
  EXPECT_EQ(Message(text),
            "/etc/zrs.conf:65: all values together are longer than 4194304 bytes; define shorter values");
}
TEST(Bounds, LongNamesAreCutInMessages) {
  const std::string name(100000, 'a');
  for (const std::string& text : {"<" + name + ">\n", "%" + name, "<" + name, "k $" + name, "k ${" + name,
                                  "%define " + name + "-", "(" + name, "<a>\n</" + name + ">"}) {
    EXPECT_LT(Message(text).size(), 600u);
  }
}

TEST(Grammar, LastLineWithoutANewline) {
  const absl::StatusOr<Section> root = Parse(TestWorld{{{"/etc/zrs.conf", "<a>\nk v\n</a>"}}, {}, {}, 0});
  ASSERT_TRUE(root.ok());
  EXPECT_EQ(root->sections[0].keys[0].value, "v");
}
TEST(Grammar, LocationsNameTheIncludedFile) {
  const TestWorld world{{{"/etc/zrs.conf", "%include a"}, {"/etc/a", "\nk v"}}, {}, {}, 0};
  EXPECT_EQ(Parse(world)->keys[0].location.ToString(), "/etc/a:2");
}

}  // namespace
}  // namespace zrs::config
