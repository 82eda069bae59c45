#include "sidecar/runtime/asio_runtime.h"

#include <pthread.h>

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <utility>

#include "absl/time/clock.h"

namespace zrs::runtime {
namespace {

// Timers as long as this are due at common moments, so that an idle process wakes up once for several of them.
constexpr absl::Duration kCoarse = absl::Milliseconds(250);
constexpr absl::Duration kGrain = absl::Milliseconds(50);

absl::Duration DueAt(absl::Duration now, absl::Duration delay) {
  return delay < kCoarse ? now + delay : absl::Ceil(now + delay, kGrain);
}

// Asio's cancel cannot take back a handler that is queued already; the flag can. Both are touched on the strand only.
struct TimerState {
  explicit TimerState(asio::io_context& context) : timer(context) {}
  asio::steady_timer timer;
  Task task;
};

class AsioTimer final : public Timer {
 public:
  explicit AsioTimer(std::shared_ptr<TimerState> state) : state_(std::move(state)) {}
  ~AsioTimer() override { Cancel(); }
  void Cancel() override {
    state_->task = nullptr;
    state_->timer.cancel();
  }

 private:
  std::shared_ptr<TimerState> state_;
};

}  // namespace

AsioRuntime::AsioRuntime(asio::io_context& context, const std::string& name)
    : context_(context),
      strand_(std::make_shared<Strand>(
          [&context](Task task) { asio::post(context, [task = std::move(task)]() mutable { task(); }); })),
      io_work_(asio::make_work_guard(io_context_)),
      random_(std::random_device{}()) {
  // A context opens its descriptors for its first timer, and throws where there are none left: here, not on the strand.
  const asio::steady_timer first(context_);
  io_thread_ = std::thread([this, thread_name = name.substr(0, 15)] {
    pthread_setname_np(pthread_self(), thread_name.c_str());
    io_context_.run();
  });
}

AsioRuntime::~AsioRuntime() {
  io_work_.reset();
  io_thread_.join();
  strand_->Close();
}

void AsioRuntime::Post(Task task) {
  // The last task may be what lets this runtime go, while the thread that ran it is still in the strand.
  const std::shared_ptr<Strand> strand = strand_;
  strand->Post(std::move(task));
}

void AsioRuntime::PostIo(Task task) {
  asio::post(io_context_, [task = std::move(task)]() mutable { task(); });
}

std::unique_ptr<Timer> AsioRuntime::After(absl::Duration delay, Task task) {
  auto state = std::make_shared<TimerState>(context_);
  state->task = std::move(task);
  state->timer.expires_at(asio::steady_timer::time_point(absl::ToChronoNanoseconds(DueAt(Now(), delay))));
  state->timer.async_wait([state, strand = strand_](const asio::error_code& error) {
    if (error) return;
    strand->Post([state] {
      // A task may cancel its own timer while it runs.
      if (Task ready = std::exchange(state->task, nullptr)) ready();
    });
  });
  return std::make_unique<AsioTimer>(state);
}

absl::Duration AsioRuntime::Now() { return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()); }

absl::Time AsioRuntime::UnixNow() { return absl::Now(); }

uint64_t AsioRuntime::Random() {
  const std::lock_guard<std::mutex> lock(random_mutex_);
  return random_();
}

}  // namespace zrs::runtime
