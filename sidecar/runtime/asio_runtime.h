// The runtime of a live process: strands on a shared Asio context, and an I/O thread for each storage.
#ifndef ZRS_SIDECAR_RUNTIME_ASIO_RUNTIME_H_
#define ZRS_SIDECAR_RUNTIME_ASIO_RUNTIME_H_

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "sidecar/runtime/runtime.h"

namespace zrs::runtime {

// Thread-safe as Runtime says. `context` is run by its owner, with any number of threads, and outlives the runtime.
class AsioRuntime final : public Runtime {
 public:
  // `name` is the I/O thread's, as ps and gdb show it (cut to 15 bytes).
  AsioRuntime(asio::io_context& context, const std::string& name);
  // Runs what was posted to the I/O thread to its end and joins it. Posted strand tasks stay with the context.
  ~AsioRuntime() override;

  void Post(Task task) override;
  void PostIo(Task task) override;
  std::unique_ptr<Timer> After(absl::Duration delay, Task task) override;
  absl::Duration Now() override;
  absl::Time UnixNow() override;
  uint64_t Random() override;

 private:
  asio::strand<asio::io_context::executor_type> strand_;
  asio::io_context io_context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> io_work_;
  std::thread io_thread_;
  std::mutex random_mutex_;
  std::mt19937_64 random_;  // guarded by random_mutex_
};

}  // namespace zrs::runtime

#endif  // ZRS_SIDECAR_RUNTIME_ASIO_RUNTIME_H_
