#include "tests/simulation/simulated_watcher.h"

#include <memory>

#include "gtest/gtest.h"
#include "tests/simulation/simulated_runtime.h"

namespace zrs::simulation {
namespace {

class SimulatedWatcherTest : public testing::Test {
 protected:
  // How many of 100 changes of the file are told.
  int Told(WatcherOptions options) {
    SimulatedWatcher watcher(queue_, notifications_, options);
    int told = 0;
    const auto watch = watcher.Watch("/file", runtime_, [&] { ++told; });
    for (int i = 0; i < 100; ++i) notifications_.Changed("/file");
    RunAll();
    return told;
  }
  void RunAll() {
    while (queue_.RunNext()) {
    }
  }

  EventQueue queue_{1};
  FileNotifications notifications_;
  SimulatedRuntime runtime_{queue_, {}};
};

TEST_F(SimulatedWatcherTest, TellsOfEachChange) { EXPECT_EQ(Told({.drop_one_in = 0}), 100); }

TEST_F(SimulatedWatcherTest, DropsSome) {
  const int told = Told({.drop_one_in = 3});
  EXPECT_GT(told, 30);
  EXPECT_LT(told, 95);
}

TEST_F(SimulatedWatcherTest, NeverTellsWhereItIsDeaf) { EXPECT_EQ(Told({.never = true}), 0); }

TEST_F(SimulatedWatcherTest, TellsOfTheWatchedFileAlone) {
  SimulatedWatcher watcher(queue_, notifications_, {.drop_one_in = 0});
  int told = 0;
  const auto watch = watcher.Watch("/file", runtime_, [&] { ++told; });
  notifications_.Changed("/other");
  RunAll();
  EXPECT_EQ(told, 0);
}

TEST_F(SimulatedWatcherTest, NothingIsToldAfterTheWatchIsGone) {
  SimulatedWatcher watcher(queue_, notifications_, {.drop_one_in = 0});
  int told = 0;
  auto watch = watcher.Watch("/file", runtime_, [&] { ++told; });
  notifications_.Changed("/file");
  watch.reset();
  notifications_.Changed("/file");
  RunAll();
  EXPECT_EQ(told, 0);
}

}  // namespace
}  // namespace zrs::simulation
