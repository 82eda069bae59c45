#include "tests/simulation/event_queue.h"

#include <utility>

namespace zrs::simulation {

void EventQueue::Add(absl::Duration delay, Event event) {
  events_.emplace(std::make_pair(now_ + delay, next_number_++), std::move(event));
}

bool EventQueue::RunNext() {
  if (events_.empty()) return false;
  auto first = events_.extract(events_.begin());
  now_ = first.key().first;
  ++events_run_;
  first.mapped()();
  return true;
}

}  // namespace zrs::simulation
