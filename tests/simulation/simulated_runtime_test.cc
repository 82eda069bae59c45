#include "tests/simulation/simulated_runtime.h"

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace zrs::simulation {
namespace {

void RunAll(EventQueue& queue) {
  while (queue.RunNext()) {
  }
}

TEST(EventQueueTest, RunsInTheOrderOfTimeAndThenOfAdding) {
  EventQueue queue(1);
  std::string order;
  queue.Add(absl::Seconds(2), [&] { order += "c"; });
  queue.Add(absl::Seconds(1), [&] { order += "a"; });
  queue.Add(absl::Seconds(1), [&] { order += "b"; });
  RunAll(queue);
  EXPECT_EQ(order, "abc");
  EXPECT_EQ(queue.now(), absl::Seconds(2));
}

TEST(EventQueueTest, RunUntilEndsAtTheDeadlineWithoutRunningWhatIsLater) {
  EventQueue queue(1);
  bool ran = false;
  queue.Add(absl::Seconds(2), [&] { ran = true; });
  EXPECT_FALSE(queue.RunUntil(absl::Seconds(1), [] { return false; }));
  EXPECT_FALSE(ran);
  EXPECT_EQ(queue.now(), absl::Seconds(1));
  EXPECT_TRUE(queue.RunUntil(absl::Seconds(3), [&] { return ran; }));
  EXPECT_EQ(queue.now(), absl::Seconds(2));
}

TEST(SimulatedRuntimeTest, StrandKeepsTheOrderOfPosts) {
  EventQueue queue(1);
  SimulatedRuntime runtime(queue, {});
  std::string order;
  for (const char c : std::string("abcdefgh")) runtime.Post([&order, c] { order += c; });
  RunAll(queue);
  EXPECT_EQ(order, "abcdefgh");
}

TEST(SimulatedRuntimeTest, IoLaneKeepsItsOrderAndIsSeparateFromTheStrand) {
  EventQueue queue(1);
  SimulatedRuntime runtime(queue, {.strand = absl::Microseconds(1), .io = absl::Seconds(1), .io_stall_one_in = 0});
  std::string order;
  for (const char c : std::string("ABC")) runtime.PostIo([&order, c] { order += c; });
  for (const char c : std::string("abc")) runtime.Post([&order, c] { order += c; });
  RunAll(queue);
  EXPECT_EQ(order, "abcABC");
}

TEST(SimulatedRuntimeTest, KnowsWhetherItIsInAnIoTask) {
  EventQueue queue(1);
  SimulatedRuntime runtime(queue, {});
  std::vector<bool> in_io;
  runtime.Post([&] { in_io.push_back(runtime.in_io_task()); });
  runtime.PostIo([&] { in_io.push_back(runtime.in_io_task()); });
  RunAll(queue);
  in_io.push_back(runtime.in_io_task());
  EXPECT_EQ(std::count(in_io.begin(), in_io.end(), true), 1);
}

TEST(SimulatedRuntimeTest, TaskMayPostFromWithinItself) {
  EventQueue queue(1);
  SimulatedRuntime runtime(queue, {});
  bool done = false;
  runtime.Post([&] { runtime.Post([&] { runtime.PostIo([&] { done = true; }); }); });
  RunAll(queue);
  EXPECT_TRUE(done);
}

TEST(SimulatedRuntimeTest, TimerRunsAfterItsDelayUnlessCancelledOrDropped) {
  EventQueue queue(1);
  SimulatedRuntime runtime(queue, {});
  std::string fired;
  auto kept = runtime.After(absl::Seconds(1), [&] { fired += "kept"; });
  auto cancelled = runtime.After(absl::Seconds(1), [&] { fired += "cancelled"; });
  auto dropped = runtime.After(absl::Seconds(1), [&] { fired += "dropped"; });
  cancelled->Cancel();
  dropped.reset();
  RunAll(queue);
  EXPECT_EQ(fired, "kept");
  EXPECT_GE(queue.now(), absl::Seconds(1));
}

TEST(SimulatedRuntimeTest, TimerIsCancelledByATaskThatRunsAfterItExpired) {
  EventQueue queue(1);
  SimulatedRuntime runtime(queue, {.strand = absl::ZeroDuration()});
  bool fired = false;
  std::unique_ptr<runtime::Timer> timer;
  // Both get to the strand at the same moment, the cancelling task first.
  queue.Add(absl::Seconds(1), [&] { runtime.Post([&] { timer.reset(); }); });
  timer = runtime.After(absl::Seconds(1), [&] { fired = true; });
  RunAll(queue);
  EXPECT_FALSE(fired);
}

TEST(SimulatedRuntimeTest, NothingRunsAfterKill) {
  EventQueue queue(1);
  SimulatedRuntime runtime(queue, {});
  std::string ran;
  runtime.Post([&] {
    ran += "first";
    runtime.Kill();
    runtime.Post([&] { ran += "posted after"; });
  });
  runtime.Post([&] { ran += "pending"; });
  runtime.PostIo([&] {
    if (!ran.empty()) ran += "pending I/O";
  });
  auto timer = runtime.After(absl::Seconds(1), [&] { ran += "timer"; });
  RunAll(queue);
  EXPECT_EQ(ran, "first");
}

TEST(SimulatedRuntimeTest, EventsOutliveTheRuntime) {
  EventQueue queue(1);
  auto runtime = std::make_unique<SimulatedRuntime>(queue, RuntimeDelays{});
  bool ran = false;
  runtime->Post([&] { ran = true; });
  auto timer = runtime->After(absl::Seconds(1), [&] { ran = true; });
  runtime.reset();
  RunAll(queue);
  timer->Cancel();
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace zrs::simulation
