#include "sidecar/runtime/timer_queue.h"

#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace zrs::runtime {
namespace {

absl::Duration Now() { return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()); }

constexpr absl::Duration kFar = absl::Hours(1);

class TimerQueueTest : public testing::Test {
 protected:
  ~TimerQueueTest() override { queue_->Close(); }

  // Runs the context until `count` tasks have run.
  void RunUntil(size_t count) {
    while (ran_.size() < count) context_.run_one();
  }
  std::shared_ptr<TimerQueue::Entry> Add(absl::Duration due, const std::string& name) {
    return queue_->Add(due, [this, name] { ran_ += name; });
  }

  asio::io_context context_;
  std::shared_ptr<TimerQueue> queue_ = TimerQueue::Make(context_);
  std::string ran_;
};

TEST_F(TimerQueueTest, RunsWhatIsDueInItsOrderAndNotBefore) {
  const absl::Duration now = Now();
  Add(now + absl::Milliseconds(20), "b");
  Add(now + absl::Milliseconds(40), "c");
  Add(now + absl::Milliseconds(10), "a");
  Add(now + kFar, "d");
  RunUntil(3);
  EXPECT_EQ(ran_, "abc");
  EXPECT_GE(Now(), now + absl::Milliseconds(40));
}

TEST_F(TimerQueueTest, WhatIsPastIsRunSoon) {
  Add(Now() - absl::Seconds(1), "a");
  RunUntil(1);
}

TEST_F(TimerQueueTest, WhatIsRemovedIsNotRunAndGoesAtOnce) {
  const auto held = std::make_shared<int>();
  const absl::Duration now = Now();
  const auto removed = queue_->Add(now + absl::Milliseconds(1), [this, held] { ran_ += "x"; });
  Add(now + absl::Milliseconds(2), "a");
  EXPECT_EQ(held.use_count(), 2);
  queue_->Remove(removed);
  EXPECT_EQ(held.use_count(), 1);
  queue_->Remove(removed);
  RunUntil(1);
  EXPECT_EQ(ran_, "a");
}

// The reason for this class.
TEST_F(TimerQueueTest, RemovingAndPuttingOffWakeUpNobody) {
  Add(Now() + absl::Milliseconds(1), "a");
  RunUntil(1);
  for (int i = 0; i < 10; ++i) queue_->Remove(Add(Now() + kFar - absl::Seconds(i), "x"));
  EXPECT_EQ(context_.poll(), 0u);
  EXPECT_EQ(ran_, "a");
}

TEST_F(TimerQueueTest, ATaskMayAddAndRemove) {
  const auto removed = Add(Now() + kFar, "x");
  queue_->Add(Now(), [this, removed] {
    queue_->Remove(removed);
    ran_ += "a";
    Add(Now(), "b");
  });
  RunUntil(2);
  EXPECT_EQ(ran_, "ab");
}

TEST_F(TimerQueueTest, NothingIsRunOrKeptBehindTheClose) {
  const auto held = std::make_shared<int>();
  const auto entry = queue_->Add(Now(), [this, held] { ran_ += "x"; });
  EXPECT_EQ(held.use_count(), 2);
  queue_->Close();
  EXPECT_EQ(held.use_count(), 1);
  queue_->Remove(entry);
  Add(Now(), "x");
  context_.run();
  EXPECT_EQ(ran_, "");
}

}  // namespace
}  // namespace zrs::runtime
