// The data file that the database's own configuration names: what is found, and what is skipped. What is refused:
// zeo_conf_errors_test.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "sidecar/config/loader.h"
#include "tests/sidecar/config/test_environment.h"

namespace zrs::config {
namespace {

constexpr char kOurs[] = "<zrs main>\nreplicate-to 5000\nzeo-conf /zeo/zeo.conf\n</zrs>\n";

// "PATH from FILE:LINE" of the only storage, or the error.
std::string Found(TestWorld world, const std::string& ours = kOurs) {
  world.files["/etc/zrs.conf"] = ours;
  const absl::StatusOr<Settings> settings = LoadSettings("/etc/zrs.conf", MakeEnvironment(world));
  if (!settings.ok()) return std::string(settings.status().message());
  return absl::StrCat(settings->storages.at(0).path, " from ", settings->storages.at(0).path_origin);
}
std::string Found(const std::string& zeo_conf, const std::string& ours = kOurs) {
  return Found(TestWorld{{{"/zeo/zeo.conf", zeo_conf}}, {}, {}, 0}, ours);
}
std::string FoundAs(const std::string& zeo_storage, const std::string& zeo_conf) {
  return Found(zeo_conf, absl::StrCat("<zrs>\nreplicate-to 5000\nzeo-conf /zeo/zeo.conf\nzeo-storage ", zeo_storage,
                                      "\n</zrs>\n"));
}
std::string WithExternalBlobs(const std::string& fixture) {
  return Found(ReadTestData(absl::StrCat("tests/sidecar/config/data/", fixture)),
               "<zrs>\nreplicate-to 5000\nblobs external\nzeo-conf /zeo/zeo.conf\nzeo-storage 1\n</zrs>\n");
}

TEST(Fixture, OfThePloneRecipe) {
  EXPECT_EQ(WithExternalBlobs("plone_recipe_zeoserver.conf"),
            "/srv/plone/var/filestorage/Data.fs from /zeo/zeo.conf:15");
}
TEST(Fixture, OfThePloneImageWithoutItsEnvironment) {
  EXPECT_EQ(WithExternalBlobs("plone_zeo_image.conf"), "/data/filestorage/Data.fs from /zeo/zeo.conf:15");
}
TEST(Fixture, BlobsHaveToBeExternal) {
  EXPECT_EQ(Found(ReadTestData("tests/sidecar/config/data/plone_recipe_zeoserver.conf")),
            "/zeo/zeo.conf:13: blob-dir: blobs are not replicated; share or copy that directory by other means and say "
            "so: add \"blobs external\" to <zrs main>");
  EXPECT_EQ(Found(ReadTestData("tests/sidecar/config/data/plone_zeo_image.conf")),
            "/zeo/zeo.conf:16: blob-dir: blobs are not replicated; share or copy that directory by other means and say "
            "so: add \"blobs external\" to <zrs main>");
}

TEST(ZeoConf, InEverySection) {
  const TestWorld world{{{"/zeo/zeo.conf", "<filestorage 1>\npath /d\n</filestorage>"}}, {}, {}, 0};
  EXPECT_EQ(Found(world, "<primary>\naddress 1\nzeo-conf /zeo/zeo.conf\n</primary>"), "/d from /zeo/zeo.conf:2");
  EXPECT_EQ(Found(world, "<secondary>\naddress h:1\nzeo-conf /zeo/zeo.conf\n</secondary>"), "/d from /zeo/zeo.conf:2");
}
TEST(ZeoConf, IsRelativeToOurConfiguration) {
  const TestWorld world{{{"/etc/zeo/zeo.conf", "<filestorage 1>\npath /d\n</filestorage>"}}, {}, {}, 0};
  EXPECT_EQ(Found(world, "<zrs>\nreplicate-to 1\nzeo-conf zeo/zeo.conf\n</zrs>"), "/d from /etc/zeo/zeo.conf:2");
}

TEST(ZeoStorage, IsOneByDefault) {
  EXPECT_EQ(Found("<filestorage 2>\npath /b\n</filestorage>\n<filestorage 1>\npath /a\n</filestorage>\n"),
            "/a from /zeo/zeo.conf:5");
}
TEST(ZeoStorage, WithoutANameIsOne) {
  EXPECT_EQ(Found("<filestorage>\npath /a\n</filestorage>\n<filestorage b>\npath /b\n</filestorage>\n"),
            "/a from /zeo/zeo.conf:2");
}
TEST(ZeoStorage, InAnyCase) {
  EXPECT_EQ(FoundAs("CATALOG", "<FileStorage Catalog>\nPATH /a\n</filestorage>\n"), "/a from /zeo/zeo.conf:2");
}
TEST(ZeoStorage, InsideAnyWrappers) {
  for (const char* wrapper : {"blobstorage", "zlibstorage", "serverzlibstorage", "cipher.encryptingstorage", "zrs"}) {
    EXPECT_EQ(Found(absl::StrCat("%import x\n<", wrapper, " 1>\nconfig $NOWHERE\n<filestorage other>\npath /a\n",
                                 "</filestorage>\n</", wrapper, ">\n")),
              "/a from /zeo/zeo.conf:5")
        << wrapper;
  }
  EXPECT_EQ(Found("<zlibstorage>\n<serverzlibstorage>\n<keys>\n<key/>\n</keys>\n<filestorage>\npath /a\n"
                  "</filestorage>\n</serverzlibstorage>\n</zlibstorage>"),
            "/a from /zeo/zeo.conf:7");
}
TEST(ZeoStorage, OfAZopeConfiguration) {
  EXPECT_EQ(FoundAs("main",
                    "instancehome $INSTANCE\n<zodb_db main>\n<filestorage>\npath /a\n</filestorage>\n"
                    "mount-point /\n</zodb_db>\n<environment>\nA b\n</environment>\n"),
            "/a from /zeo/zeo.conf:4");
}
TEST(ZeoStorage, OthersAreSkippedWhateverTheyAre) {
  EXPECT_EQ(Found("<zeo 1>\naddress $HERE\n</zeo>\n<demostorage temporary>\n<filestorage>\npath x\nblob-dir y\n"
                  "</filestorage>\n</demostorage>\n<relstorage 2>\n</relstorage>\n<filestorage 1>\npath /a\n"
                  "</filestorage>\n<filestorage 3>\npath $A\n</filestorage>\n<some.package>\na $\n<b/>\n"
                  "</some.package>\n"),
            "/a from /zeo/zeo.conf:13");
}

TEST(Path, IsSubstituted) {
  const TestWorld world{
      {{"/zeo/zeo.conf", "%define A /a\n%define B $A/${a}\n<filestorage>\npath $B$(C)/$$d\n</filestorage>\n"}},
      {{"C", "/c"}},
      {},
      0};
  EXPECT_EQ(Found(world), "/a//a/c/$d from /zeo/zeo.conf:4");
}
TEST(Path, NeedsNoOtherDefinition) {
  EXPECT_EQ(Found("%define A $(NOWHERE)\n%define B $A\n%define B $A\n%define C /c\n%import $A\n<filestorage>\n"
                  "path $C\n</filestorage>\n"),
            "/c from /zeo/zeo.conf:7");
}

TEST(Include, IsRelativeToItsFile) {
  const TestWorld world{{{"/zeo/zeo.conf", "%define D /d\n%include parts/storage.conf\n"},
                         {"/zeo/parts/storage.conf", "%include more.conf\n"},
                         {"/zeo/parts/more.conf", "<filestorage 1>\npath $D/x\n</filestorage>\n"}},
                        {},
                        {},
                        0};
  EXPECT_EQ(Found(world), "/d/x from /zeo/parts/more.conf:2");
}
TEST(Include, MayBeInsideAStorage) {
  const TestWorld world{
      {{"/zeo/zeo.conf", "<filestorage 1>\n%include path.conf\n</filestorage>\n"}, {"/zeo/path.conf", "path /d\n"}},
      {},
      {},
      0};
  EXPECT_EQ(Found(world), "/d from /zeo/path.conf:1");
}

}  // namespace
}  // namespace zrs::config
