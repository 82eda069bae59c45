#include "sidecar/runtime/asio_runtime.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <asio/post.hpp>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace zrs::runtime {
namespace {

// Timers as long as this are due at common moments, so that an idle process wakes up once for several of them.
constexpr absl::Duration kCoarse = absl::Milliseconds(250);
constexpr absl::Duration kGrain = absl::Milliseconds(50);

absl::Duration DueAt(absl::Duration now, absl::Duration delay) {
  return delay < kCoarse ? now + delay : absl::Ceil(now + delay, kGrain);
}

// What is on its way to the strand already cannot be taken back; this can. On the strand only.
struct TimerState {
  Task task;
};

// Of this thread alone, as Linux has it. A system that does not let it has it stand among the others.
void StandBehindOthers() {
  constexpr int kNicest = 19;
  constexpr int kOfThread = 1;                    // IOPRIO_WHO_PROCESS; 0: the calling thread
  constexpr int kBestEffortLast = (2 << 13) | 7;  // IOPRIO_CLASS_BE, its last level
  const auto thread = static_cast<id_t>(syscall(SYS_gettid));
  (void)setpriority(PRIO_PROCESS, thread, kNicest);
  (void)syscall(SYS_ioprio_set, kOfThread, 0, kBestEffortLast);
}

class AsioTimer final : public Timer {
 public:
  AsioTimer(std::shared_ptr<TimerQueue> queue, std::shared_ptr<TimerState> state,
            std::shared_ptr<TimerQueue::Entry> entry)
      : queue_(std::move(queue)), state_(std::move(state)), entry_(std::move(entry)) {}
  ~AsioTimer() override { Cancel(); }
  void Cancel() override {
    state_->task = nullptr;
    queue_->Remove(entry_);
  }

 private:
  const std::shared_ptr<TimerQueue> queue_;
  const std::shared_ptr<TimerState> state_;
  const std::shared_ptr<TimerQueue::Entry> entry_;
};

}  // namespace

AsioRuntime::Worker::Worker(const std::string& name, bool behind_others)
    : work_(asio::make_work_guard(context_)), thread_([this, name = name.substr(0, 15), behind_others] {
        pthread_setname_np(pthread_self(), name.c_str());
        if (behind_others) StandBehindOthers();
        context_.run();
      }) {}

void AsioRuntime::Worker::Finish() {
  work_.reset();
  thread_.join();
}

void AsioRuntime::Worker::Post(Task task) {
  asio::post(context_, [task = std::move(task)]() mutable { task(); });
}

AsioRuntime::AsioRuntime(asio::io_context& context, std::shared_ptr<TimerQueue> timers, const std::string& name)
    : name_(name),
      strand_(std::make_shared<Strand>(
          [&context](Task task) { asio::post(context, [task = std::move(task)]() mutable { task(); }); })),
      timers_(std::move(timers)),
      random_(std::random_device{}()) {
  io_ = std::make_unique<Worker>(name_, /*behind_others=*/false);
}

AsioRuntime::~AsioRuntime() {
  // What is done aside may end on the I/O thread.
  if (aside_) aside_->Finish();
  io_->Finish();
  strand_->Close();
}

void AsioRuntime::Post(Task task) {
  // The last task may be what lets this runtime go, while the thread that ran it is still in the strand.
  const std::shared_ptr<Strand> strand = strand_;
  strand->Post(std::move(task));
}

void AsioRuntime::PostIo(Task task) { io_->Post(std::move(task)); }

absl::Status AsioRuntime::PostAside(Task task) try {
  const std::lock_guard<std::mutex> lock(aside_mutex_);
  if (!aside_) aside_ = std::make_unique<Worker>(name_, /*behind_others=*/true);
  aside_->Post(std::move(task));
  return absl::OkStatus();
} catch (const std::system_error& error) {
  return absl::UnavailableError(
      absl::StrCat("starting a thread for long work: ", error.what(), "; raise the limit of threads of this user"));
}

std::unique_ptr<Timer> AsioRuntime::After(absl::Duration delay, Task task) {
  auto state = std::make_shared<TimerState>();
  state->task = std::move(task);
  auto entry = timers_->Add(DueAt(Now(), delay), [state, strand = strand_] {
    strand->Post([state] {
      // A task may cancel its own timer while it runs.
      if (Task ready = std::exchange(state->task, nullptr)) ready();
    });
  });
  return std::make_unique<AsioTimer>(timers_, std::move(state), std::move(entry));
}

absl::Duration AsioRuntime::Now() { return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()); }

absl::Time AsioRuntime::UnixNow() { return absl::Now(); }

uint64_t AsioRuntime::Random() {
  const std::lock_guard<std::mutex> lock(random_mutex_);
  return random_();
}

}  // namespace zrs::runtime
