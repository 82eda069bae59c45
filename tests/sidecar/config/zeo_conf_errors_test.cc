// Every error of zeo-conf and zeo-storage, with its message.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sidecar/config/loader.h"
#include "tests/sidecar/config/test_environment.h"

namespace zrs::config {
namespace {

absl::Status Refusal(const TestWorld& world) { return LoadSettings("/etc/zrs.conf", MakeEnvironment(world)).status(); }

// Of a section with `keys`, which begin on line 3.
std::string OfOurs(const std::string& keys) {
  return std::string(
      Refusal({{{"/etc/zrs.conf", absl::StrCat("<zrs main>\nreplicate-to 5000\n", keys, "\n</zrs>\n")}}, {}, {}, 0})
          .message());
}
// Of a zeo.conf with this text.
std::string OfZeoConf(const std::string& text, const std::string& zeo_storage = "1") {
  return std::string(Refusal({{{"/etc/zrs.conf", absl::StrCat("<zrs main>\nreplicate-to 5000\nzeo-conf /zeo.conf\n",
                                                              "zeo-storage ", zeo_storage, "\n</zrs>\n")},
                               {"/zeo.conf", text}},
                              {},
                              {},
                              0})
                         .message());
}
std::string OfPath(const std::string& path) {
  return OfZeoConf(absl::StrCat("<filestorage>\npath ", path, "\n</filestorage>\n"));
}

TEST(OurSection, NamesTheFileTwice) {
  EXPECT_EQ(OfOurs("zeo-conf /zeo.conf\n<filestorage>\npath /x\n</filestorage>"),
            "/etc/zrs.conf:4: <filestorage> beside the zeo-conf of /etc/zrs.conf:3; one of them names the data file: "
            "remove the other");
}
TEST(OurSection, HasZeoStorageAlone) {
  EXPECT_EQ(OfOurs("zeo-storage 1\n<filestorage>\npath /x\n</filestorage>"),
            "/etc/zrs.conf:3: zeo-storage without zeo-conf has no effect; add zeo-conf FILE, or remove it here");
}
TEST(OurSection, NamesNothing) {
  EXPECT_TRUE(absl::EndsWith(OfOurs(""), "</filestorage>, or zeo-conf FILE")) << OfOurs("");
}
TEST(OurSection, NamesADirectory) {
  EXPECT_EQ(OfOurs("zeo-conf /etc/"),
            "/etc/zrs.conf:3: zeo-conf: \"/etc/\" names a directory; write the path of a file");
}
TEST(OurSection, NamesAFileThatCannotBeRead) {
  const absl::Status status =
      Refusal({{{"/etc/zrs.conf", "<zrs>\nreplicate-to 5000\nzeo-conf zeo.conf\n</zrs>\n"}}, {}, {}, 0});
  // NotFound would be our own file's.
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "/etc/zrs.conf:3: zeo-conf: /etc/zeo.conf: cannot read the configuration: No such file or directory; "
            "create it, or name another one");
}

TEST(Grammar, IsTheSame) {
  EXPECT_EQ(OfZeoConf("<filestorage 1>\npath /x\n"),
            "/zeo.conf:2: the file ends inside <filestorage 1> of line 1; close it with </filestorage>");
  EXPECT_EQ(OfZeoConf("%define a b\n%define a c\n"),
            "/zeo.conf:2: cannot redefine \"a\"; choose another name, or remove one of the two");
  EXPECT_EQ(OfZeoConf(std::string(kMostFileBytes + 1, '\n')),
            "/zeo.conf: more than 1048576 bytes in one file, or 4194304 with all it includes; this is hardly a "
            "configuration: name another file");
}
TEST(Grammar, IncludedFilesAreNeeded) {
  EXPECT_EQ(OfZeoConf("%include more.conf\n"),
            "/zeo.conf:1: cannot include /more.conf: No such file or directory; name a file that exists; a relative "
            "name is relative to the file that includes it");
  EXPECT_EQ(OfZeoConf("%include $(HERE)/more.conf\n"),
            "/zeo.conf:1: no replacement for $(HERE): the environment has no such variable; set it in the environment "
            "of zrs, or write the value itself");
}

TEST(Name, IsUnknown) {
  EXPECT_EQ(OfZeoConf("<filestorage>\n</filestorage>\n<zlibstorage mian/>\n<zeoclient catalog/>\n<eventlog main/>\n"
                      "<runner/>\n",
                      "main"),
            "/zeo.conf: there is no storage \"main\"; as zeo-storage, name one of: mian, 1, catalog");
  EXPECT_EQ(OfZeoConf("<filestorage main/>"),
            "/zeo.conf: there is no storage \"1\"; as zeo-storage, name one of: main");
}
TEST(Name, OfManyTellsAFew) {
  std::string text;
  for (int i = 0; i < 100; ++i) absl::StrAppend(&text, "<filestorage ", i + 100, std::string(500, 'x'), "/>\n");
  const std::string message = OfZeoConf(text, "1");
  EXPECT_TRUE(absl::EndsWith(message, ", ...")) << message;
  EXPECT_LT(message.size(), 1500u);
}
TEST(Name, OfNothing) {
  EXPECT_EQ(OfZeoConf("<zeo>\naddress 1\n</zeo>\n"),
            "/zeo.conf: there is no storage \"1\", nor any other; name the configuration of the database");
}
TEST(Name, Twice) {
  EXPECT_EQ(OfZeoConf("<filestorage>\npath /x\n</filestorage>\n<filestorage 1>\npath /y\n</filestorage>\n"),
            "/zeo.conf:4: a second storage \"1\", after the one at /zeo.conf:1; give it a name of its own (one without "
            "a name is \"1\")");
}
TEST(Name, Malformed) {
  EXPECT_TRUE(absl::StartsWith(OfZeoConf("", "a/b"),
                               "/etc/zrs.conf:4: zeo-storage: \"a/b\" cannot be the name of a storage; "));
}

TEST(Storage, WithoutAFileStorage) {
  for (const char* type : {"relstorage", "zeoclient", "mappingstorage"}) {
    EXPECT_EQ(OfZeoConf(absl::StrCat("\n<", type, " 1>\n<postgresql/>\n</", type, ">\n")),
              absl::StrCat("/zeo.conf:2: no <filestorage> in <", type,
                           " 1>; only a storage with one data file can be replicated: name another one"));
  }
}
TEST(Storage, WithoutAFileStorageInAWrapper) {
  EXPECT_EQ(
      OfZeoConf("<zodb_db main>\n<zeoclient>\n</zeoclient>\n</zodb_db>\n", "main"),
      "/zeo.conf:1: no <filestorage> in <zodb_db main>; only a storage with one data file can be replicated: name "
      "another one");
}
TEST(Storage, WithTwo) {
  EXPECT_EQ(OfZeoConf("<multistorage 1>\n<filestorage a/>\n<filestorage b/>\n</multistorage>\n"),
            "/zeo.conf:3: a second <filestorage> in <multistorage 1>, after the one at /zeo.conf:2; only a storage "
            "with one data file can be replicated: name another one");
}
TEST(Storage, ThatKeepsChangesElsewhere) {
  EXPECT_EQ(OfZeoConf("<demostorage 1>\n<filestorage base>\npath /x\n</filestorage>\n</demostorage>\n"),
            "/zeo.conf:1: <demostorage 1> keeps changes apart from the data file; only a storage with one data file "
            "can be replicated: name another one");
}

TEST(Path, Missing) {
  EXPECT_EQ(OfZeoConf("<filestorage 1>\ncreate true\n</filestorage>\n"),
            "/zeo.conf:1: <filestorage 1> has no path; add a line \"path VALUE\" to it");
}
TEST(Path, Twice) {
  EXPECT_EQ(OfZeoConf("<filestorage 1>\npath /x\npath /y\n</filestorage>\n"),
            "/zeo.conf:3: a second path, after the one at /zeo.conf:2; remove one of them");
}
TEST(Path, Relative) {
  for (const char* path : {"var/Data.fs", "./Data.fs", "~/Data.fs"}) {
    EXPECT_EQ(OfPath(path), absl::StrCat("/zeo.conf:2: path: \"", path,
                                         "\" is relative to where the database is started from; write the absolute "
                                         "path in that line, or in a <filestorage> of <zrs main> instead of "
                                         "zeo-conf"));
  }
}
TEST(Path, Malformed) {
  EXPECT_EQ(OfPath(""), "/zeo.conf:2: path: the path is empty; write a path");
  EXPECT_EQ(OfPath("\"/x\""), "/zeo.conf:2: path: the path is in quotes; remove them: values are not quoted here");
  EXPECT_EQ(OfPath("/x/"), "/zeo.conf:2: path: \"/x/\" names a directory; write the path of a file");
}
TEST(Path, ThatCannotBeReplaced) {
  EXPECT_EQ(OfPath("$INSTANCE/Data.fs"),
            "/zeo.conf:2: no replacement for $INSTANCE: nothing of that name is defined above; add \"%define INSTANCE "
            "VALUE\" above this line, or write $$ for a dollar sign");
  EXPECT_EQ(OfPath("$"), "/zeo.conf:2: a lone '$' at the end; write $$ for a dollar sign");
}
TEST(Path, WhoseDefinitionCannotBeReplaced) {
  // What has to be mended is told, not where it was noticed.
  EXPECT_EQ(OfZeoConf("\n%define A $(HERE)\n%define B $A/b\n<filestorage>\npath $B/Data.fs\n</filestorage>\n"),
            "/zeo.conf:2: no replacement for $(HERE): the environment has no such variable; set it in the environment "
            "of zrs, or write the value itself");
}
TEST(Path, DefinedBelow) {
  EXPECT_TRUE(absl::StartsWith(OfZeoConf("<filestorage>\npath $A\n</filestorage>\n%define A /a\n"),
                               "/zeo.conf:2: no replacement for $A: nothing of that name is defined above; "));
}

}  // namespace
}  // namespace zrs::config
