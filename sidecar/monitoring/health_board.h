// The health of every storage, told to every server of the process alike.
#ifndef ZRS_SIDECAR_MONITORING_HEALTH_BOARD_H_
#define ZRS_SIDECAR_MONITORING_HEALTH_BOARD_H_

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace zrs::monitoring {

// The service that stands for one storage in grpc.health.v1: "zrs.storage.NAME". The process itself is service "".
std::string HealthService(const std::string& storage);

// Thread-safe. Targets are called with the lock held, so in one order for all: they must not call back.
class HealthBoard {
 public:
  using Target = std::function<void(const std::string& service, bool serving)>;

  void Set(const std::string& storage, bool serving);
  // Tells `target` all there is now, and each change from then on, until Clear.
  void Attach(Target target);
  // Forgets the targets: no call of one is under way when it returns.
  void Clear();

 private:
  std::mutex mutex_;
  std::map<std::string, bool> serving_;  // by service; guarded by mutex_
  std::vector<Target> targets_;          // guarded by mutex_
};

}  // namespace zrs::monitoring

#endif  // ZRS_SIDECAR_MONITORING_HEALTH_BOARD_H_
