// Virtual time: everything that happens in a simulation is an event on this one queue.
#ifndef ZRS_TESTS_SIMULATION_EVENT_QUEUE_H_
#define ZRS_TESTS_SIMULATION_EVENT_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "tests/simulation/seeded_random.h"

namespace zrs::simulation {

using Event = absl::AnyInvocable<void()>;

// Events at the same moment run in the order they were added. Not thread-safe: a simulation has one thread.
class EventQueue {
 public:
  explicit EventQueue(uint64_t seed) : random_(seed) {}

  // Since the simulation's begin.
  absl::Duration now() const { return now_; }
  SeededRandom& random() { return random_; }
  bool empty() const { return heap_.empty(); }
  uint64_t events_run() const { return events_run_; }

  // Runs `event` after `delay` (0 or more). What it refers to has to outlive it, or be looked up when it runs.
  void Add(absl::Duration delay, Event event);

  // Moves the clock to the next event and runs it. False when there is none.
  bool RunNext();

  // Runs events until `done` says so (true) or none is left before `deadline`, which is the time then (false).
  template <typename Done>
  bool RunUntil(absl::Duration deadline, Done done) {
    while (!done()) {
      if (heap_.empty() || heap_.front().at > deadline) {
        now_ = deadline;
        return false;
      }
      RunNext();
    }
    return true;
  }

 private:
  // Light things on the heap, which moves them about; the events stay where they are until they run.
  struct Entry {
    absl::Duration at;
    uint64_t number = 0;
    size_t slot = 0;  // of events_
  };
  static bool IsLater(const Entry& a, const Entry& b) { return a.at != b.at ? a.at > b.at : a.number > b.number; }

  absl::Duration now_;
  uint64_t next_number_ = 0;
  uint64_t events_run_ = 0;
  std::vector<Entry> heap_;  // the next one first
  std::vector<Event> events_;
  std::vector<size_t> free_;  // slots of events_
  SeededRandom random_;
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_EVENT_QUEUE_H_
