#include "sidecar/address/address.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace zrs::address {
namespace {

std::string Parsed(absl::string_view text, uint16_t least_port = 1) {
  const absl::StatusOr<Address> address = ParseAddress(text, least_port);
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
  EXPECT_EQ(Parsed("[FE80::1%Eth0]:5000"), "|fe80::1%Eth0|5000");
}
TEST(Address, Path) {
  EXPECT_EQ(Parsed("/run/zrs.sock"), "/run/zrs.sock||0");
  EXPECT_EQ(Parsed("./zrs.sock:5000"), "./zrs.sock:5000||0");
}

TEST(Address, PortZeroWhereItIsAllowed) {
  EXPECT_EQ(Parsed("127.0.0.1:0", 0), "|127.0.0.1|0");
  EXPECT_EQ(Parsed("0", 0), "||0");
}
TEST(Address, PathOfTheLongestLength) {
  const std::string path = "/" + std::string(106, 'a');
  EXPECT_EQ(Parsed(path), path + "||0");
}

TEST(Address, IsWrittenAsItIsRead) {
  for (const char* text : {"5000", "host:1", "[::1]:5000", "[fe80::1%Eth0]:5000", "/run/zrs.sock"}) {
    EXPECT_EQ(AddressText(ParseAddress(text).value()), text);
  }
}

bool Loopback(absl::string_view text) { return IsLoopback(ParseAddress(text).value()); }
bool EveryInterface(absl::string_view text) { return IsEveryInterface(ParseAddress(text).value()); }

TEST(Loopback, IsToldByNameOrNumber) {
  for (const char* text :
       {"localhost:1", "LocalHost:1", "127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[0:0::1]:1", "[::ffff:127.0.0.1]:1"}) {
    EXPECT_TRUE(Loopback(text)) << text;
  }
}
TEST(Loopback, NothingElseIs) {
  for (const char* text : {"1", "127.example.org:1", "12.7.0.1:1", "0.0.0.0:1", "[::]:1", "[::ffff:10.0.0.1]:1",
                           "localhost.example.org:1", "/localhost"}) {
    EXPECT_FALSE(Loopback(text)) << text;
  }
}
TEST(Loopback, NoNameIsANumber) {
  EXPECT_TRUE(IsLoopbackNumber("127.0.0.1"));
  EXPECT_TRUE(IsLoopbackNumber("::1"));
  for (const char* host : {"localhost", "", "127.0.0.1.example.org", "[::1]", "::1%lo", "127.1"}) {
    EXPECT_FALSE(IsLoopbackNumber(host)) << host;
  }
}

TEST(EveryInterface, IsNoHostOrZero) {
  for (const char* text : {"5000", ":5000", "0.0.0.0:5000", "[::]:5000", "[0:0::0]:5000"}) {
    EXPECT_TRUE(EveryInterface(text)) << text;
  }
  for (const char* text : {"localhost:5000", "10.0.0.1:5000", "[::1]:5000", "/run/zrs.sock"}) {
    EXPECT_FALSE(EveryInterface(text)) << text;
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
TEST(BadAddress, PortOutOfRangeWhereZeroIsAllowed) {
  for (const char* text : {"65536", "host:", "host:-1"}) {
    EXPECT_EQ(Parsed(text, 0), Refusal(text, "a port is a number from 0 to 65535"));
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
TEST(BadAddress, PathTooLong) {
  const std::string path = "/" + std::string(107, 'a');
  EXPECT_EQ(Parsed(path), absl::StrCat("the path ", path,
                                       " has 108 bytes, but that of a Unix socket at most 107; choose a shorter one"));
  EXPECT_EQ(Parsed("/" + std::string(200, 'a')),
            absl::StrCat("the path /", std::string(119, 'a'),
                         "... has 201 bytes, but that of a Unix socket at most 107; choose a shorter one"));
}
TEST(BadAddress, ZeroByteInThePath) {
  EXPECT_EQ(Parsed(absl::string_view("/a\0b", 4)),
            "the path \"/a\\000b\" has a zero byte; write it without, or choose another one");
}
TEST(BadAddress, TwoAddresses) {
  EXPECT_EQ(
      Parsed("host:5000 host:5001"),
      "\"host:5000 host:5001\" is not an address: it has several colons; write an IPv6 address as [ADDRESS]:PORT");
}

}  // namespace
}  // namespace zrs::address
