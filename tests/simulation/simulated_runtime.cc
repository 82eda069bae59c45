#include "tests/simulation/simulated_runtime.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <utility>

namespace zrs::simulation {
namespace {

// 2026-01-01, and every simulation's wall clock begins there.
constexpr int64_t kUnixBegin = 1767225600;

}  // namespace

// Events on the queue hold it weakly: they find nothing once the runtime is gone.
struct SimulatedRuntime::State {
  struct Lane {
    std::deque<runtime::Task> tasks;
    bool running = false;
  };

  State(EventQueue& event_queue, RuntimeDelays runtime_delays) : queue(event_queue), delays(runtime_delays) {}

  static void Enqueue(const std::shared_ptr<State>& state, Lane State::*lane, runtime::Task task) {
    if (state->dead) return;
    (state.get()->*lane).tasks.push_back(std::move(task));
    if ((state.get()->*lane).tasks.size() == 1 && !(state.get()->*lane).running) ScheduleNext(state, lane);
  }

  static void ScheduleNext(const std::shared_ptr<State>& state, Lane State::*lane) {
    state->queue.Add(state->DelayOf(lane), [weak = std::weak_ptr<State>(state), lane] {
      if (const auto alive = weak.lock(); alive && !alive->dead) RunFirst(alive, lane);
    });
  }

  static void RunFirst(const std::shared_ptr<State>& state, Lane State::*lane) {
    Lane& self = state.get()->*lane;
    runtime::Task task = std::move(self.tasks.front());
    self.tasks.pop_front();
    self.running = true;
    task();
    self.running = false;
    if (!state->dead && !self.tasks.empty()) ScheduleNext(state, lane);
  }

  absl::Duration DelayOf(Lane State::*lane) {
    SeededRandom& random = queue.random();
    if (lane == &State::strand && strand_held_until > queue.now()) return strand_held_until - queue.now();
    if (lane == &State::strand) return random.Delay(absl::ZeroDuration(), delays.strand);
    if (lane == &State::aside) {
      const bool held = aside_held_until > queue.now();
      return held ? aside_held_until - queue.now() : random.Delay(absl::ZeroDuration(), delays.aside);
    }
    if (io_held_until > queue.now()) return io_held_until - queue.now();
    if (random.OneIn(delays.io_stall_one_in)) return random.Delay(absl::ZeroDuration(), delays.io_stall);
    return random.Delay(absl::ZeroDuration(), delays.io);
  }

  EventQueue& queue;
  RuntimeDelays delays;
  bool dead = false;
  absl::Duration clock_step;
  absl::Duration io_held_until;
  absl::Duration aside_held_until;
  absl::Duration strand_held_until;
  Lane strand;
  Lane io;
  Lane aside;
  uint64_t next_timer = 0;
  std::map<uint64_t, runtime::Task> timers;  // those that have neither fired nor been cancelled
};

namespace {

class SimulatedTimer : public runtime::Timer {
 public:
  explicit SimulatedTimer(std::function<void()> cancel) : cancel_(std::move(cancel)) {}
  ~SimulatedTimer() override { cancel_(); }
  void Cancel() override { cancel_(); }

 private:
  std::function<void()> cancel_;  // again and again does no harm
};

}  // namespace

SimulatedRuntime::SimulatedRuntime(EventQueue& queue, RuntimeDelays delays)
    : state_(std::make_shared<State>(queue, delays)) {}

SimulatedRuntime::~SimulatedRuntime() { Kill(); }

void SimulatedRuntime::Post(runtime::Task task) { State::Enqueue(state_, &State::strand, std::move(task)); }

void SimulatedRuntime::PostIo(runtime::Task task) { State::Enqueue(state_, &State::io, std::move(task)); }

absl::Status SimulatedRuntime::PostAside(runtime::Task task) {
  State::Enqueue(state_, &State::aside, std::move(task));
  return absl::OkStatus();
}

std::unique_ptr<runtime::Timer> SimulatedRuntime::After(absl::Duration delay, runtime::Task task) {
  const uint64_t number = state_->next_timer++;
  const std::weak_ptr<State> weak = state_;
  if (!state_->dead) {
    state_->timers.emplace(number, std::move(task));
    // The task stays cancellable while it waits for its turn on the strand.
    state_->queue.Add(std::max(delay, absl::ZeroDuration()), [weak, number] {
      const auto state = weak.lock();
      if (!state || state->dead || !state->timers.contains(number)) return;
      State::Enqueue(state, &State::strand, [weak, number] {
        const auto alive = weak.lock();
        auto timer = alive ? alive->timers.extract(number) : decltype(alive->timers.extract(number)){};
        if (!timer.empty()) timer.mapped()();
      });
    });
  }
  return std::make_unique<SimulatedTimer>([weak, number] {
    const auto state = weak.lock();
    if (state && !state->dead) state->timers.erase(number);
  });
}

absl::Duration SimulatedRuntime::Now() { return state_->queue.now(); }

absl::Time SimulatedRuntime::UnixNow() {
  return absl::FromUnixSeconds(kUnixBegin) + state_->queue.now() + state_->clock_step;
}

void SimulatedRuntime::StepClock(absl::Duration step) { state_->clock_step += step; }

uint64_t SimulatedRuntime::Random() { return state_->queue.random().Next(); }

void SimulatedRuntime::HoldIo(absl::Duration time) { state_->io_held_until = state_->queue.now() + time; }

void SimulatedRuntime::HoldAside(absl::Duration time) { state_->aside_held_until = state_->queue.now() + time; }

void SimulatedRuntime::HoldStrand(absl::Duration time) { state_->strand_held_until = state_->queue.now() + time; }

void SimulatedRuntime::Kill() { state_->dead = true; }

bool SimulatedRuntime::in_io_task() const { return state_->io.running; }

}  // namespace zrs::simulation
