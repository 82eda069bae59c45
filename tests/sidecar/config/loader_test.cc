// From a configuration to settings. What is refused: loader_errors_test.
#include "sidecar/config/loader.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sidecar/config/test_environment.h"

namespace zrs::config {
namespace {

constexpr char kFileStorageText[] = "<filestorage>\npath /data/Data.fs\n</filestorage>\n";

absl::StatusOr<Settings> Load(const TestWorld& world, const std::string& path = "/etc/zrs/zrs.conf") {
  return LoadSettings(path, MakeEnvironment(world));
}

absl::StatusOr<Settings> Load(const std::string& text) {
  return Load(TestWorld{{{"/etc/zrs/zrs.conf", text}}, {}, {}, 0});
}

// The only storage.
StorageSettings LoadStorage(const std::string& text) {
  const absl::StatusOr<Settings> settings = Load(text);
  EXPECT_TRUE(settings.ok()) << settings.status();
  if (!settings.ok()) return {};
  EXPECT_EQ(settings->storages.size(), 1u);
  return settings->storages[0];
}

std::string Zrs(const std::string& keys) {
  return absl::StrCat("<zrs main>\n", keys, "\n", kFileStorageText, "</zrs>\n");
}

TEST(Storage, PrimaryWithDefaults) {
  const StorageSettings storage = LoadStorage("\n" + Zrs("replicate-to 5000"));
  EXPECT_TRUE(storage.is_primary());
  EXPECT_EQ(storage.name, "main");
  EXPECT_EQ(storage.path, "/data/Data.fs");
  EXPECT_EQ(storage.listen, "5000");
  EXPECT_EQ(storage.replicate_from, "");
  EXPECT_EQ(storage.source_name, "");
  EXPECT_FALSE(storage.insecure);
  EXPECT_FALSE(storage.blobs_external);
  EXPECT_EQ(storage.max_followers, 64u);
  EXPECT_EQ(storage.keep_alive_delay, absl::Seconds(2));
  EXPECT_EQ(storage.poll_interval, absl::Seconds(1));
  EXPECT_EQ(storage.path_origin, "");
  EXPECT_EQ(storage.file, "/etc/zrs/zrs.conf");
  EXPECT_EQ(storage.line, 2);
}

TEST(Storage, EveryKey) {
  const StorageSettings storage = LoadStorage(Zrs(
      "replicate-from Primary.example.org:5000\nreplicate-to 5001\nsource-name Other\ninsecure on\nmax-followers 7\n"
      "keep-alive-delay 60\nreconnect-delay 1m\nmax-lag 2m\nblobs external"));
  EXPECT_FALSE(storage.is_primary());
  EXPECT_EQ(storage.replicate_from, "primary.example.org:5000");
  EXPECT_EQ(storage.listen, "5001");
  EXPECT_EQ(storage.source_name, "other");
  EXPECT_TRUE(storage.insecure);
  EXPECT_TRUE(storage.blobs_external);
  EXPECT_EQ(storage.max_followers, 7u);
  EXPECT_EQ(storage.keep_alive_delay, absl::Minutes(1));
  EXPECT_EQ(storage.reconnect_delay, absl::Minutes(1));
  EXPECT_EQ(storage.max_lag, absl::Minutes(2));
}

TEST(Storage, SecondaryOnlyFollows) {
  const StorageSettings storage = LoadStorage(Zrs("replicate-from primary:5000"));
  EXPECT_EQ(storage.listen, "");
  EXPECT_EQ(storage.reconnect_delay, absl::Seconds(10));
  EXPECT_EQ(storage.max_lag, absl::Minutes(1));
}

TEST(Storage, PollIntervalOfAPrimary) {
  EXPECT_EQ(LoadStorage(Zrs("replicate-to 5000\npoll-interval 250ms")).poll_interval, absl::Milliseconds(250));
  EXPECT_EQ(LoadStorage(absl::StrCat("<primary>\naddress 5000\npoll-interval 2\n", kFileStorageText, "</primary>\n"))
                .poll_interval,
            absl::Seconds(2));
}

TEST(Storage, SectionPrimary) {
  const StorageSettings storage = LoadStorage(absl::StrCat(
      "%import zc.zrs\n<primary 1>\naddress 5000\nkeep-alive-delay 3s\n", kFileStorageText, "</primary>\n"));
  EXPECT_EQ(storage.name, "1");
  EXPECT_EQ(storage.listen, "5000");
  EXPECT_TRUE(storage.is_primary());
  EXPECT_EQ(storage.keep_alive_delay, absl::Seconds(3));
}

TEST(Storage, SectionSecondary) {
  const StorageSettings storage = LoadStorage(absl::StrCat(
      "<secondary 1>\naddress primary-host:5000\nreplicate-to 5001\n", kFileStorageText, "</secondary>\n"));
  EXPECT_EQ(storage.replicate_from, "primary-host:5000");
  EXPECT_EQ(storage.listen, "5001");
}

TEST(Storage, WithoutANameIsOne) {
  EXPECT_EQ(LoadStorage(absl::StrCat("<zrs>\nreplicate-to 1\n", kFileStorageText, "</zrs>")).name, "1");
}

TEST(Storage, NamesAreLowered) {
  EXPECT_EQ(LoadStorage(absl::StrCat("<ZRS Main_2.x-y>\nREPLICATE-TO 1\n", kFileStorageText, "</zrs>")).name,
            "main_2.x-y");
}

TEST(Storage, BarePortIsOnLocalhostWhereOneConnects) {
  EXPECT_EQ(LoadStorage(Zrs("replicate-from 5000")).replicate_from, "localhost:5000");
}

TEST(Storage, AddressesOfEveryForm) {
  EXPECT_EQ(LoadStorage(Zrs("replicate-to [::1]:5000")).listen, "[::1]:5000");
  EXPECT_EQ(LoadStorage(Zrs("replicate-to 127.0.0.1:5000")).listen, "127.0.0.1:5000");
  EXPECT_EQ(LoadStorage(Zrs("replicate-to /run/zrs/main.sock")).listen, "/run/zrs/main.sock");
  EXPECT_EQ(LoadStorage(Zrs("replicate-to ./main.sock")).listen, "/etc/zrs/main.sock");
  EXPECT_EQ(LoadStorage(Zrs("replicate-from ./main.sock")).replicate_from, "/etc/zrs/main.sock");
}

TEST(Storage, SeveralAddressesToFollow) {
  EXPECT_EQ(LoadStorage(Zrs("replicate-from One:5000 \t two:5000  5001 ./a.sock")).replicate_from,
            "one:5000 two:5000 localhost:5001 /etc/zrs/a.sock");
  EXPECT_EQ(LoadStorage(absl::StrCat("<secondary>\naddress one:5000 two:5000\n", kFileStorageText, "</secondary>"))
                .replicate_from,
            "one:5000 two:5000");
  std::string most = "replicate-from";
  for (int port = 1; port <= 16; ++port) absl::StrAppend(&most, " host:", port);
  EXPECT_EQ(absl::StrCat("replicate-from ", LoadStorage(Zrs(most)).replicate_from), most);
}

TEST(Storage, SamePortOfAnotherHostIsFine) {
  EXPECT_EQ(LoadStorage(Zrs("replicate-from primary:5000\nreplicate-to 5000")).listen, "5000");
}

TEST(FileStorage, RelativePathIsRelativeToTheConfiguration) {
  EXPECT_EQ(LoadStorage("<zrs>\nreplicate-to 1\n<filestorage>\npath var/Data.fs\n</filestorage>\n</zrs>").path,
            "/etc/zrs/var/Data.fs");
}

TEST(FileStorage, RelativePathInAnIncludedFileToo) {
  const absl::StatusOr<Settings> settings = Load(TestWorld{
      {{"/etc/zrs/zrs.conf", "%include more/main.conf"},
       {"/etc/zrs/more/main.conf", "<zrs>\nreplicate-to 1\n<filestorage>\npath Data.fs\n</filestorage>\n</zrs>"}},
      {},
      {},
      0});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->storages[0].path, "/etc/zrs/Data.fs");
  EXPECT_EQ(settings->storages[0].file, "/etc/zrs/more/main.conf");
}

TEST(FileStorage, KeysThatMeanNothingHere) {
  EXPECT_EQ(LoadStorage("<zrs>\nreplicate-to 1\n<filestorage 1>\npath /Data.fs\ncreate no\nread-only on\nquota 10MB\n"
                        "packer some.packer\npack-gc false\npack-keep-old true\n</filestorage>\n</zrs>")
                .path,
            "/Data.fs");
}

TEST(FileStorage, InsideWrappers) {
  EXPECT_EQ(
      LoadStorage("<zrs>\nreplicate-to 1\n<serverzlibstorage>\ncompress on\n<encryptingstorage a>\nconfig /x\n"
                  "<filestorage>\npath /Data.fs\n</filestorage>\n</encryptingstorage>\n</serverzlibstorage>\n</zrs>")
          .path,
      "/Data.fs");
}

TEST(FileStorage, BlobDirectoriesWithExternalBlobs) {
  EXPECT_EQ(LoadStorage("<zrs>\nreplicate-to 1\nblobs external\n<blobstorage>\nblob-dir /blobs\n<filestorage>\n"
                        "path /Data.fs\nblob-dir /other\n</filestorage>\n</blobstorage>\n</zrs>")
                .path,
            "/Data.fs");
}

TEST(Sidecar, Defaults) {
  const absl::StatusOr<Settings> settings = Load(Zrs("replicate-to 1"));
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->file, "/etc/zrs/zrs.conf");
  EXPECT_EQ(settings->sidecar.health_address, "");
  EXPECT_EQ(settings->sidecar.log_file, "");
  EXPECT_EQ(settings->sidecar.log_level, LogLevel::kInfo);
  EXPECT_EQ(settings->sidecar.stop_timeout, absl::Seconds(30));
}

TEST(Sidecar, EveryKey) {
  const absl::StatusOr<Settings> settings = Load(
      "<sidecar>\nadmin-socket admin.sock\nstate-dir /var/zrs/\nlog-file /var/log/zrs.log\nlog-level Warning\n"
      "stop-timeout 0\n</sidecar>\n" +
      Zrs("replicate-to 1"));
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->sidecar.admin_socket, "/etc/zrs/admin.sock");
  EXPECT_EQ(settings->sidecar.state_dir, "/var/zrs");
  EXPECT_EQ(settings->sidecar.log_file, "/var/log/zrs.log");
  EXPECT_EQ(settings->sidecar.log_level, LogLevel::kWarning);
  EXPECT_EQ(settings->sidecar.stop_timeout, absl::ZeroDuration());
}

TEST(Sidecar, HealthAddress) {
  const std::pair<const char*, const char*> addresses[] = {
      {"8101", "8101"}, {":8101", "8101"}, {"Host:8101", "host:8101"}, {"./h.sock", "/etc/zrs/h.sock"}};
  for (const auto& [written, meant] : addresses) {
    EXPECT_EQ(Load(absl::StrCat("<sidecar>\nhealth-address ", written, "\n</sidecar>\n", Zrs("replicate-to 1")))
                  ->sidecar.health_address,
              meant);
  }
}

TEST(Sidecar, LogLevels) {
  const std::pair<const char*, LogLevel> levels[] = {{"debug", LogLevel::kDebug},
                                                     {"INFO", LogLevel::kInfo},
                                                     {"warn", LogLevel::kWarning},
                                                     {"error", LogLevel::kError}};
  for (const auto& [word, level] : levels) {
    EXPECT_EQ(
        Load(absl::StrCat("<sidecar>\nlog-level ", word, "\n</sidecar>\n", Zrs("replicate-to 1")))->sidecar.log_level,
        level);
  }
}

TEST(Sidecar, LogToStandardError) {
  EXPECT_EQ(Load("<sidecar>\nlog-file STDERR\n</sidecar>\n" + Zrs("replicate-to 1"))->sidecar.log_file, "");
}

TEST(Settings, SeveralStorages) {
  const absl::StatusOr<Settings> settings = Load(
      "<zrs a>\nreplicate-to 5000\n<filestorage>\npath a.fs\n</filestorage>\n</zrs>\n"
      "<zrs b>\nreplicate-to 5000\n<filestorage>\npath b.fs\n</filestorage>\n</zrs>\n"
      "<secondary c>\naddress host:1\n<filestorage>\npath c.fs\n</filestorage>\n</secondary>\n");
  ASSERT_TRUE(settings.ok()) << settings.status();
  ASSERT_EQ(settings->storages.size(), 3u);
  EXPECT_EQ(settings->storages[0].name, "a");
  EXPECT_EQ(settings->storages[1].name, "b");
  EXPECT_EQ(settings->storages[2].name, "c");
}

TEST(Settings, RelativeConfigurationIsInTheWorkingDirectory) {
  const absl::StatusOr<Settings> settings =
      Load(TestWorld{{{"/work/conf/zrs.conf", Zrs("replicate-to ./s")}}, {}, {}, 0}, "conf/zrs.conf");
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->file, "/work/conf/zrs.conf");
  EXPECT_EQ(settings->storages[0].listen, "/work/conf/s");
}

TEST(Settings, FromRealFiles) {
  const std::filesystem::path directory = std::filesystem::path(testing::TempDir()) / "zrs_loader_test";
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "zrs.conf")
      << "%include storage.conf\n<sidecar>\nadmin-socket /a\nstate-dir s\n</sidecar>\n";
  std::ofstream(directory / "storage.conf") << Zrs("replicate-to 5000");
  const absl::StatusOr<Settings> settings = LoadSettings((directory / "zrs.conf").string());
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->storages[0].listen, "5000");
  EXPECT_EQ(settings->sidecar.state_dir, (directory / "s").string());
}

TEST(Settings, FromADirectoryIsAnError) {
  const absl::StatusOr<Settings> settings = LoadSettings("/");
  EXPECT_EQ(settings.status().message(),
            "/: cannot read the configuration: Is a directory; mend that, or name another one");
}

TEST(Settings, FromAnEndlessFileIsAnError) {
  EXPECT_EQ(LoadSettings("/dev/zero").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace zrs::config
