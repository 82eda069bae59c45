// Every error of a configuration that is well-formed, with its message.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sidecar/config/error_messages.h"
#include "tests/sidecar/config/test_environment.h"

namespace zrs::config {
namespace {

// Three lines down from the beginning of <zrs>.
std::string InFileStorage(const std::string& keys) {
  return absl::StrCat("<zrs>\nreplicate-to 1\n<filestorage>\n", keys, "\n</filestorage>\n</zrs>\n");
}

TEST(TopLevel, NothingThere) {
  EXPECT_EQ(Message("# only a comment\n"),
            "/etc/zrs.conf: no storage; add a section <zrs NAME>, <primary NAME> or <secondary NAME>");
}
TEST(TopLevel, EmptyName) {
  EXPECT_EQ(LoadSettings("", MakeEnvironment(TestWorld())).status().message(),
            "the configuration's name is empty; name a file, as in --config /etc/zrs/zrs.conf");
}
TEST(TopLevel, NoSuchFile) {
  const absl::Status status = LoadSettings("zrs.conf", MakeEnvironment(TestWorld())).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(),
            "/work/zrs.conf: cannot read the configuration: No such file or directory; create it, or name another one");
}
TEST(TopLevel, Key) {
  EXPECT_EQ(Message("state-dir /x"),
            "/etc/zrs.conf:1: the key \"state-dir\" outside of any section; it belongs in <sidecar>");
  EXPECT_EQ(Message("colour red"),
            "/etc/zrs.conf:1: the key \"colour\" outside of any section; put it inside the section that it belongs to");
}
TEST(TopLevel, MisspeltSection) {
  EXPECT_EQ(Message("<secundary 1>\n</secundary>"),
            "/etc/zrs.conf:1: unknown section <secundary 1>; did you mean <secondary>?");
}
TEST(TopLevel, ForeignSection) {
  EXPECT_EQ(Message("<eventlog/>"),
            "/etc/zrs.conf:1: unknown section <eventlog>; at the top level are <zrs NAME>, <primary NAME>, <secondary "
            "NAME> and <sidecar>; what wraps a <filestorage> belongs inside <zrs NAME>");
}
TEST(TopLevel, FileStorage) {
  EXPECT_EQ(Message(kFile), "/etc/zrs.conf:1: <filestorage> outside of a storage's section; put it inside <zrs NAME>");
}

TEST(SidecarSection, Twice) {
  EXPECT_EQ(Message("<sidecar/>\n<sidecar/>"),
            "/etc/zrs.conf:2: a second <sidecar>, after the one at /etc/zrs.conf:1; write all of it in one section");
}
TEST(SidecarSection, Named) {
  EXPECT_EQ(Message("<sidecar a/>"), "/etc/zrs.conf:1: <sidecar a> has a name; write <sidecar>");
}
TEST(SidecarSection, SectionInside) {
  EXPECT_EQ(Message("<sidecar>\n<zrs a/>\n</sidecar>"),
            "/etc/zrs.conf:2: <zrs a> inside <sidecar>; close <sidecar> above it");
}
TEST(SidecarSection, LogLevel) {
  EXPECT_EQ(Message(Sidecar("log-level loud")),
            "/etc/zrs.conf:2: log-level: \"loud\" is not a log level; write debug, info, warning or error");
}
TEST(SidecarSection, LogFile) {
  EXPECT_EQ(
      Message(Sidecar("log-file STDOUT")),
      "/etc/zrs.conf:2: log-file: messages cannot go to standard output, which is for results; write STDERR, or a "
      "file");
}
TEST(SidecarSection, LongAdminSocket) {
  const std::string path = "/" + std::string(106, 'a');
  EXPECT_EQ(Message(Sidecar("admin-socket " + path)), "no error");
  EXPECT_EQ(Message(Sidecar("admin-socket " + path + "b")),
            absl::StrCat("/etc/zrs.conf:2: admin-socket: the path ", path,
                         "b has 108 bytes, but that of a Unix socket at most 107; choose a shorter one"));
}
TEST(SidecarSection, StopTimeout) {
  EXPECT_EQ(Message(Sidecar("stop-timeout 61m")),
            "/etc/zrs.conf:2: stop-timeout: the value is out of range; write one from 0 to 1h");
}

TEST(Keys, Misspelt) {
  EXPECT_EQ(Message(Zrs("replicate-form a:1")),
            "/etc/zrs.conf:2: unknown key \"replicate-form\" in <zrs main>; did you mean replicate-from?");
  EXPECT_EQ(Message(InFileStorage("pth /x")),
            "/etc/zrs.conf:4: unknown key \"pth\" in <filestorage>; did you mean path?");
  EXPECT_EQ(Message(Sidecar("statedir x")),
            "/etc/zrs.conf:2: unknown key \"statedir\" in <sidecar>; did you mean state-dir?");
}
TEST(Keys, OfAnotherSection) {
  EXPECT_EQ(Message(Zrs("path /x")),
            "/etc/zrs.conf:2: unknown key \"path\" in <zrs main>; it belongs in <filestorage>");
  EXPECT_EQ(Message(Zrs("address 5000")),
            "/etc/zrs.conf:2: unknown key \"address\" in <zrs main>; it belongs in <primary> and <secondary>");
}
TEST(Keys, OfNoSection) {
  EXPECT_EQ(Message(Sidecar("colour red")),
            "/etc/zrs.conf:2: unknown key \"colour\" in <sidecar>; the keys here are admin-socket, health-address, "
            "state-dir, "
            "log-file, log-level, stop-timeout");
}
TEST(Keys, OfTheIncumbent) {
  EXPECT_EQ(Message(Zrs("check-checksums true")),
            "/etc/zrs.conf:2: unknown key \"check-checksums\" in <zrs main>; remove the line: every byte is checked by "
            "digest, always");
  EXPECT_EQ(
      Message(Zrs("zookeeper x")),
      "/etc/zrs.conf:2: unknown key \"zookeeper\" in <zrs main>; remove the line: addresses are not registered in "
      "ZooKeeper");
  EXPECT_EQ(Message(Zrs("replicate-from-zookeeper x")),
            "/etc/zrs.conf:2: unknown key \"replicate-from-zookeeper\" in <zrs main>; write the address itself, as "
            "replicate-from HOST:PORT");
}
TEST(Keys, OfTheIncumbentsFirstVersions) {
  EXPECT_EQ(Message("<primary 1>\naddress 1\nfilestorage-path /x\n</primary>"),
            "/etc/zrs.conf:3: unknown key \"filestorage-path\" in <primary 1>; write <filestorage>, a line \"path "
            "/path/to/Data.fs\" and </filestorage>");
}
TEST(Keys, OfTheOtherSpellingOfAStorage) {
  EXPECT_EQ(Message("<primary 1>\nreplicate-to 1\n</primary>"),
            "/etc/zrs.conf:2: unknown key \"replicate-to\" in <primary 1>; the key of that address is called address "
            "here");
  EXPECT_EQ(
      Message("<secondary 1>\nreplicate-from a:1\n</secondary>"),
      "/etc/zrs.conf:2: unknown key \"replicate-from\" in <secondary 1>; the key of that address is called address "
      "here");
}
TEST(Keys, Twice) {
  EXPECT_EQ(Message(Zrs("replicate-to 1\nREPLICATE-TO 2")),
            "/etc/zrs.conf:3: a second replicate-to, after the one at /etc/zrs.conf:2; remove one of them");
}
TEST(Keys, Missing) {
  EXPECT_EQ(Message("<primary 1>\n</primary>"),
            "/etc/zrs.conf:1: <primary 1> has no address; add a line \"address VALUE\" to it");
  EXPECT_EQ(Message("<secondary>\n</secondary>"),
            "/etc/zrs.conf:1: <secondary> has no address; add a line \"address VALUE\" to it");
  EXPECT_EQ(Message(InFileStorage("")), "/etc/zrs.conf:3: <filestorage> has no path; add a line \"path VALUE\" to it");
}
TEST(Keys, WithoutValue) {
  EXPECT_EQ(
      Message(Zrs("replicate-to")),
      "/etc/zrs.conf:2: replicate-to: \"\" is not an address: it is empty; write PORT, HOST:PORT, [V6ADDRESS]:PORT, "
      "or the path of a Unix socket with a slash in it");
  EXPECT_EQ(Message(InFileStorage("path")), "/etc/zrs.conf:4: path: the path is empty; write a path");
}

TEST(Values, OfTheWrongType) {
  EXPECT_EQ(Message(Zrs("replicate-to 5000\ninsecure 1")),
            "/etc/zrs.conf:3: insecure: \"1\" is not a boolean; write on, yes or true, or off, no or false");
  EXPECT_EQ(Message(Zrs("replicate-to 5000\nmax-followers many")),
            "/etc/zrs.conf:3: max-followers: \"many\" is not an integer; write decimal digits");
  EXPECT_EQ(
      Message(Zrs("replicate-to 5000\npoll-interval often")),
      "/etc/zrs.conf:3: poll-interval: \"often\" is not a time interval; write a number and ms, s, m, h or d, such "
      "as 500ms, 30s or 5m");
  EXPECT_EQ(Message(InFileStorage("quota lots")),
            "/etc/zrs.conf:4: quota: \"lots\" is not a size in bytes; write decimal digits and KB, MB or GB, such as "
            "10MB, or bytes without a unit");
  EXPECT_EQ(Message(Zrs("replicate-to 5000\nblobs yes")),
            "/etc/zrs.conf:3: blobs: \"yes\" is not a way to treat blobs; write external, or remove the line");
  EXPECT_EQ(Message(Zrs("replicate-from h:1\nsource-name a/b")),
            "/etc/zrs.conf:3: source-name: \"a/b\" cannot be the name of a storage; use up to 64 letters, digits, '.', "
            "'_' and '-', a letter or digit first");
}
TEST(Values, OutOfRange) {
  const std::pair<const char*, const char*> cases[] = {
      {"max-followers 0", "1 to 1000"},      {"max-followers 1001", "1 to 1000"}, {"keep-alive-delay 0", "10ms to 1h"},
      {"keep-alive-delay 2h", "10ms to 1h"}, {"poll-interval 9ms", "10ms to 1h"}, {"max-followers -1", "1 to 1000"},
  };
  for (const auto& [key, range] : cases) {
    const std::string name(key, std::string(key).find(' '));
    EXPECT_EQ(Message(Zrs(absl::StrCat("replicate-to 5000\n", key))),
              absl::StrCat("/etc/zrs.conf:3: ", name, ": the value is out of range; write one from ", range));
  }
  for (const char* value : {"999ms", "25h", "0"}) {
    EXPECT_EQ(Message(Zrs(absl::StrCat("replicate-from h:1\nmax-lag ", value))),
              "/etc/zrs.conf:3: max-lag: the value is out of range; write one from 1s to 1d");
  }
  EXPECT_EQ(Message(Zrs("replicate-from h:1\nreconnect-delay 2h")),
            "/etc/zrs.conf:3: reconnect-delay: the value is out of range; write one from 10ms to 1h");
}
TEST(Values, QuotedPath) {
  EXPECT_EQ(Message(InFileStorage("path \"/data/Data.fs\"")),
            "/etc/zrs.conf:4: path: the path is in quotes; remove them: values are not quoted here");
}
TEST(Values, PathOfADirectory) {
  EXPECT_EQ(Message(InFileStorage("path /data/")),
            "/etc/zrs.conf:4: path: \"/data/\" names a directory; write the path of a file");
}
TEST(Values, LongSocket) {
  const std::string path = "/" + std::string(107, 'a');
  EXPECT_EQ(Message(Zrs("replicate-to " + path)),
            absl::StrCat("/etc/zrs.conf:2: replicate-to: the path ", path,
                         " has 108 bytes, but that of a Unix socket at most 107; choose a shorter one"));
}

TEST(Roles, Neither) {
  EXPECT_EQ(Message(Zrs("")),
            "/etc/zrs.conf:1: <zrs main> has neither replicate-from nor replicate-to; add replicate-to ADDRESS for a "
            "primary, or replicate-from ADDRESS for a secondary");
}
TEST(Roles, FollowingItself) {
  EXPECT_EQ(Message(Zrs("replicate-to 5000\nreplicate-from 5000")),
            "/etc/zrs.conf:3: replicate-from localhost:5000 is the storage's own replicate-to 5000; a storage cannot "
            "follow itself: change one of the two");
  EXPECT_EQ(
      Message("<secondary>\naddress h:1\nreplicate-to h:1\n<filestorage>\npath x\n</filestorage>\n</secondary>"),
      "/etc/zrs.conf:2: address h:1 is the storage's own replicate-to h:1; a storage cannot follow itself: change "
      "one of the two");
}
TEST(Roles, FollowingItselfAmongOthers) {
  EXPECT_EQ(Message(Zrs("replicate-to 5000\nreplicate-from host:5000 localhost:5000")),
            "/etc/zrs.conf:3: replicate-from localhost:5000 is the storage's own replicate-to 5000; a storage cannot "
            "follow itself: change one of the two");
}
TEST(Roles, FollowingOneTwice) {
  EXPECT_EQ(Message(Zrs("replicate-from 5000 host:1 localhost:5000")),
            "/etc/zrs.conf:2: replicate-from names localhost:5000 twice; write each address once");
}
TEST(Roles, FollowingTooMany) {
  std::string many = "replicate-from";
  for (int port = 1; port <= 17; ++port) absl::StrAppend(&many, " host:", port);
  EXPECT_EQ(Message(Zrs(many)), "/etc/zrs.conf:2: replicate-from: 17 addresses, more than 16; remove some of them");
}
TEST(Roles, FollowingOneThatIsNoAddress) {
  const std::string message = Message(Zrs("replicate-from host:1 host:0"));
  EXPECT_EQ(message.rfind("/etc/zrs.conf:2: replicate-from: ", 0), 0u) << message;
  EXPECT_NE(message.find("host:0"), std::string::npos) << message;
  EXPECT_NE(Message(Zrs("replicate-to 1 host:2")), "") << "one listens on one";
}
TEST(Roles, FollowingItselfByAnotherName) {
  for (const char* pair :
       {"replicate-to 0.0.0.0:5000\nreplicate-from 127.0.0.1:5000", "replicate-to 5000\nreplicate-from [::1]:5000",
        "replicate-to localhost:5000\nreplicate-from 127.0.0.1:5000", "replicate-to /run/a\nreplicate-from ../run/a",
        "replicate-to Host:1\nreplicate-from hOST:1"}) {
    const std::string message = Message(Zrs(pair));
    // A path that is written differently is another one as far as names tell.
    const bool same = message.find("a storage cannot follow itself") != std::string::npos;
    EXPECT_EQ(same, std::string(pair).find("..") == std::string::npos) << message;
  }
}
TEST(Roles, KeysForFollowersWithoutAny) {
  EXPECT_EQ(
      Message(Zrs("replicate-from h:1\ninsecure true")),
      "/etc/zrs.conf:3: insecure without replicate-to has no effect; it belongs where followers connect to: remove "
      "it here, or add replicate-to ADDRESS");
  EXPECT_EQ(Message(Zrs("replicate-from h:1\nmax-followers 1")),
            "/etc/zrs.conf:3: max-followers without replicate-to has no effect; it belongs where followers connect to: "
            "remove it here, or add replicate-to ADDRESS");
}
TEST(Roles, KeysForFollowingInAPrimary) {
  EXPECT_EQ(Message(Zrs("replicate-to 1\nsource-name a")),
            "/etc/zrs.conf:3: source-name without replicate-from has no effect; it belongs where a copy is kept: "
            "remove it here, or add replicate-from ADDRESS");
  EXPECT_EQ(Message(Zrs("replicate-to 1\nreconnect-delay 1")),
            "/etc/zrs.conf:3: reconnect-delay without replicate-from has no effect; it belongs where a copy is "
            "kept: remove it here, or add replicate-from ADDRESS");
}

TEST(Roles, KeysForAPrimaryInASecondary) {
  EXPECT_EQ(Message(Zrs("replicate-from h:1\npoll-interval 1s")),
            "/etc/zrs.conf:3: poll-interval with replicate-from has no effect; it belongs where somebody else writes "
            "the file: remove it here, or remove replicate-from");
  EXPECT_EQ(Message("<secondary>\naddress h:1\npoll-interval 1s\n</secondary>"),
            "/etc/zrs.conf:3: unknown key \"poll-interval\" in <secondary>; it belongs in <zrs> and <primary>");
}
TEST(Roles, KeysForACopyInAPrimary) {
  for (const char* key : {"max-lag 1m", "keep-old off", "on-swap x", "owner zope", "group zope", "mode 640"}) {
    const std::string name(key, std::string(key).find(' '));
    EXPECT_EQ(Message(Zrs(absl::StrCat("replicate-to 1\n", key))),
              absl::StrCat("/etc/zrs.conf:3: ", name,
                           " without replicate-from has no effect; it belongs where a copy "
                           "is kept: remove it here, or add replicate-from ADDRESS"));
    EXPECT_EQ(
        Message(absl::StrCat("<primary>\naddress 1\n", key, "\n</primary>")),
        absl::StrCat("/etc/zrs.conf:3: unknown key \"", name, "\" in <primary>; it belongs in <zrs> and <secondary>"));
  }
}

TEST(Names, Malformed) {
  EXPECT_EQ(
      Message("<zrs a/b>\n</zrs>"),
      "/etc/zrs.conf:1: \"a/b\" cannot be the name of a storage; use up to 64 letters, digits, '.', '_' and '-', a "
      "letter or digit first");
  for (const std::string& name : {std::string(".."), std::string("-a"), std::string("*"), std::string(65, 'a')}) {
    EXPECT_NE(Message(Storage(name, "replicate-to 1", "/x")).find("cannot be the name"), std::string::npos) << name;
  }
  EXPECT_EQ(Message(Storage(std::string(64, 'a'), "replicate-to 1", "/x")), "no error");
}
TEST(Names, Twice) {
  EXPECT_EQ(
      Message(Storage("a", "replicate-to 1", "x") + Storage("A", "replicate-to 2", "y")),
      "/etc/zrs.conf:7: a second storage \"a\", after the one at /etc/zrs.conf:1; give it a name of its own, as in "
      "<zrs NAME> (a section without a name is storage \"1\")");
}
TEST(Names, MissingTwice) {
  EXPECT_EQ(
      Message(Storage("", "replicate-to 1", "x") + Storage("1", "replicate-to 2", "y")),
      "/etc/zrs.conf:7: a second storage \"1\", after the one at /etc/zrs.conf:1; give it a name of its own, as in "
      "<zrs NAME> (a section without a name is storage \"1\")");
}

TEST(FileStorages, None) {
  EXPECT_EQ(Message("<zrs a>\nreplicate-to 1\n</zrs>"),
            "/etc/zrs.conf:1: no <filestorage> in <zrs a>; add <filestorage>, a line \"path /path/to/Data.fs\" and "
            "</filestorage>, or zeo-conf FILE");
}
TEST(FileStorages, Two) {
  const std::string two = absl::StrCat("<zrs>\nreplicate-to 1\n", kFile, kFile, "</zrs>");
  EXPECT_EQ(Message(two),
            "/etc/zrs.conf:6: a second <filestorage> in <zrs>, after the one at /etc/zrs.conf:3; give each a storage "
            "section of "
            "its own");
}
TEST(FileStorages, TwoInWrappers) {
  const std::string wrapped = absl::StrCat("<zlibstorage>\n", kFile, "</zlibstorage>\n");
  EXPECT_EQ(Message(absl::StrCat("<zrs>\nreplicate-to 1\n", wrapped, wrapped, "</zrs>")),
            "/etc/zrs.conf:9: a second <filestorage> in <zrs>, after the one at /etc/zrs.conf:4; give each a storage "
            "section of "
            "its own");
  EXPECT_EQ(Message(absl::StrCat("<zrs>\nreplicate-to 1\n<blobstorage>\n", kFile, kFile, "</blobstorage>\n</zrs>")),
            "/etc/zrs.conf:7: a second <filestorage> in <zrs>, after the one at /etc/zrs.conf:4; give each a storage "
            "section of "
            "its own");
}
TEST(FileStorages, Misspelt) {
  EXPECT_EQ(Message("<zrs>\nreplicate-to 1\n<filestoarge>\npath x\n</filestoarge>\n</zrs>"),
            "/etc/zrs.conf:3: no <filestorage> in <filestoarge>; did you mean <filestorage>?");
}
TEST(FileStorages, WrapperOfSomethingElse) {
  EXPECT_EQ(Message(absl::StrCat("<zrs>\nreplicate-to 1\n<blobstorage>\n<mappingstorage/>\n", kFile,
                                 "</blobstorage>\n</zrs>")),
            "/etc/zrs.conf:4: no <filestorage> in <mappingstorage>; only a <filestorage> and what wraps it can be "
            "replicated: add it, or remove the section");
}
TEST(FileStorages, ThatKeepsChangesElsewhere) {
  for (const std::string& inside :
       {std::string(kFile), absl::StrCat(kFile, kFile), std::string("<mappingstorage/>\n")}) {
    EXPECT_EQ(Message(absl::StrCat("<zrs>\nreplicate-to 1\n<zlibstorage>\n<demostorage d>\n", inside,
                                   "</demostorage>\n</zlibstorage>\n</zrs>")),
              "/etc/zrs.conf:4: <demostorage d> keeps changes apart from the data file; a copy would not have those "
              "changes: leave <filestorage> without it, if its file alone is to be replicated");
  }
}
TEST(FileStorages, SectionInside) {
  EXPECT_EQ(Message(InFileStorage("<blobstorage/>\npath x")),
            "/etc/zrs.conf:4: <blobstorage> inside <filestorage>; close <filestorage> above it");
}
TEST(FileStorages, StorageInside) {
  EXPECT_EQ(Message("<zrs a>\nreplicate-to 1\n<zrs b>\n</zrs>\n</zrs>"),
            "/etc/zrs.conf:3: <zrs b> inside <zrs a>; close <zrs a> above it");
}
TEST(FileStorages, BlobDirectory) {
  EXPECT_EQ(
      Message(InFileStorage("path x\nblob-dir blobs")),
      "/etc/zrs.conf:5: blob-dir: blobs are not replicated; share or copy that directory by other means and say so: "
      "add \"blobs external\" to <zrs>");
  EXPECT_EQ(
      Message(absl::StrCat("<zrs a>\nreplicate-to 1\n<blobstorage>\nblob-dir x\n", kFile, "</blobstorage>\n</zrs>")),
      "/etc/zrs.conf:4: blob-dir: blobs are not replicated; share or copy that directory by other means and say so: "
      "add \"blobs external\" to <zrs a>");
}

}  // namespace
}  // namespace zrs::config
