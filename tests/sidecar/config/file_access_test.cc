// owner, group and mode of a copy's files.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "sidecar/config/loader.h"
#include "tests/sidecar/config/test_environment.h"

namespace zrs::config {
namespace {

using Id = std::optional<uint32_t>;

absl::StatusOr<Settings> Load(const std::string& keys) {
  TestWorld world;
  world.users = {{"zope", {500, 600}}, {"501", {501, 601}}};
  world.groups = {{"plone", 700}};
  world.files["/etc/zrs.conf"] =
      absl::StrCat("<secondary>\naddress h:1\n", keys, "\n<filestorage>\npath /x\n</filestorage>\n</secondary>\n");
  return LoadSettings("/etc/zrs.conf", MakeEnvironment(world));
}

StorageSettings Loaded(const std::string& keys) {
  const absl::StatusOr<Settings> settings = Load(keys);
  EXPECT_TRUE(settings.ok()) << settings.status();
  return settings.ok() ? settings->storages[0] : StorageSettings();
}

std::string Message(const std::string& keys) { return std::string(Load(keys).status().message()); }

TEST(Owner, IsNotSaid) {
  const StorageSettings storage = Loaded("");
  EXPECT_EQ(storage.owner_id, Id());
  EXPECT_EQ(storage.group_id, Id());
  EXPECT_EQ(storage.mode, Id());
  EXPECT_EQ(storage.owner, "");
}
TEST(Owner, ByName) {
  const StorageSettings storage = Loaded("owner zope");
  EXPECT_EQ(storage.owner_id, Id(500));
  EXPECT_EQ(storage.group_id, Id(600));
  EXPECT_EQ(storage.owner, "zope");
  EXPECT_EQ(storage.group, "");
}
TEST(Owner, ByNumber) {
  const StorageSettings storage = Loaded("owner 501");
  EXPECT_EQ(storage.owner_id, Id(501));
  EXPECT_EQ(storage.group_id, Id(601));
}
TEST(Owner, ByANumberThatIsUnknownHere) {
  const StorageSettings storage = Loaded("owner 502");
  EXPECT_EQ(storage.owner_id, Id(502));
  EXPECT_EQ(storage.group_id, Id());
  EXPECT_EQ(Loaded("owner 4294967294").owner_id, Id(4294967294));
}
TEST(Owner, Unknown) {
  EXPECT_EQ(Message("owner nobdy"),
            "/etc/zrs.conf:3: owner: this host has no user \"nobdy\"; create it, or write its number, which has to be "
            "the same wherever the files are used");
  // The largest number means something else to the system.
  for (const char* name : {"-1", "4294967295", "99999999999", "0x1", "1 2"}) {
    EXPECT_NE(Message(absl::StrCat("owner ", name)).find("this host has no user"), std::string::npos) << name;
  }
}
TEST(Owner, Empty) {
  EXPECT_EQ(Message("owner"),
            "/etc/zrs.conf:3: owner: the name is empty; write the name or the number of a user or group of this host");
}

TEST(Group, ByName) {
  const StorageSettings storage = Loaded("owner zope\ngroup plone");
  EXPECT_EQ(storage.owner_id, Id(500));
  EXPECT_EQ(storage.group_id, Id(700));
  EXPECT_EQ(storage.group, "plone");
}
TEST(Group, WithoutAnOwner) {
  const StorageSettings storage = Loaded("group 701");
  EXPECT_EQ(storage.owner_id, Id());
  EXPECT_EQ(storage.group_id, Id(701));
}
TEST(Group, Unknown) {
  EXPECT_EQ(Message("owner zope\ngroup plnoe"),
            "/etc/zrs.conf:4: group: this host has no group \"plnoe\"; create it, or write its number, which has to be "
            "the same wherever the files are used");
}

TEST(Mode, IsOctal) {
  EXPECT_EQ(Loaded("mode 640").mode, Id(0640));
  EXPECT_EQ(Loaded("mode 0664").mode, Id(0664));
  EXPECT_EQ(Loaded("mode 777").mode, Id(0777));
}
TEST(Mode, Malformed) {
  for (const char* mode : {"", "rw-r--r--", "1640", "648", "-640", "00000000000000000640640", "u=rw"}) {
    EXPECT_EQ(Message(absl::StrCat("mode ", mode)),
              absl::StrCat("/etc/zrs.conf:3: mode: \"", mode,
                           "\" is not permissions in octal; write three octal digits, such as 640"));
  }
}
TEST(Mode, ThatLocksTheOwnerOut) {
  EXPECT_EQ(Message("mode 440"), "/etc/zrs.conf:3: mode: with \"440\" the owner could not read and write; write 640");
  EXPECT_EQ(Message("mode 0"), "/etc/zrs.conf:3: mode: with \"0\" the owner could not read and write; write 600");
}

TEST(ProcessEnvironment, KnowsRoot) {
  const Environment environment = ProcessEnvironment();
  for (const char* name : {"root", "0"}) {
    const std::optional<User> user = environment.find_user(name);
    ASSERT_TRUE(user.has_value()) << name;
    EXPECT_EQ(user->id, 0u);
    EXPECT_EQ(user->group_id, 0u);
    EXPECT_EQ(environment.find_group(name), Id(0));
  }
}
TEST(ProcessEnvironment, KnowsNobodyElse) {
  const Environment environment = ProcessEnvironment();
  for (const char* name : {"", "no such user", "4294967295", " 0", "+0"}) {
    EXPECT_FALSE(environment.find_user(name).has_value()) << name;
    EXPECT_FALSE(environment.find_group(name).has_value()) << name;
  }
}

}  // namespace
}  // namespace zrs::config
