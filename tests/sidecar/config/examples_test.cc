// The examples in the documentation, in the root README too, and in deploy/examples are configurations, and mean what
// is said of them.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "sidecar/config/loader.h"
#include "tests/sidecar/config/test_environment.h"

namespace zrs::config {
namespace {

Settings Load(const std::string& text) {
  const TestWorld world{{{"/etc/zrs/zrs.conf", text},
                         {"/srv/plone/parts/zeoserver/etc/zeo.conf",
                          ReadTestData("tests/sidecar/config/data/plone_recipe_zeoserver.conf")}},
                        {},
                        {},
                        0};
  const absl::StatusOr<Settings> settings = LoadSettings("/etc/zrs/zrs.conf", MakeEnvironment(world));
  EXPECT_TRUE(settings.ok()) << settings.status() << "\n" << text;
  return settings.ok() ? *settings : Settings();
}

std::vector<std::string> Blocks(const std::string& document) {
  constexpr char kBegin[] = "```conf\n";
  std::vector<std::string> blocks;
  for (size_t at = document.find(kBegin); at != std::string::npos; at = document.find(kBegin, at)) {
    at += sizeof kBegin - 1;
    const size_t end = document.find("```\n", at);
    blocks.push_back(document.substr(at, end - at));
  }
  return blocks;
}

// The indented block of `document` that begins with the start of `section` ("primary main"), to the section's end.
std::string IndentedSection(const std::string& document, const std::string& section) {
  const size_t at = document.find(absl::StrCat("\n    <", section, ">\n"));
  const std::string end_line = absl::StrCat("\n    </", section.substr(0, section.find(' ')), ">\n");
  const size_t end = document.find(end_line, at);
  if (at == std::string::npos || end == std::string::npos) return "";
  return absl::StrReplaceAll(document.substr(at, end + end_line.size() - at), {{"\n    ", "\n"}});
}

// "name path from -> to", a line for each storage.
std::string Summary(const Settings& settings) {
  std::string text;
  for (const StorageSettings& storage : settings.storages) {
    absl::StrAppend(&text, storage.name, " ", storage.path, " ", storage.replicate_from, " -> ", storage.listen,
                    storage.insecure ? " insecure" : "", "\n");
  }
  return text;
}

TEST(Readme, Examples) {
  const std::vector<std::string> blocks = Blocks(ReadTestData("sidecar/config/README.md"));
  ASSERT_EQ(blocks.size(), 5u);
  EXPECT_EQ(Summary(Load(blocks[0])), "1 /path/to/Data.fs  -> 5000 insecure\n");
  EXPECT_EQ(Summary(Load(blocks[1])), "1 /path/to/copy/Data.fs primary-host:5000 -> \n");
  EXPECT_EQ(Summary(Load(blocks[2])), "1 /path/to/Data.fs primary-host:5000 -> 5001\n");
  EXPECT_EQ(Load(blocks[2]).storages[0].keep_alive_delay, absl::Minutes(1));
  EXPECT_EQ(Summary(Load(blocks[3])),
            "main /srv/zodb/main/Data.fs  -> 5000 insecure\ncatalog /srv/zodb/catalog/Data.fs  -> 5000 insecure\n");
  EXPECT_EQ(Load(blocks[3]).sidecar.log_file, "/var/log/zrs.log");
  EXPECT_EQ(Summary(Load(blocks[4])), "plone /srv/plone/var/filestorage/Data.fs  -> 5000 insecure\n");
}

TEST(RootReadme, Examples) {
  const std::string document = ReadTestData("README.md");
  EXPECT_EQ(Summary(Load(IndentedSection(document, "primary main"))), "main /var/lib/zeo/Data.fs  -> 5000 insecure\n");
  EXPECT_EQ(Summary(Load(IndentedSection(document, "secondary main"))),
            "main /var/lib/zrs-copy/Data.fs database-host:5000 -> \n");
}

TEST(DeployExamples, Primary) {
  const Settings settings = Load(ReadTestData("deploy/examples/primary.conf"));
  EXPECT_EQ(Summary(settings), "main /var/lib/zeo/Data.fs  -> 5000 insecure\n");
  EXPECT_EQ(settings.sidecar.admin_socket, "/run/zrs/zrs.sock");
  EXPECT_EQ(settings.sidecar.state_dir, "/var/lib/zrs");
}
TEST(DeployExamples, Secondary) {
  EXPECT_EQ(Summary(Load(ReadTestData("deploy/examples/secondary.conf"))),
            "main /var/lib/zrs-copy/Data.fs primary.example.org:5000 -> \n");
}
TEST(DeployExamples, Chain) {
  EXPECT_EQ(Summary(Load(ReadTestData("deploy/examples/chain.conf"))),
            "main /var/lib/zrs-copy/main/Data.fs primary.example.org:5000 -> 5000 insecure\n"
            "catalog /var/lib/zrs-copy/catalog/Data.fs primary.example.org:5000 -> 5000 insecure\n");
}

}  // namespace
}  // namespace zrs::config
