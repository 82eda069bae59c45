// A storage's strand, I/O thread, timers and clock on the simulation's event queue.
#ifndef ZRS_TESTS_SIMULATION_SIMULATED_RUNTIME_H_
#define ZRS_TESTS_SIMULATION_SIMULATED_RUNTIME_H_

#include <cstdint>
#include <memory>

#include "absl/time/time.h"
#include "sidecar/runtime/runtime.h"
#include "tests/simulation/event_queue.h"

namespace zrs::simulation {

// How long a task waits at most before it runs; between 0 and that it is chance.
struct RuntimeDelays {
  absl::Duration strand = absl::Microseconds(50);
  absl::Duration io = absl::Milliseconds(1);
  // Once in so many I/O tasks the disk is stuck for up to `io_stall`. 0: never.
  uint64_t io_stall_one_in = 200;
  absl::Duration io_stall = absl::Seconds(2);
  absl::Duration aside = absl::Milliseconds(20);
};

// The runtime of one storage in one process. Strand, I/O lane and the one for what is done aside each run one task at
// a time, in the order posted, and independently of each other. `queue` outlives it.
//
// A crash of the process is Kill: nothing that was pending runs, and whatever is posted later is ignored. Tasks that
// were pending are destroyed with the runtime, after the storage, as asio does it.
class SimulatedRuntime : public runtime::Runtime {
 public:
  SimulatedRuntime(EventQueue& queue, RuntimeDelays delays);
  ~SimulatedRuntime() override;

  void Post(runtime::Task task) override;
  void PostIo(runtime::Task task) override;
  absl::Status PostAside(runtime::Task task) override;
  std::unique_ptr<runtime::Timer> After(absl::Duration delay, runtime::Task task) override;
  absl::Duration Now() override;
  absl::Time UnixNow() override;
  uint64_t Random() override;

  // The disk is stuck: no I/O task that is not scheduled yet begins before `time` from now is over.
  void HoldIo(absl::Duration time);
  // The same of what is done aside.
  void HoldAside(absl::Duration time);
  // The same of the strand, as when the process is stopped by SIGSTOP.
  void HoldStrand(absl::Duration time);
  // The host's wall clock is set forward (or back) by so much.
  void StepClock(absl::Duration step);
  // May be called from inside a task, also of this runtime.
  void Kill();
  // Whether a task of the I/O lane is running now: file operations belong there.
  bool in_io_task() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_SIMULATED_RUNTIME_H_
