// Addresses: as people write them, and as gRPC wants and prints them.
#ifndef ZRS_SIDECAR_TRANSPORT_PEER_ADDRESS_H_
#define ZRS_SIDECAR_TRANSPORT_PEER_ADDRESS_H_

#include <cstdint>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace zrs::transport {

// Whether a peer as gRPC prints it ("ipv4:127.0.0.1:1", "ipv6:%5B::1%5D:1", v4-mapped, "unix:...") is on this host's
// loopback or a Unix socket. Anything not understood is not.
bool IsLocalPeer(const std::string& peer);

// The peer without its port, as people write addresses: "10.0.0.5", "2001:db8::1"; as it is where there is no port.
std::string HostOfPeer(const std::string& peer);

struct HostAndPort {
  std::string host;  // a name or an address, v6 without its brackets; empty where only a port was given
  uint16_t port = 0;
};
struct SocketPath {
  std::string path;
};
using Address = std::variant<HostAndPort, SocketPath>;

// "port", ":port", "host:port", "[v6]:port", or a path: whatever has a slash. InvalidArgument, naming the address and
// what is wrong with it.
absl::StatusOr<Address> ParseAddress(absl::string_view address);

// The Unix socket at `path`, to listen on or to connect to.
std::string SocketTarget(const std::string& path);
// What gRPC is to listen on. Without a host: all interfaces.
absl::StatusOr<std::string> ListenTarget(const std::string& address);
// What gRPC is to connect to. Without a host: this host.
absl::StatusOr<std::string> ConnectTarget(const std::string& address);

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_PEER_ADDRESS_H_
