#include "sidecar/runtime/strand.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace zrs::runtime {
namespace {

TEST(StrandTest, RunsATaskAtOnceOnTheThreadThatPostsIt) {
  Strand strand;
  std::thread::id ran_on;
  strand.Post([&] { ran_on = std::this_thread::get_id(); });
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(StrandTest, WhatATaskPostsRunsAfterItAndInOrder) {
  Strand strand;
  std::string order;
  strand.Post([&] {
    strand.Post([&] {
      order += "b";
      strand.Post([&] { order += "d"; });
    });
    strand.Post([&] { order += "c"; });
    order += "a";
  });
  EXPECT_EQ(order, "abcd");
}

TEST(StrandTest, WhatATaskHoldsMayPostWhenItGoes) {
  Strand strand;
  std::string order;
  auto held = std::shared_ptr<void>(nullptr, [&](void*) { strand.Post([&] { order += "end"; }); });
  strand.Post([&, held = std::move(held)] { order += "task "; });
  EXPECT_EQ(order, "task end");
}

TEST(StrandTest, OneAtATimeAndEachThreadsTasksInItsOrder) {
  constexpr int kThreads = 4;
  constexpr int kTasks = 5000;
  Strand strand;
  int running = 0;
  bool overlapped = false;
  std::vector<std::vector<int>> ran(kThreads);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int task = 0; task < kTasks; ++task) {
        strand.Post([&, thread, task] {
          overlapped |= ++running != 1;
          ran[static_cast<size_t>(thread)].push_back(task);
          --running;
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  // Behind all of theirs, and with their effects.
  strand.Post([&] {
    EXPECT_FALSE(overlapped);
    for (const std::vector<int>& one : ran) {
      ASSERT_EQ(one.size(), static_cast<size_t>(kTasks));
      for (int task = 0; task < kTasks; ++task) ASSERT_EQ(one[static_cast<size_t>(task)], task);
    }
  });
}

}  // namespace
}  // namespace zrs::runtime
