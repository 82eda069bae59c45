// What describes settings is a configuration of the same settings.
#include "sidecar/config/describe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sidecar/config/keys.h"
#include "sidecar/config/loader.h"
#include "tests/sidecar/config/test_environment.h"

namespace zrs::config {
namespace {

constexpr char kFileStorageText[] = "<filestorage>\npath /data/Data.fs\n</filestorage>\n</zrs>\n";

Settings Load(const std::string& text) {
  TestWorld world;
  world.users = {{"zope", {500, 600}}};
  world.groups = {{"plone", 700}};
  world.variables = {{"HOME", "/home/$HOME"}};
  world.files = {{"/etc/zrs.conf", text}, {"/etc/zeo.conf", "<filestorage>\npath /from/zeo.conf\n</filestorage>\n"}};
  const absl::StatusOr<Settings> settings = LoadSettings("/etc/zrs.conf", MakeEnvironment(world));
  EXPECT_TRUE(settings.ok()) << settings.status() << "\n" << text;
  return settings.ok() ? *settings : Settings();
}

auto Fields(const SidecarSettings& s) {
  return std::tie(s.admin_socket, s.health_address, s.state_dir, s.log_file, s.log_level, s.stop_timeout);
}
// But for the places where it was written.
auto Fields(const StorageSettings& s) {
  return std::tie(s.name, s.path, s.replicate_from, s.listen, s.source_name, s.blobs_external, s.insecure,
                  s.max_followers, s.keep_alive_delay, s.poll_interval, s.reconnect_delay, s.max_lag, s.keep_old,
                  s.on_swap, s.fence_command, s.owner, s.owner_id, s.group_id, s.mode);
}

void ExpectRoundTrip(const std::string& text) {
  const Settings before = Load(text);
  const std::string described = DescribeSettings(before);
  const Settings after = Load(described);
  EXPECT_EQ(Fields(before.sidecar), Fields(after.sidecar)) << described;
  ASSERT_EQ(before.storages.size(), after.storages.size()) << described;
  for (size_t i = 0; i < before.storages.size(); ++i) {
    EXPECT_EQ(Fields(before.storages[i]), Fields(after.storages[i])) << described;
  }
  EXPECT_EQ(DescribeSettings(after).substr(0, described.find("    # from ")),
            described.substr(0, described.find("    # from ")));
}

std::string Zrs(const std::string& name, const std::string& keys) {
  return absl::StrCat("<zrs ", name, ">\n", keys, "\n<filestorage>\npath ", name, ".fs\n</filestorage>\n</zrs>\n");
}

TEST(Description, OfDefaults) {
  const std::string text = DescribeSettings(Load(absl::StrCat(
      "<sidecar>\nadmin-socket /a\nstate-dir /s\n</sidecar>\n<zrs>\nreplicate-to 5000\n", kFileStorageText)));
  EXPECT_EQ(text,
            "<sidecar>\n  admin-socket /a\n  # health-address: none\n  state-dir /s\n  log-file STDERR\n"
            "  log-level info\n  stop-timeout 30s\n</sidecar>\n"
            "\n<zrs 1>\n  # a primary\n  # replicate-from: none: a primary\n  replicate-to 5000\n  insecure off\n"
            "  max-followers 64\n  inspect-rate 200MB\n  keep-alive-delay 2s\n  poll-interval 1s\n  # blobs: none\n"
            "  <filestorage>\n    path /data/Data.fs\n  </filestorage>\n</zrs>\n");
}
TEST(Description, OfASecondary) {
  const std::string text =
      DescribeSettings(Load(absl::StrCat("<zrs a>\nreplicate-from 5000\nowner zope\n", kFileStorageText)));
  EXPECT_EQ(text.substr(text.find("\n<zrs a>")),
            "\n<zrs a>\n  # a secondary\n  replicate-from localhost:5000\n  # replicate-to: none\n"
            "  # source-name: the only one, or of the same name\n  keep-alive-delay 2s\n  reconnect-delay 10s\n"
            "  max-lag 1m\n  scrub-interval 7d\n  scrub-rate 20MB\n  index-interval 10m\n  keep-old on\n  # on-swap: "
            "none\n  # "
            "fence-command: none\n"
            "  owner zope\n  group 600\n  # mode: as the primary file's mode\n  # blobs: none\n"
            "  <filestorage>\n    path /data/Data.fs\n  </filestorage>\n</zrs>\n");
}
TEST(Description, TellsWhereThePathIsFrom) {
  const std::string text = DescribeSettings(Load("<zrs>\nreplicate-to 5000\nzeo-conf zeo.conf\n</zrs>\n"));
  EXPECT_NE(text.find("    # from /etc/zeo.conf:2\n    path /from/zeo.conf\n"), std::string::npos) << text;
}

TEST(Description, IsLoadedToTheSame) {
  ExpectRoundTrip(Zrs("a", "replicate-to 5000"));
  ExpectRoundTrip(Zrs("a", "replicate-from host:5000"));
  ExpectRoundTrip(absl::StrCat(
      "<sidecar>\nadmin-socket s\nhealth-address [::]:8101\nstate-dir d\nlog-file $(HOME)/l\nlog-level debug\n"
      "stop-timeout 1500ms\n</sidecar>\n",
      Zrs("a",
          "replicate-to :5000\ninsecure yes\nmax-followers 2\ninspect-rate 1025KB\nkeep-alive-delay "
          "0.0100000001\npoll-interval 1.5m\n"
          "blobs external"),
      Zrs("b",
          "replicate-to 5000\ninsecure on\nreplicate-from ./b.sock\nsource-name C\nreconnect-delay 1h\n"
          "max-lag 1d\nscrub-interval 0\nscrub-rate 12345\nindex-interval 0\n"
          "keep-old no\non-swap touch a; b $$c\nfence-command power "
          "off\nowner zope\ngroup plone\nmode "
          "0664"),
      Zrs("c", "replicate-from [::1]:5000\nowner 77"), Zrs("d", "replicate-from h:1\ngroup 78\nkeep-alive-delay 90"),
      "<zrs e>\nreplicate-from h:1\nzeo-conf zeo.conf\nzeo-storage 1\n</zrs>\n"));
}
TEST(Description, OfADollarSignIsLoadedToTheSame) {
  const Settings settings = Load("<zrs>\nreplicate-to 1\n<filestorage>\npath /a$$b/$(HOME)\n</filestorage>\n</zrs>\n");
  EXPECT_EQ(settings.storages[0].path, "/a$b//home/$HOME");
  EXPECT_EQ(Load(DescribeSettings(settings)).storages[0].path, "/a$b//home/$HOME");
}

// A key that were forgotten here would be described as if it were not there.
TEST(Description, HasEveryKey) {
  const Settings settings =
      Load(absl::StrCat("<sidecar>\nhealth-address 1\nlog-file l\n</sidecar>\n",
                        Zrs("a",
                            "replicate-from h:1\nreplicate-to 5000\nsource-name b\non-swap x\nfence-command y\n"
                            "owner zope\ngroup plone\nmode 640\n"
                            "blobs external"),
                        Zrs("b", "replicate-to 5000")));
  std::vector<EffectiveKey> keys = EffectiveKeys(settings.sidecar);
  for (const StorageSettings& storage : settings.storages) {
    for (const EffectiveKey& key : EffectiveKeys(storage)) keys.push_back(key);
  }
  for (const KeySpec& spec : Keys()) {
    const bool elsewhere = spec.name == "address" || spec.name == "zeo-conf" || spec.name == "zeo-storage";
    if (elsewhere || spec.effect == Effect::kIgnored) continue;
    EXPECT_TRUE(std::ranges::any_of(keys, [&](const EffectiveKey& key) { return key.name == spec.name && key.value; }))
        << spec.name;
  }
}

}  // namespace
}  // namespace zrs::config
