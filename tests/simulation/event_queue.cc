#include "tests/simulation/event_queue.h"

#include <algorithm>
#include <utility>

namespace zrs::simulation {

void EventQueue::Add(absl::Duration delay, Event event) {
  if (free_.empty()) {
    free_.push_back(events_.size());
    events_.emplace_back();
  }
  const size_t slot = free_.back();
  free_.pop_back();
  events_[slot] = std::move(event);
  heap_.push_back({now_ + delay, next_number_++, slot});
  std::push_heap(heap_.begin(), heap_.end(), IsLater);
}

bool EventQueue::RunNext() {
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), IsLater);
  const Entry first = heap_.back();
  heap_.pop_back();
  now_ = first.at;
  ++events_run_;
  Event event = std::move(events_[first.slot]);
  free_.push_back(first.slot);
  event();
  return true;
}

}  // namespace zrs::simulation
