// The runtime of a live process: a strand, an I/O thread and where it is needed one for long work for each storage, and
// timers on a shared Asio context.
#ifndef ZRS_SIDECAR_RUNTIME_ASIO_RUNTIME_H_
#define ZRS_SIDECAR_RUNTIME_ASIO_RUNTIME_H_

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "sidecar/runtime/runtime.h"
#include "sidecar/runtime/strand.h"
#include "sidecar/runtime/timer_queue.h"

namespace zrs::runtime {

// Thread-safe as Runtime says. `context` is run by its owner, with any number of threads, and outlives the runtime;
// `timers` is a queue on it, which runtimes may share.
// Strand tasks run on the thread that posts them where that is possible (strand.h): the I/O thread, gRPC's, or one of
// the context's, which also take over from a thread that has run many.
class AsioRuntime final : public Runtime {
 public:
  // `name` is the threads', as ps and gdb show it (cut to 15 bytes).
  AsioRuntime(asio::io_context& context, std::shared_ptr<TimerQueue> timers, const std::string& name);
  // Runs what was posted to the threads to its end and joins them. Nobody posts any more, and `context` runs no more:
  // what it was to take over is dropped.
  ~AsioRuntime() override;

  void Post(Task task) override;
  void PostIo(Task task) override;
  absl::Status PostAside(Task task) override;
  std::unique_ptr<Timer> After(absl::Duration delay, Task task) override;
  absl::Duration Now() override;
  absl::Time UnixNow() override;
  uint64_t Random() override;

 private:
  // A thread that runs what is posted to it.
  class Worker {
   public:
    // Throws std::system_error where a thread or descriptors are not to be had.
    Worker(const std::string& name, bool behind_others);
    void Post(Task task);
    // To be called once: runs the rest, and what that posts, and joins.
    void Finish();

   private:
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread thread_;
  };

  const std::string name_;
  const std::shared_ptr<Strand> strand_;
  const std::shared_ptr<TimerQueue> timers_;
  std::unique_ptr<Worker> io_;
  std::mutex aside_mutex_;
  std::unique_ptr<Worker> aside_;  // guarded by aside_mutex_; null until something is posted to it
  std::mutex random_mutex_;
  std::mt19937_64 random_;  // guarded by random_mutex_
};

}  // namespace zrs::runtime

#endif  // ZRS_SIDECAR_RUNTIME_ASIO_RUNTIME_H_
