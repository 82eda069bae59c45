// Addresses as gRPC prints those of peers, and as it wants those to connect to. As people write them
// they are in address/address.h. Pure functions; any thread.
#ifndef ZRS_SIDECAR_TRANSPORT_PEER_ADDRESS_H_
#define ZRS_SIDECAR_TRANSPORT_PEER_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"

namespace zrs::transport {

// Whether a peer as gRPC prints it ("ipv4:127.0.0.1:1", "ipv6:%5B::1%5D:1", v4-mapped, "unix:...") is on this host's
// loopback or a Unix socket. Anything not understood is not.
bool IsLocalPeer(const std::string& peer);

// The peer without its port, as people write addresses: "10.0.0.5", "2001:db8::1"; as it is where there is no port.
std::string HostOfPeer(const std::string& peer);

// The Unix socket at `path`.
std::string SocketTarget(const std::string& path);
// What gRPC is to connect to, at `address` as address::ParseAddress takes it; its errors. Without a host: this host.
absl::StatusOr<std::string> ConnectTarget(const std::string& address);

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_PEER_ADDRESS_H_
