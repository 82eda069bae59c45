#include "sidecar/runtime/asio_runtime.h"

#include <gtest/gtest.h>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <functional>
#include <future>
#include <memory>
#include <thread>

namespace zrs::runtime {
namespace {

class AsioRuntimeTest : public ::testing::Test {
 protected:
  AsioRuntimeTest() : work_(asio::make_work_guard(context_)), runtime_(std::make_unique<AsioRuntime>(context_, "io")) {}

  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
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
  context.join();
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

}  // namespace
}  // namespace zrs::runtime
