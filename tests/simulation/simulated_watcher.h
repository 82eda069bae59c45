// File notifications of a simulated host: some come late, some never.
#ifndef ZRS_TESTS_SIMULATION_SIMULATED_WATCHER_H_
#define ZRS_TESTS_SIMULATION_SIMULATED_WATCHER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "sidecar/runtime/runtime.h"
#include "tests/simulation/event_queue.h"

namespace zrs::simulation {

// What a host's kernel knows of who watches what. Shared by the writer and the sidecar of the host.
class FileNotifications {
 public:
  // `told` is called, at once, for each change until Remove.
  uint64_t Add(const std::string& path, std::function<void()> told);
  void Remove(uint64_t number);
  // Somebody wrote, cut or created the file.
  void Changed(const std::string& path);
  // Of a watch that was added: whether changes are told to it. A real one is told of its name all the same.
  void Ignore(uint64_t number, bool ignores);
  void Tell(uint64_t number);
  // Whether anybody is told of writes to it.
  bool IsTold(const std::string& path) const;

 private:
  struct Watch {
    std::string path;
    std::function<void()> told;
    bool ignores = false;
  };

  uint64_t next_ = 1;
  std::map<uint64_t, Watch> watches_;
};

struct WatcherOptions {
  bool never = false;                            // not one notification arrives
  uint64_t drop_one_in = 10;                     // 0: none is dropped
  absl::Duration delay = absl::Milliseconds(2);  // the most that one is late
};

// One process's watcher. `queue` and `notifications` outlive it, and it outlives its watches.
class SimulatedWatcher : public runtime::FileWatcher {
 public:
  SimulatedWatcher(EventQueue& queue, FileNotifications& notifications, WatcherOptions options)
      : queue_(queue), notifications_(notifications), options_(options) {}

  // `runtime` outlives the watch.
  std::unique_ptr<runtime::FileWatch> Watch(const std::string& path, runtime::Runtime& runtime,
                                            std::function<void()> changed) override;

 private:
  EventQueue& queue_;
  FileNotifications& notifications_;
  const WatcherOptions options_;
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_SIMULATED_WATCHER_H_
