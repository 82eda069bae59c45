#include "sidecar/transport/peer_address.h"

#include <string>

#include "gtest/gtest.h"

namespace zrs::transport {
namespace {

TEST(HostOfPeerTest, IsThePeerWithoutItsPort) {
  EXPECT_EQ(HostOfPeer("ipv4:10.0.0.5:40000"), "10.0.0.5");
  EXPECT_EQ(HostOfPeer("ipv6:%5B2001:db8::1%5D:40000"), "2001:db8::1");
  EXPECT_EQ(HostOfPeer("ipv6:[::ffff:10.0.0.5]:1"), "::ffff:10.0.0.5");
  EXPECT_EQ(HostOfPeer("unix:/run/x"), "unix:/run/x");
  EXPECT_EQ(HostOfPeer("ipv4:10.0.0.5"), "ipv4:10.0.0.5");
  EXPECT_EQ(HostOfPeer(""), "");
}

TEST(IsLocalPeerTest, Ipv4Loopback) { EXPECT_TRUE(IsLocalPeer("ipv4:127.0.0.1:40000")); }
TEST(IsLocalPeerTest, AnyAddressOfTheIpv4LoopbackNetwork) { EXPECT_TRUE(IsLocalPeer("ipv4:127.255.0.9:1")); }
TEST(IsLocalPeerTest, Ipv6LoopbackWithEncodedBrackets) { EXPECT_TRUE(IsLocalPeer("ipv6:%5B::1%5D:40000")); }
TEST(IsLocalPeerTest, Ipv6LoopbackWithSmallEncodedBrackets) { EXPECT_TRUE(IsLocalPeer("ipv6:%5b::1%5d:40000")); }
TEST(IsLocalPeerTest, Ipv6LoopbackWithPlainBrackets) { EXPECT_TRUE(IsLocalPeer("ipv6:[::1]:40000")); }
TEST(IsLocalPeerTest, MappedIpv4Loopback) { EXPECT_TRUE(IsLocalPeer("ipv6:%5B::ffff:127.0.0.1%5D:1")); }
TEST(IsLocalPeerTest, UnnamedUnixSocket) { EXPECT_TRUE(IsLocalPeer("unix:")); }
TEST(IsLocalPeerTest, UnixSocketWithPath) { EXPECT_TRUE(IsLocalPeer("unix:/run/zrs.sock")); }
TEST(IsLocalPeerTest, AbstractUnixSocket) { EXPECT_TRUE(IsLocalPeer("unix-abstract:zrs")); }

TEST(IsLocalPeerTest, OtherIpv4) { EXPECT_FALSE(IsLocalPeer("ipv4:192.0.2.1:40000")); }
TEST(IsLocalPeerTest, Ipv4ThatOnlyBeginsLikeLoopback) { EXPECT_FALSE(IsLocalPeer("ipv4:12.7.0.1:1")); }
TEST(IsLocalPeerTest, OtherIpv6) { EXPECT_FALSE(IsLocalPeer("ipv6:%5B2001:db8::1%5D:40000")); }
TEST(IsLocalPeerTest, UnspecifiedIpv6) { EXPECT_FALSE(IsLocalPeer("ipv6:%5B::%5D:1")); }
TEST(IsLocalPeerTest, LinkLocalIpv6) { EXPECT_FALSE(IsLocalPeer("ipv6:%5Bfe80::1%25eth0%5D:1")); }
TEST(IsLocalPeerTest, MappedOtherIpv4) { EXPECT_FALSE(IsLocalPeer("ipv6:%5B::ffff:10.0.0.1%5D:1")); }
TEST(IsLocalPeerTest, NothingThatIsNotUnderstood) {
  for (const char* peer : {"", "unknown", "ipv4:", "ipv4:127.0.0.1", "ipv4:127.0.0.1:x", "ipv4:127.0.0.1:99999",
                           "ipv4:127.0.0.1.example.com:1", "ipv6:::1:1", "ipv6:[::1]", "ipv6:[::1", "ipv6:[::1]:",
                           "ipv6:[::1]x:1", "dns:localhost:1", "localhost:1", "127.0.0.1:1", "vsock:1:1", "unix"}) {
    EXPECT_FALSE(IsLocalPeer(peer)) << peer;
  }
}

TEST(ConnectTargetTest, ThisHostForAPort) { EXPECT_EQ(*ConnectTarget("8100"), "dns:///localhost:8100"); }
TEST(ConnectTargetTest, Host) { EXPECT_EQ(*ConnectTarget("db1:8100"), "dns:///db1:8100"); }
TEST(ConnectTargetTest, AHostThatIsNamedLikeAScheme) { EXPECT_EQ(*ConnectTarget("unix:8100"), "dns:///unix:8100"); }
TEST(ConnectTargetTest, Ipv6) { EXPECT_EQ(*ConnectTarget("[::1]:8100"), "dns:///%5B::1%5D:8100"); }
TEST(ConnectTargetTest, Path) { EXPECT_EQ(*ConnectTarget("/run/zrs.sock"), "unix:/run/zrs.sock"); }
TEST(ConnectTargetTest, RelativePath) { EXPECT_EQ(*ConnectTarget("./zrs.sock"), "unix:./zrs.sock"); }
TEST(ConnectTargetTest, PathWithCharactersThatMeanSomethingInATarget) {
  EXPECT_EQ(*ConnectTarget("/run/a b%20?#"), "unix:/run/a%20b%2520%3F%23");
}
TEST(ConnectTargetTest, Ipv6WithAZone) {
  EXPECT_EQ(*ConnectTarget("[fe80::1%eth0]:1"), "dns:///%5Bfe80::1%25eth0%5D:1");
}
TEST(ConnectTargetTest, NotToAnyPort) {
  EXPECT_EQ(
      ConnectTarget("db1:0").status().message(),
      "\"db1:0\" is not an address: a port is a number from 1 to 65535; write PORT, HOST:PORT, [V6ADDRESS]:PORT, or "
      "the path of a Unix socket with a slash in it");
}

TEST(ConnectTargetTest, IsOfAnAddressOnly) {
  for (const std::string& address : {std::string("db1"), std::string("db1:65536"), std::string("2001:db8::1:8100"),
                                     "/" + std::string(108, 'x'), std::string("/a\0b", 4)}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ConnectTarget(address).status())) << address;
  }
}

}  // namespace
}  // namespace zrs::transport
