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

TEST(ListenTargetTest, AllInterfacesForAPort) { EXPECT_EQ(*ListenTarget("8100"), "[::]:8100"); }
TEST(ListenTargetTest, AllInterfacesForAnEmptyHost) { EXPECT_EQ(*ListenTarget(":8100"), "[::]:8100"); }
TEST(ListenTargetTest, AnyPort) { EXPECT_EQ(*ListenTarget("127.0.0.1:0"), "127.0.0.1:0"); }
TEST(ListenTargetTest, Host) { EXPECT_EQ(*ListenTarget("db1.example.com:8100"), "db1.example.com:8100"); }
TEST(ListenTargetTest, Ipv6) { EXPECT_EQ(*ListenTarget("[::1]:8100"), "[::1]:8100"); }
TEST(ListenTargetTest, Path) { EXPECT_EQ(*ListenTarget("/run/zrs.sock"), "unix:/run/zrs.sock"); }
TEST(ListenTargetTest, RelativePath) { EXPECT_EQ(*ListenTarget("./zrs.sock"), "unix:./zrs.sock"); }
TEST(ListenTargetTest, PathWithCharactersThatMeanSomethingInATarget) {
  EXPECT_EQ(*ListenTarget("/run/a b%20?#"), "unix:/run/a%20b%2520%3F%23");
}

TEST(ConnectTargetTest, ThisHostForAPort) { EXPECT_EQ(*ConnectTarget("8100"), "dns:///localhost:8100"); }
TEST(ConnectTargetTest, Host) { EXPECT_EQ(*ConnectTarget("db1:8100"), "dns:///db1:8100"); }
TEST(ConnectTargetTest, AHostThatIsNamedLikeAScheme) { EXPECT_EQ(*ConnectTarget("unix:8100"), "dns:///unix:8100"); }
TEST(ConnectTargetTest, Ipv6) { EXPECT_EQ(*ConnectTarget("[::1]:8100"), "dns:///%5B::1%5D:8100"); }
TEST(ConnectTargetTest, Path) { EXPECT_EQ(*ConnectTarget("/run/zrs.sock"), "unix:/run/zrs.sock"); }
TEST(ConnectTargetTest, NotToAnyPort) { EXPECT_FALSE(ConnectTarget("db1:0").ok()); }

void ExpectMalformed(const std::string& address, const std::string& why) {
  for (const absl::StatusOr<std::string>& target : {ListenTarget(address), ConnectTarget(address)}) {
    ASSERT_TRUE(absl::IsInvalidArgument(target.status())) << address;
    EXPECT_NE(target.status().message().find(why), std::string::npos) << target.status();
    EXPECT_NE(target.status().message().find('"' + address + '"'), std::string::npos) << target.status();
  }
}

TEST(MalformedAddressTest, Empty) { ExpectMalformed("", "no port"); }
TEST(MalformedAddressTest, NoPort) { ExpectMalformed("db1.example.com", "no port"); }
TEST(MalformedAddressTest, EmptyPort) { ExpectMalformed("db1:", "no port"); }
TEST(MalformedAddressTest, PortIsNoNumber) { ExpectMalformed("db1:http", "no port"); }
TEST(MalformedAddressTest, SignedPort) { ExpectMalformed("db1:+1", "no port"); }
TEST(MalformedAddressTest, PortTooLarge) { ExpectMalformed("db1:65536", "past 65535"); }
TEST(MalformedAddressTest, PortFarTooLarge) { ExpectMalformed("db1:99999999999999999999", "past 65535"); }
TEST(MalformedAddressTest, Ipv6WithoutBrackets) { ExpectMalformed("2001:db8::1:8100", "in brackets"); }
TEST(MalformedAddressTest, UnclosedBracket) { ExpectMalformed("[::1:8100", "no IPv6 address"); }
TEST(MalformedAddressTest, NoIpv6InBrackets) { ExpectMalformed("[db1]:8100", "no IPv6 address"); }
TEST(MalformedAddressTest, SpaceInHost) { ExpectMalformed("db 1:8100", "no such characters"); }
TEST(MalformedAddressTest, PathTooLong) { ExpectMalformed("/" + std::string(108, 'x'), "at most 107"); }
TEST(MalformedAddressTest, ZeroByteInPath) { ExpectMalformed(std::string("/a\0b", 4), "zero byte"); }

}  // namespace
}  // namespace zrs::transport
