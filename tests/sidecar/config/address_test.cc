#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "sidecar/config/values.h"

namespace zrs::config {
namespace {

std::string Parsed(absl::string_view text) {
  const absl::StatusOr<Address> address = ParseAddress(text);
  if (!address.ok()) return std::string(address.status().message());
  return absl::StrCat(address->path, "|", address->host, "|", address->port);
}

TEST(Address, BarePort) { EXPECT_EQ(Parsed("5000"), "||5000"); }
TEST(Address, PortWithEmptyHost) { EXPECT_EQ(Parsed(":5000"), "||5000"); }
TEST(Address, HostAndPort) { EXPECT_EQ(Parsed("Primary-Host.example.org:65535"), "|primary-host.example.org|65535"); }
TEST(Address, HostWithUnderscore) { EXPECT_EQ(Parsed("zeo_1:1"), "|zeo_1|1"); }
TEST(Address, V4) { EXPECT_EQ(Parsed("192.168.1.20:5000"), "|192.168.1.20|5000"); }
TEST(Address, V6) {
  EXPECT_EQ(Parsed("[::1]:5000"), "|::1|5000");
  EXPECT_EQ(Parsed("[2001:DB8::A]:5000"), "|2001:db8::a|5000");
  EXPECT_EQ(Parsed("[fe80::1%eth0]:5000"), "|fe80::1%eth0|5000");
}
TEST(Address, Path) {
  EXPECT_EQ(Parsed("/run/zrs.sock"), "/run/zrs.sock||0");
  EXPECT_EQ(Parsed("./zrs.sock:5000"), "./zrs.sock:5000||0");
}

TEST(Address, IsWrittenAsItIsRead) {
  for (const char* text : {"5000", "host:1", "[::1]:5000", "/run/zrs.sock"}) {
    EXPECT_EQ(AddressText(ParseAddress(text).value()), text);
  }
}

constexpr absl::string_view kForms =
    "; write PORT, HOST:PORT, [V6ADDRESS]:PORT, or the path of a Unix socket with a slash in it";

std::string Refusal(absl::string_view text, absl::string_view why) {
  return absl::StrCat("\"", text, "\" is not an address: ", why, kForms);
}

TEST(BadAddress, Empty) { EXPECT_EQ(Parsed(""), Refusal("", "it is empty")); }
TEST(BadAddress, HostWithoutPort) {
  EXPECT_EQ(Parsed("primary"), Refusal("primary", "it has no port"));
  EXPECT_EQ(Parsed("[::1]"), Refusal("[::1]", "it has no port"));
}
TEST(BadAddress, PortOutOfRange) {
  for (const char* text :
       {"0", "65536", "host:0", "host:99999999999", "host:", "host:http", "host:-1", "host:+1", ":"}) {
    EXPECT_EQ(Parsed(text), Refusal(text, "a port is a number from 1 to 65535"));
  }
}
TEST(BadAddress, V6WithoutBrackets) {
  EXPECT_EQ(Parsed("::1:5000"),
            "\"::1:5000\" is not an address: it has several colons; write an IPv6 address as "
            "[ADDRESS]:PORT");
}
TEST(BadAddress, Url) {
  // It has slashes and would be the path of a socket named "http:".
  EXPECT_EQ(Parsed("http://host:5000"), Refusal("http://host:5000", "it is a URL"));
}
TEST(BadAddress, NoV6InTheBrackets) {
  for (const char* text : {"[]:1", "[host]:1", "[1.2.3.4]:1", "[::1::]:1", "[::1%]:1"}) {
    EXPECT_EQ(Parsed(text), Refusal(text, "in the brackets is no IPv6 address"));
  }
}
TEST(BadAddress, NoV4) { EXPECT_EQ(Parsed("1.2.3:5000"), Refusal("1.2.3:5000", "no IPv4 address has this form")); }
TEST(BadAddress, Star) { EXPECT_EQ(Parsed("*:5000"), Refusal("*:5000", "a bare port listens on all interfaces")); }
TEST(BadAddress, OtherCharacters) {
  for (const char* text : {"a b:5000", "h\xC3\xB6st:5000", "user@host:5000", "[::1:5000"}) {
    EXPECT_NE(Parsed(text).find(" is not an address: "), std::string::npos) << text;
  }
}
TEST(BadAddress, HostTooLong) {
  const std::string text = std::string(254, 'a') + ":1";
  EXPECT_NE(Parsed(text).find("longer than 253 bytes"), std::string::npos);
}
TEST(BadAddress, TwoAddresses) {
  EXPECT_EQ(
      Parsed("host:5000 host:5001"),
      "\"host:5000 host:5001\" is not an address: it has several colons; write an IPv6 address as [ADDRESS]:PORT");
}

}  // namespace
}  // namespace zrs::config
