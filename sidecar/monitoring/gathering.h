// Several answers that come on several threads, put together.
#ifndef ZRS_SIDECAR_MONITORING_GATHERING_H_
#define ZRS_SIDECAR_MONITORING_GATHERING_H_

#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace zrs::monitoring {

// Thread-safe. Held by whoever still owes an answer.
template <typename Answer>
class Gathering {
 public:
  // `finish` gets the answers by their index, on the thread that gives the last one. `expected`: at least 1.
  Gathering(size_t expected, std::function<void(std::vector<Answer>)> finish)
      : answers_(expected), missing_(expected), finish_(std::move(finish)) {}

  // Once for each index.
  void Put(size_t index, Answer answer) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      answers_[index] = std::move(answer);
      if (--missing_ > 0) return;
    }
    finish_(std::move(answers_));
  }

 private:
  std::mutex mutex_;
  std::vector<Answer> answers_;  // guarded by mutex_ until all are there
  size_t missing_;               // guarded by mutex_
  std::function<void(std::vector<Answer>)> finish_;
};

}  // namespace zrs::monitoring

#endif  // ZRS_SIDECAR_MONITORING_GATHERING_H_
