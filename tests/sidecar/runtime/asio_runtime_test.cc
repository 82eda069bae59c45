#include "sidecar/runtime/asio_runtime.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>

namespace zrs::runtime {
namespace {

class AsioRuntimeTest : public ::testing::Test {
 protected:
  AsioRuntimeTest()
      : work_(asio::make_work_guard(context_)), runtime_(std::make_unique<AsioRuntime>(context_, timers_, "io")) {}
  ~AsioRuntimeTest() override { timers_->Close(); }

  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::shared_ptr<TimerQueue> timers_ = TimerQueue::Make(context_);
  std::unique_ptr<AsioRuntime> runtime_;
};

TEST_F(AsioRuntimeTest, ALongRunOfTasksDoesNotHoldUpTheIoThread) {
  std::thread context([this] { context_.run(); });
  int ran = 0;
  std::promise<void> done;
  std::function<void()> again = [&] { ++ran < 1000 ? runtime_->Post([&] { again(); }) : done.set_value(); };
  runtime_->PostIo([&] { runtime_->Post([&] { again(); }); });
  done.get_future().wait();
  EXPECT_EQ(ran, 1000);
  work_.reset();
  timers_->Close();
  context.join();
}

TEST_F(AsioRuntimeTest, ATimerIsRunOnTheStrandUnlessItIsCancelledBefore) {
  std::string ran;
  std::unique_ptr<Timer> second;
  const auto first = runtime_->After(absl::ZeroDuration(), [&] {
    ran += "a";
    second->Cancel();
  });
  second = runtime_->After(absl::Milliseconds(1), [&] { ran += "x"; });
  const auto third = runtime_->After(absl::Milliseconds(2), [&] { ran += "b"; });
  while (ran.size() < 2) context_.run_one();
  EXPECT_EQ(ran, "ab");
}

TEST_F(AsioRuntimeTest, WhatTheContextDoesNotRunAnyMoreGoesWithTheRuntime) {
  int ran = 0;
  auto held = std::make_shared<int>();
  std::function<void()> again = [&, held] {
    ++ran;
    runtime_->Post([&, held] { again(); });
  };
  runtime_->Post([&] { again(); });
  EXPECT_LT(ran, 1000);
  again = nullptr;
  EXPECT_EQ(held.use_count(), 2);
  runtime_.reset();
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(AsioRuntimeTest, WhatIsDoneAsideHoldsUpNothingElse) {
  std::promise<void> go_on;
  std::promise<std::thread::id> aside;
  ASSERT_TRUE(runtime_
                  ->PostAside([&] {
                    go_on.get_future().wait();
                    runtime_->PostIo([&, id = std::this_thread::get_id()] { aside.set_value(id); });
                  })
                  .ok());
  std::promise<std::thread::id> io;
  runtime_->PostIo([&] { io.set_value(std::this_thread::get_id()); });
  const std::thread::id io_thread = io.get_future().get();
  go_on.set_value();
  EXPECT_NE(aside.get_future().get(), io_thread);
}

TEST_F(AsioRuntimeTest, WhatIsDoneAsideIsDoneBeforeTheRuntimeGoes) {
  int ended = 0;
  AsioRuntime* const runtime = runtime_.get();
  for (int n = 0; n < 2; ++n) {
    ASSERT_TRUE(runtime->PostAside([&, runtime] { runtime->PostIo([&] { ++ended; }); }).ok());
  }
  runtime_.reset();
  EXPECT_EQ(ended, 2);
}

TEST_F(AsioRuntimeTest, WhatIsDoneAsideStandsBehindAllElse) {
  std::promise<int> aside;
  ASSERT_TRUE(
      runtime_->PostAside([&] { aside.set_value(getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()))); }).ok());
  EXPECT_EQ(aside.get_future().get(), 19);
  std::promise<int> io;
  runtime_->PostIo([&] { io.set_value(getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()))); });
  EXPECT_EQ(io.get_future().get(), getpriority(PRIO_PROCESS, 0));
}

}  // namespace
}  // namespace zrs::runtime
