// Answers the Admin service on the admin socket.
#ifndef ZRS_SIDECAR_ADMIN_ADMIN_SERVER_H_
#define ZRS_SIDECAR_ADMIN_ADMIN_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sidecar/storage/storage.h"

namespace zrs::admin {

class AdminServer {
 public:
  virtual ~AdminServer() = default;  // cancels what is still being answered, and removes the socket
};

// Listens on the Unix socket `socket_path` (absolute, at most 107 bytes), with access for this user alone. A socket
// file that is there already is replaced: the caller holds the lock that makes this process the only one of its
// configuration. `storages` outlive the server. Unavailable, naming the path, when it cannot listen.
absl::StatusOr<std::unique_ptr<AdminServer>> StartAdminServer(const std::string& socket_path,
                                                              std::vector<storage::Storage*> storages,
                                                              const std::string& version);

}  // namespace zrs::admin

#endif  // ZRS_SIDECAR_ADMIN_ADMIN_SERVER_H_
