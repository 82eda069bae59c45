// What storages of one process must not have in common, with its message.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sidecar/config/error_messages.h"
#include "tests/sidecar/config/test_environment.h"

namespace zrs::config {
namespace {

TEST(Conflicts, SameFile) {
  EXPECT_EQ(
      Message(Storage("a", "replicate-to 1", "data/../x") + Storage("b", "replicate-to 2", "/etc/x")),
      "/etc/zrs.conf:7: the data file /etc/x is also that of storage \"a\" at /etc/zrs.conf:1; each storage needs "
      "a file of its own");
}
TEST(Conflicts, SameFileByALink) {
  TestWorld world;
  world.files["/etc/zrs.conf"] = Storage("a", "replicate-to 1", "/a/x") + Storage("b", "replicate-to 2", "/b/y");
  EXPECT_EQ(Message(world), "no error");
  world.real_paths = {{"/a/x", "/c/z"}, {"/b/y", "/c/z"}};
  EXPECT_NE(Message(world).find("the data file /b/y is also that"), std::string::npos);
}
TEST(Conflicts, SameFileInALinkedDirectory) {
  TestWorld world;
  world.files["/etc/zrs.conf"] = Storage("a", "replicate-to 1", "/a/x") + Storage("b", "replicate-to 2", "/b/x");
  world.real_paths = {{"/a", "/c"}, {"/b", "/c"}};
  EXPECT_NE(Message(world).find("the data file /b/x is also that"), std::string::npos);
}
TEST(Conflicts, SharedAddressInsecureForOne) {
  EXPECT_EQ(Message(Storage("a", "replicate-to 1", "x") + Storage("b", "replicate-to :1\ninsecure on", "y")),
            "/etc/zrs.conf:7: shares the address 1 with storage \"a\" at /etc/zrs.conf:1, but only one of them says "
            "insecure; say the same in both, or give them different addresses");
}
TEST(Conflicts, AddressesThatCannotBeBoundTogether) {
  const std::pair<const char*, const char*> cases[] = {
      {"5000", "0.0.0.0:5000"},
      {"0.0.0.0:5000", "5000"},
      {"5000", "[::]:5000"},
      {"5000", "localhost:5000"},
      {"192.168.1.5:5000", "[::]:5000"},
      {"5000", "host:5000"},
      {"localhost:5000", "[::1]:5000"},
      {"localhost:5000", "127.0.0.1:5000"},
      {"127.0.0.1:5000", "localhost:5000"},
  };
  for (const auto& [first, second] : cases) {
    EXPECT_EQ(Message(Storage("a", absl::StrCat("replicate-to ", first), "x") +
                      Storage("b", absl::StrCat("replicate-to ", second), "y")),
              absl::StrCat("/etc/zrs.conf:7: listens on ", second, ", and storage \"a\" at /etc/zrs.conf:1 on ", first,
                           ": the same port of the same interface; write the same address in both to share it, or "
                           "another port"));
  }
}
TEST(Conflicts, AddressesThatCanBeBoundTogether) {
  const std::pair<const char*, const char*> cases[] = {
      {"5000", "5000"},
      {"5000", ":5000"},
      {"5000", "5001"},
      {"localhost:5000", "host:5000"},
      {"5000", "/run/5000"},
      {"127.0.0.1:5000", "127.0.0.2:5000"},
      {"[::1]:5000", "127.0.0.1:5000"},
  };
  for (const auto& [first, second] : cases) {
    EXPECT_EQ(Message(Storage("a", absl::StrCat("replicate-to ", first), "x") +
                      Storage("b", absl::StrCat("replicate-to ", second), "y")),
              "no error");
  }
}
TEST(Conflicts, AdminSocket) {
  EXPECT_EQ(Message("<sidecar>\nadmin-socket /s\n</sidecar>\n" + Zrs("replicate-to /s")),
            "/etc/zrs.conf:4: listens on /s, which is the admin-socket; choose another address for followers");
}

TEST(Conflicts, HealthAddress) {
  const std::string health = "<sidecar>\nadmin-socket /s\nhealth-address 127.0.0.1:8101\n</sidecar>\n";
  for (const char* address : {"8102", "127.0.0.2:8101", "[::1]:8101", "127.0.0.1:8102", "/run/8101"}) {
    EXPECT_EQ(Message(health + Zrs(absl::StrCat("replicate-to ", address))), "no error");
  }
  for (const char* address : {"8101", "0.0.0.0:8101", "[::]:8101", "localhost:8101"}) {
    EXPECT_EQ(Message(health + Zrs(absl::StrCat("replicate-to ", address))),
              absl::StrCat("/etc/zrs.conf:5: listens on ", address,
                           ", and the health-address is 127.0.0.1:8101: the same port of the same interface; choose "
                           "another port for one of the two"));
  }
  EXPECT_EQ(Message(health + Zrs("replicate-to 127.0.0.1:8101")),
            "/etc/zrs.conf:5: listens on 127.0.0.1:8101, which is the health-address; choose another address for one "
            "of the two");
  EXPECT_EQ(Message(Sidecar("admin-socket /s\nhealth-address /s")),
            "/etc/zrs.conf:3: health-address is the admin-socket; choose another one for it");
}

}  // namespace
}  // namespace zrs::config
