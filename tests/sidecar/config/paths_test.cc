#include "sidecar/config/paths.h"

#include <gtest/gtest.h>
#include <regex.h>

#include <string>

#include "absl/strings/match.h"
#include "sidecar/config/loader.h"
#include "tests/sidecar/config/test_environment.h"

namespace zrs::config {
namespace {

constexpr char kMinimal[] = "<zrs>\nreplicate-to 1\n<filestorage>\npath /x\n</filestorage>\n</zrs>\n";

// An extended regular expression for all of `text`. (g++ 12 warns within std::regex when sanitizers are on.)
bool Matches(const std::string& text, const std::string& pattern) {
  regex_t compiled;
  EXPECT_EQ(regcomp(&compiled, ("^" + pattern + "$").c_str(), REG_EXTENDED | REG_NOSUB), 0) << pattern;
  const bool matches = regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
  regfree(&compiled);
  return matches;
}

TestWorld World(uint32_t user_id, std::map<std::string, std::string> variables) {
  return TestWorld{{{"/etc/zrs.conf", kMinimal}, {"/etc/b.conf", kMinimal}}, std::move(variables), {}, user_id};
}

SidecarSettings Load(const TestWorld& world, const std::string& path = "/etc/zrs.conf") {
  const absl::StatusOr<Settings> settings = LoadSettings(path, MakeEnvironment(world));
  EXPECT_TRUE(settings.ok()) << settings.status();
  return settings.ok() ? settings->sidecar : SidecarSettings();
}

TEST(Defaults, OfRoot) {
  const SidecarSettings settings = Load(World(0, {{"XDG_RUNTIME_DIR", "/run/user/0"}, {"HOME", "/root"}}));
  EXPECT_TRUE(Matches(settings.admin_socket, "/run/zrs/[0-9a-f]{16}\\.sock")) << settings.admin_socket;
  EXPECT_TRUE(Matches(settings.state_dir, "/var/lib/zrs/[0-9a-f]{16}")) << settings.state_dir;
}
TEST(Defaults, OfAUserWithXdg) {
  const SidecarSettings settings = Load(
      World(1000, {{"XDG_RUNTIME_DIR", "/run/user/1000"}, {"XDG_STATE_HOME", "/home/z/state"}, {"HOME", "/home/z"}}));
  EXPECT_TRUE(Matches(settings.admin_socket, "/run/user/1000/zrs/[0-9a-f]{16}\\.sock")) << settings.admin_socket;
  EXPECT_TRUE(Matches(settings.state_dir, "/home/z/state/zrs/[0-9a-f]{16}")) << settings.state_dir;
}
TEST(Defaults, OfAUserWithoutXdg) {
  const SidecarSettings settings = Load(World(1000, {{"HOME", "/home/z"}}));
  EXPECT_TRUE(Matches(settings.admin_socket, "/tmp/zrs-1000/[0-9a-f]{16}\\.sock")) << settings.admin_socket;
  EXPECT_TRUE(Matches(settings.state_dir, "/home/z/\\.local/state/zrs/[0-9a-f]{16}")) << settings.state_dir;
}
TEST(Defaults, RelativeXdgIsIgnored) {
  const SidecarSettings settings =
      Load(World(1000, {{"XDG_RUNTIME_DIR", "run"}, {"XDG_STATE_HOME", ""}, {"HOME", "/home/z"}}));
  EXPECT_TRUE(absl::StartsWith(settings.admin_socket, "/tmp/zrs-1000/"));
  EXPECT_TRUE(absl::StartsWith(settings.state_dir, "/home/z/.local/"));
}
TEST(Defaults, DifferForTwoConfigurations) {
  const TestWorld world = World(0, {});
  EXPECT_NE(Load(world).admin_socket, Load(world, "/etc/b.conf").admin_socket);
  EXPECT_NE(Load(world).state_dir, Load(world, "/etc/b.conf").state_dir);
}
TEST(Defaults, AreTheSameThroughALink) {
  TestWorld world = World(0, {});
  world.real_paths = {{"/etc/zrs.conf", "/srv/a"}, {"/etc/b.conf", "/srv/a"}};
  EXPECT_EQ(Load(world).admin_socket, Load(world, "/etc/b.conf").admin_socket);
  EXPECT_EQ(Load(world).state_dir, Load(world, "/etc/b.conf").state_dir);
}
TEST(Defaults, AreTheSameByARelativeName) {
  TestWorld world = World(0, {});
  world.files["/work/c.conf"] = kMinimal;
  EXPECT_EQ(Load(world, "c.conf").state_dir, Load(world, "/work/c.conf").state_dir);
}
TEST(Defaults, NoHome) {
  EXPECT_EQ(
      LoadSettings("/etc/zrs.conf", MakeEnvironment(World(1000, {}))).status().message(),
      "/etc/zrs.conf: no default for state-dir: the environment has neither XDG_STATE_HOME nor HOME; add a <sidecar> "
      "section with a state-dir");
}
TEST(Defaults, RuntimeDirectoryTooLong) {
  const std::string message(
      LoadSettings("/etc/zrs.conf",
                   MakeEnvironment(World(1000, {{"XDG_RUNTIME_DIR", "/" + std::string(90, 'a')}, {"HOME", "/h"}})))
          .status()
          .message());
  EXPECT_TRUE(absl::StartsWith(message, "/etc/zrs.conf: the default admin-socket /aaa")) << message;
  EXPECT_TRUE(
      absl::EndsWith(message,
                     " has 117 bytes, but the path of a Unix socket at most 107; add a <sidecar> section with a "
                     "shorter admin-socket"))
      << message;
}
TEST(Defaults, AreNotNeededWhereAllIsSaid) {
  TestWorld world = World(1000, {});
  world.files["/etc/zrs.conf"] = std::string("<sidecar>\nadmin-socket /a\nstate-dir /s\n</sidecar>\n") + kMinimal;
  EXPECT_EQ(Load(world).state_dir, "/s");
}

TEST(ResolvePath, Forms) {
  EXPECT_EQ(ResolvePath("a/b", "/etc", true).value(), "/etc/a/b");
  EXPECT_EQ(ResolvePath("././a", "/etc", true).value(), "/etc/a");
  EXPECT_EQ(ResolvePath("../a", "/etc/x", true).value(), "/etc/x/../a");
  EXPECT_EQ(ResolvePath("/a", "/etc", true).value(), "/a");
  EXPECT_EQ(ResolvePath("/a//", "/etc", false).value(), "/a");
  EXPECT_EQ(ResolvePath("/", "/etc", false).value(), "/");
}

}  // namespace
}  // namespace zrs::config
