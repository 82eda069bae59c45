// Events of a stream, written down for a test to wait for and to look at.
#ifndef ZRS_TESTS_SIDECAR_TRANSPORT_RECORDER_H_
#define ZRS_TESTS_SIDECAR_TRANSPORT_RECORDER_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "sidecar/transport/message_stream.h"

namespace zrs::transport {

// Long enough for a slow machine; only a failing test waits so long.
inline constexpr std::chrono::seconds kPatience{30};

template <typename In>
class Recorder final : public StreamEvents<In> {
 public:
  // Runs `hook` in OnClosed, before the recorder tells of it.
  explicit Recorder(std::function<void()> closed_hook = nullptr) : closed_hook_(std::move(closed_hook)) {}

  void OnOpen() override {
    Note([this] { opened_++; });
  }
  void OnMessage(In message) override {
    Note([&] { messages_.push_back(std::move(message)); });
  }
  void OnWritten() override {
    Note([this] { written_++; });
  }
  void OnClosed(absl::Status status) override {
    if (closed_hook_) closed_hook_();
    Note([&] {
      closed_++;
      status_ = std::move(status);
    });
  }

  // Each waits, and says whether it came to that.
  bool WaitOpened() {
    return Wait([this] { return opened_ > 0; });
  }
  bool WaitMessages(size_t count) {
    return Wait([=, this] { return messages_.size() >= count; });
  }
  bool WaitWritten(size_t count) {
    return Wait([=, this] { return written_ >= count; });
  }
  bool WaitClosed() {
    return Wait([this] { return closed_ > 0; });
  }
  // Whether OnWritten came once more than `count` times within `patience`.
  bool WrittenBeyond(size_t count, std::chrono::milliseconds patience) {
    return Wait([=, this] { return written_ > count; }, patience);
  }

  size_t opened() const { return Get(opened_); }
  size_t written() const { return Get(written_); }
  size_t closed() const { return Get(closed_); }
  absl::Status status() const { return Get(status_).value_or(absl::UnknownError("not closed")); }
  std::vector<In> messages() const { return Get(messages_); }
  // Calls of events that came while another was running, or after OnClosed: there must be none.
  size_t violations() const { return Get(violations_); }

 private:
  template <typename Change>
  void Note(Change change) {
    const std::unique_lock<std::mutex> one_at_a_time(running_, std::try_to_lock);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!one_at_a_time.owns_lock() || closed_ > 0) violations_++;
    change();
    changed_.notify_all();
  }
  template <typename Condition>
  bool Wait(Condition condition, std::chrono::milliseconds patience = kPatience) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, patience, condition);
  }
  template <typename T>
  T Get(const T& value) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return value;
  }

  const std::function<void()> closed_hook_;
  std::mutex running_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  size_t opened_ = 0;
  size_t written_ = 0;
  size_t closed_ = 0;
  size_t violations_ = 0;
  std::vector<In> messages_;
  std::optional<absl::Status> status_;
};

using FollowerRecorder = Recorder<v1::PublisherMessage>;
using PublisherRecorder = Recorder<v1::FollowerMessage>;

}  // namespace zrs::transport

#endif  // ZRS_TESTS_SIDECAR_TRANSPORT_RECORDER_H_
