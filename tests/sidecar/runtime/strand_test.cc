#include "sidecar/runtime/strand.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace zrs::runtime {
namespace {

// One that nobody keeps busy.
std::shared_ptr<Strand> MakeStrand() {
  return std::make_shared<Strand>([](Task) { ADD_FAILURE() << "handed over"; });
}

// A thread that takes over.
class Helper {
 public:
  void Post(Task task) {
    const std::lock_guard<std::mutex> lock(mutex_);
    tasks_.push_back(std::move(task));
    changed_.notify_one();
  }
  ~Helper() {
    Post(nullptr);
    thread_.join();
  }

 private:
  void Run() {
    while (true) {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return !tasks_.empty(); });
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      if (!task) return;
      task();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  std::thread thread_{[this] { Run(); }};
};

TEST(StrandTest, RunsATaskAtOnceOnTheThreadThatPostsIt) {
  const std::shared_ptr<Strand> strand = MakeStrand();
  std::thread::id ran_on;
  strand->Post([&] { ran_on = std::this_thread::get_id(); });
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(StrandTest, WhatATaskPostsRunsAfterItAndInOrder) {
  const std::shared_ptr<Strand> strand = MakeStrand();
  std::string order;
  strand->Post([&] {
    strand->Post([&] {
      order += "b";
      strand->Post([&] { order += "d"; });
    });
    strand->Post([&] { order += "c"; });
    order += "a";
  });
  EXPECT_EQ(order, "abcd");
}

TEST(StrandTest, WhatATaskHoldsMayPostWhenItGoes) {
  const std::shared_ptr<Strand> strand = MakeStrand();
  std::string order;
  auto held = std::shared_ptr<void>(nullptr, [&](void*) { strand->Post([&] { order += "end"; }); });
  strand->Post([&, held = std::move(held)] { order += "task "; });
  EXPECT_EQ(order, "task end");
}

TEST(StrandTest, AThreadIsNotCapturedByWhatOthersPost) {
  std::deque<Task> elsewhere;
  const auto strand = std::make_shared<Strand>([&](Task task) { elsewhere.push_back(std::move(task)); });
  int ran = 0;
  std::function<void()> again = [&] {
    if (++ran < 1000) strand->Post([&] { again(); });
  };
  strand->Post([&] { again(); });
  EXPECT_EQ(ran, Strand::kMostInARow);
  // Nobody overtakes what is on its way.
  std::string order;
  strand->Post([&] { order += std::to_string(ran); });
  EXPECT_EQ(order, "");
  for (int turns = 0; !elsewhere.empty(); ++turns) {
    ASSERT_LT(turns, 1000);
    EXPECT_EQ(elsewhere.size(), 1u);
    Task task = std::move(elsewhere.front());
    elsewhere.pop_front();
    task();
  }
  EXPECT_EQ(ran, 1000);
  EXPECT_EQ(order, std::to_string(Strand::kMostInARow + 1));
  strand->Post([&] { order = "at once"; });
  EXPECT_EQ(order, "at once");
}

TEST(StrandTest, TheLastOfManyLeavesNothingToHandOver) {
  const std::shared_ptr<Strand> strand = MakeStrand();
  int ran = 0;
  strand->Post([&] {
    ++ran;
    for (int i = 1; i < Strand::kMostInARow; ++i) strand->Post([&] { ++ran; });
  });
  EXPECT_EQ(ran, Strand::kMostInARow);
  strand->Post([&] { ++ran; });
  EXPECT_EQ(ran, Strand::kMostInARow + 1);
}

TEST(StrandTest, CloseDropsWhatWaits) {
  Task elsewhere;
  const auto strand = std::make_shared<Strand>([&](Task task) { elsewhere = std::move(task); });
  int ran = 0;
  bool went = false;
  strand->Post([&] {
    for (int i = 0; i < Strand::kMostInARow; ++i) strand->Post([&] { ++ran; });
    auto held = std::shared_ptr<void>(nullptr, [&](void*) { strand->Post([&] { went = true; }); });
    strand->Post([&, held = std::move(held)] { ++ran; });
  });
  EXPECT_EQ(ran, Strand::kMostInARow - 1);
  strand->Close();
  elsewhere();
  strand->Post([&] { ++ran; });
  EXPECT_EQ(ran, Strand::kMostInARow - 1);
  EXPECT_FALSE(went);
}

TEST(StrandTest, OneAtATimeAndEachThreadsTasksInItsOrder) {
  constexpr int kThreads = 4;
  constexpr int kTasks = 5000;
  Helper helper;
  const auto strand = std::make_shared<Strand>([&helper](Task task) { helper.Post(std::move(task)); });
  int running = 0;
  bool overlapped = false;
  std::vector<std::vector<int>> ran(kThreads);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int task = 0; task < kTasks; ++task) {
        strand->Post([&, thread, task] {
          overlapped |= ++running != 1;
          ran[static_cast<size_t>(thread)].push_back(task);
          --running;
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  // Behind all of theirs, and with their effects.
  std::promise<void> checked;
  strand->Post([&] {
    EXPECT_FALSE(overlapped);
    for (const std::vector<int>& one : ran) {
      ASSERT_EQ(one.size(), static_cast<size_t>(kTasks));
      for (int task = 0; task < kTasks; ++task) ASSERT_EQ(one[static_cast<size_t>(task)], task);
    }
  });
  strand->Post([&] { checked.set_value(); });
  checked.get_future().wait();
}

}  // namespace
}  // namespace zrs::runtime
