// The replication servers of a process: one for each listening address, however many storages share it.
#ifndef ZRS_SIDECAR_CLI_LISTENERS_H_
#define ZRS_SIDECAR_CLI_LISTENERS_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "sidecar/config/settings.h"
#include "sidecar/storage/storage.h"
#include "sidecar/transport/replication_server.h"

namespace zrs::cli {

// Start and Shutdown from one thread; SetServing from any.
class Listeners {
 public:
  // Serves `storages` (in the order of settings.storages) on their addresses. They outlive the listeners. An error
  // names the address; what was started before it stops with the object.
  absl::Status Start(const config::Settings& settings, const std::vector<storage::Storage*>& storages);

  // Health of one storage on every address, as service "zrs.storage.NAME". What is told before Start counts too.
  void SetServing(const std::string& storage, bool serving);

  // No new followers; present streams may end by themselves within `grace`.
  void Shutdown(absl::Duration grace);

  // After Shutdown: waits until every stream is gone, and stops listening.
  void Stop();

 private:
  std::vector<std::unique_ptr<transport::ReplicationServer>> servers_;  // guarded by mutex_ while it changes
  std::mutex mutex_;
  std::map<std::string, bool> serving_;  // guarded by mutex_
};

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_LISTENERS_H_
