// The replication servers of a process: one for each listening address, however many storages share it.
#ifndef ZRS_SIDECAR_CLI_LISTENERS_H_
#define ZRS_SIDECAR_CLI_LISTENERS_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "sidecar/config/settings.h"
#include "sidecar/monitoring/health_board.h"
#include "sidecar/storage/storage.h"
#include "sidecar/transport/replication_server.h"

namespace zrs::cli {

// From one thread.
class Listeners {
 public:
  // Serves `storages` (in the order of settings.storages) on their addresses. They outlive the listeners. An error
  // names the address; what was started before it stops with the object.
  absl::Status Start(const config::Settings& settings, const std::vector<storage::Storage*>& storages);

  // Tells `health` of every address. Before Stop it is to forget them.
  void Attach(monitoring::HealthBoard& health);

  // No new followers; present streams may end by themselves within `grace`.
  void Shutdown(absl::Duration grace);

  // After Shutdown: waits until every stream is gone, and stops listening.
  void Stop();

 private:
  std::vector<std::unique_ptr<transport::ReplicationServer>> servers_;
};

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_LISTENERS_H_
