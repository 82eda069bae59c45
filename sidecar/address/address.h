// Addresses as people write them: where a service listens or is reached. Pure functions; any thread. How gRPC writes
// them is in transport/peer_address.h.
#ifndef ZRS_SIDECAR_ADDRESS_ADDRESS_H_
#define ZRS_SIDECAR_ADDRESS_ADDRESS_H_

#include <sys/un.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace zrs::address {

// Either a path, or a port with a host or without.
struct Address {
  std::string path;   // of a Unix socket, as written: has a slash; "" otherwise
  std::string host;   // a name or a number, in lower case but for a v6 zone, without brackets; "" for a bare port
  uint16_t port = 0;  // 0 with a path, and where ParseAddress was told to let it pass

  bool is_unix() const { return !path.empty(); }
  bool operator==(const Address&) const = default;
};

// `port`, `:port`, `host:port`, `[v6]:port`, or a path with a slash. The port is from `least_port` (0 for a listener
// that may be given any free one) to 65535; the path is one that CheckSocketPath lets pass, and may be relative.
// InvalidArgument "what; remedy", naming the address; who calls adds where.
absl::StatusOr<Address> ParseAddress(absl::string_view text, uint16_t least_port = 1);

// The longest path of a Unix socket, in bytes: what sockaddr_un holds before its NUL.
inline constexpr size_t kMostSocketPathBytes = sizeof(sockaddr_un::sun_path) - 1;

// InvalidArgument "what; remedy", naming the path, when no Unix socket can have it: it is longer, or has a zero byte.
absl::Status CheckSocketPath(absl::string_view path);

// What is told by the host's name or number alone; never of a Unix socket.
bool IsLoopback(const Address& address);
bool IsEveryInterface(const Address& address);  // as an address to listen on

// Whether `host` is the number of a loopback interface: v4 (127.0.0.0/8), v6 (::1), or v4 mapped into v6. No name is,
// not even "localhost": what it stands for is the resolver's to say.
bool IsLoopbackNumber(const std::string& host);

// As written above; a bare port stays one: what it means depends on whether one listens or connects.
std::string AddressText(const Address& address);

}  // namespace zrs::address

#endif  // ZRS_SIDECAR_ADDRESS_ADDRESS_H_
