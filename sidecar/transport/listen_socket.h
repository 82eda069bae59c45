// What has to be looked after around gRPC's own binding of an address: gRPC does not tell why it cannot bind one, and
// takes a Unix socket's file away from whoever is listening there.
#ifndef ZRS_SIDECAR_TRANSPORT_LISTEN_SOCKET_H_
#define ZRS_SIDECAR_TRANSPORT_LISTEN_SOCKET_H_

#include <sys/types.h>

#include <optional>
#include <string>

#include "absl/status/status.h"

namespace zrs::transport {

// Whether `address` (as address::ParseAddress takes it, port 0 allowed) can be listened on now. A socket's file that
// nobody answers at is removed. Unavailable, naming the address and the cause, where not: in use, no such address here,
// not permitted, no such directory, a file that is no socket. May ask the name service.
absl::Status CheckListenAddress(const std::string& address);

// The file of a Unix socket that was bound just now: removed in the end, unless another has taken its place.
class SocketFile {
 public:
  // Any address; nothing is remembered, and nothing removed, where it is no path.
  explicit SocketFile(const std::string& address);
  ~SocketFile();
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;

 private:
  struct Identity {
    dev_t device;
    ino_t inode;
  };
  static std::optional<Identity> Identify(const std::string& path);

  std::string path_;
  std::optional<Identity> identity_;
};

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_LISTEN_SOCKET_H_
