// The sockets that a server listens on. They are ours and not gRPC's: it does not tell why it cannot bind an address,
// takes a Unix socket's file away from whoever is listening there, and never accepts again after an error (acceptor.h).
#ifndef ZRS_SIDECAR_TRANSPORT_LISTEN_SOCKET_H_
#define ZRS_SIDECAR_TRANSPORT_LISTEN_SOCKET_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sidecar/transport/descriptor.h"

namespace zrs::transport {

// The file of a Unix socket that was bound just now: removed in the end, unless another has taken its place.
class SocketFile {
 public:
  // Nothing is remembered, and nothing removed, where there is no socket.
  explicit SocketFile(const std::string& path);
  ~SocketFile();
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;

 private:
  struct Identity {
    dev_t device;
    ino_t inode;
  };
  static std::optional<Identity> Identify(const std::string& path);

  const std::string path_;
  const std::optional<Identity> identity_;
};

struct ListenSockets {
  std::vector<Descriptor> sockets;   // one for each address that the host stands for; they do not block
  int port = 0;                      // that was bound (useful with port 0); 0 for a Unix socket
  std::unique_ptr<SocketFile> file;  // of a Unix socket. Goes first: no successor is to find one that nobody answers at
};

// Listens on `address` (as address::ParseAddress takes it, port 0 allowed). A socket's file that nobody answers at is
// removed. Unavailable, naming the address and the cause, where it cannot be: in use, no such address here, not
// permitted, no such directory, a file that is no socket. May ask the name service.
absl::StatusOr<ListenSockets> Listen(const std::string& address);

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_LISTEN_SOCKET_H_
