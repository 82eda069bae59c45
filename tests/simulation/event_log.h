// What happened in a simulation, for the person who looks at a failure.
#ifndef ZRS_TESTS_SIMULATION_EVENT_LOG_H_
#define ZRS_TESTS_SIMULATION_EVENT_LOG_H_

#include <cstddef>
#include <deque>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tests/simulation/event_queue.h"

namespace zrs::simulation {

// Keeps the newest lines. Not thread-safe.
class EventLog {
 public:
  EventLog(const EventQueue& queue, size_t most_lines) : queue_(queue), most_lines_(most_lines) {}

  // `who` is a node's name, "writer" or "schedule".
  void Add(absl::string_view who, absl::string_view what);

  // A rule of the project was broken. Only the first one counts: what follows is often its consequence.
  void Violation(absl::string_view who, absl::string_view what);
  // One line; empty while no rule was broken.
  const std::string& violation() const { return violation_; }

  std::string Text() const;
  absl::Duration now() const { return queue_.now(); }

 private:
  // Made into text only when somebody asks: most runs have nothing to tell.
  struct Line {
    absl::Duration at;
    std::string who;
    std::string what;
  };

  const EventQueue& queue_;
  size_t most_lines_;
  size_t dropped_ = 0;
  std::deque<Line> lines_;
  std::string violation_;
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_EVENT_LOG_H_
