#include "sidecar/runtime/inotify_watcher.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace zrs::runtime {
namespace {

// A strand that runs when the test says so.
class ManualRuntime final : public Runtime {
 public:
  void Post(Task task) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    tasks_.push_back(std::move(task));
    ++posts_;
    posted_.notify_all();
  }

  // Runs what was posted; waits for something first. False when nothing came in time.
  bool Run() {
    std::deque<Task> tasks;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      if (!posted_.wait_for(lock, std::chrono::seconds(20), [this] { return !tasks_.empty(); })) return false;
      tasks.swap(tasks_);
    }
    for (Task& task : tasks) task();
    return true;
  }

  size_t posts() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return posts_;
  }

  void PostIo(Task) override {}
  absl::Status PostAside(Task) override { return absl::UnimplementedError(""); }
  std::unique_ptr<Timer> After(absl::Duration, Task) override { return nullptr; }
  absl::Duration Now() override { return absl::ZeroDuration(); }
  absl::Time UnixNow() override { return absl::UnixEpoch(); }
  uint64_t Random() override { return 0; }

 private:
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<Task> tasks_;
  size_t posts_ = 0;
};

class InotifyWatcherTest : public testing::Test {
 protected:
  InotifyWatcherTest() {
    std::string pattern = testing::TempDir() + "/zrs_inotify_XXXXXX";
    directory_ = mkdtemp(pattern.data());
    path_ = directory_ + "/Data.fs";
    Append(path_);
    thread_ = std::thread([this] { io_context_.run(); });
  }

  ~InotifyWatcherTest() override {
    watch_.reset();
    work_.reset();
    watcher_.reset();
    io_context_.stop();
    thread_.join();
    std::filesystem::remove_all(directory_);
  }

  static void Append(const std::string& path) { std::ofstream(path, std::ios::app) << "more"; }

  void Watch() {
    watch_ = watcher_->Watch(path_, runtime_, [this] { ++changes_; });
    EXPECT_TRUE(watch_->native());
  }

  // Expects a call that `what` led to, and drops those that follow from it: one change is several events.
  void ExpectToldOf(const std::string& what) {
    EXPECT_TRUE(runtime_.Run()) << what;
    EXPECT_GT(changes_, 0) << what;
    SettleDown();
  }

  // Waits until every event so far was read, by an event of a second watch that comes behind them, and drops the calls.
  void SettleDown() {
    ManualRuntime marker_runtime;
    const std::string marker = directory_ + "/marker";
    bool told = false;
    auto marker_watch = watcher_->Watch(marker, marker_runtime, [&told] { told = true; });
    Append(marker);
    while (!told) ASSERT_TRUE(marker_runtime.Run());
    runtime_.Post([] {});
    EXPECT_TRUE(runtime_.Run());
    changes_ = 0;
  }

  std::string directory_;
  std::string path_;
  asio::io_context io_context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_context_);
  std::thread thread_;
  ManualRuntime runtime_;
  std::unique_ptr<InotifyWatcher> watcher_ = std::make_unique<InotifyWatcher>(io_context_);
  std::unique_ptr<FileWatch> watch_;
  int changes_ = 0;
};

TEST_F(InotifyWatcherTest, AWriteIsTold) {
  Watch();
  for (int i = 0; i < 3; ++i) {
    Append(path_);
    ExpectToldOf("a write");
  }
}

TEST_F(InotifyWatcherTest, ATruncationIsTold) {
  Watch();
  ASSERT_EQ(truncate(path_.c_str(), 1), 0);
  ExpectToldOf("a truncation");
}

TEST_F(InotifyWatcherTest, AReplacementIsToldAndTheNewFileIsWatched) {
  Watch();
  Append(directory_ + "/other");
  std::filesystem::rename(directory_ + "/other", path_);
  ExpectToldOf("a rename over the name");
  Append(path_);
  ExpectToldOf("a write to the new file");
}

TEST_F(InotifyWatcherTest, APackIsToldAndTheNewFileIsWatched) {
  Watch();
  std::filesystem::rename(path_, path_ + ".old");
  ExpectToldOf("a rename away");
  Append(directory_ + "/Data.fs.pack");
  std::filesystem::rename(directory_ + "/Data.fs.pack", path_);
  ExpectToldOf("a rename to the name");
  Append(path_);
  ExpectToldOf("a write to the new file");
}

TEST_F(InotifyWatcherTest, TheReplacedFileIsNoLongerWatched) {
  Watch();
  std::filesystem::rename(path_, path_ + ".old");
  Append(path_);
  ExpectToldOf("another file");
  const size_t posts = runtime_.posts();
  Append(path_ + ".old");
  SettleDown();
  EXPECT_EQ(runtime_.posts(), posts + 1) << "more than SettleDown's own";
}

TEST_F(InotifyWatcherTest, WritesThatAreIgnoredAreToldInOneCallWhenTheyAreNoMore) {
  Watch();
  watch_->IgnoreWrites();
  SettleDown();
  const size_t posts = runtime_.posts();
  for (int i = 0; i < 3; ++i) Append(path_);
  SettleDown();
  EXPECT_EQ(runtime_.posts(), posts + 1) << "more than SettleDown's own";
  watch_->TellWrites();
  ExpectToldOf("what was written meanwhile");
  Append(path_);
  ExpectToldOf("a write afterwards");
}

TEST_F(InotifyWatcherTest, WhileWritesAreIgnoredAReplacementIsToldAndEndsThat) {
  Watch();
  watch_->IgnoreWrites();
  SettleDown();
  Append(directory_ + "/other");
  std::filesystem::rename(directory_ + "/other", path_);
  ExpectToldOf("a rename over the name");
  Append(path_);
  ExpectToldOf("a write to the new file");
}

TEST_F(InotifyWatcherTest, WritesThatOneWatchIgnoresAreToldToAnotherOne) {
  Watch();
  int others = 0;
  ManualRuntime other_runtime;
  auto other = watcher_->Watch(path_, other_runtime, [&others] { ++others; });
  watch_->IgnoreWrites();
  SettleDown();
  Append(path_);
  EXPECT_TRUE(other_runtime.Run());
  EXPECT_EQ(others, 1);
}

TEST_F(InotifyWatcherTest, AWatchMayGoWhileItIsBeingAdjusted) {
  Watch();
  watch_->IgnoreWrites();
  watch_->TellWrites();
  watch_.reset();
  Watch();
  Append(path_);
  ExpectToldOf("a write");
}

TEST_F(InotifyWatcherTest, ARemovalIsToldAlsoWhileTheFileIsOpen) {
  Watch();
  const int fd = open(path_.c_str(), O_RDONLY);
  std::filesystem::remove(path_);
  ExpectToldOf("a removal");
  close(fd);
}

TEST_F(InotifyWatcherTest, AFileThatIsNotThereYetIsToldWhenItComes) {
  std::filesystem::remove(path_);
  Watch();
  Append(path_);
  ExpectToldOf("a creation");
  Append(path_);
  ExpectToldOf("a write to it");
}

TEST_F(InotifyWatcherTest, OtherFilesOfTheDirectoryAreNotTold) {
  Watch();
  Append(directory_ + "/Data.fs.lock");
  Append(directory_ + "/Data.fs.lock");
  std::filesystem::rename(directory_ + "/Data.fs.lock", directory_ + "/Data");
  std::filesystem::remove(directory_ + "/Data");
  SettleDown();
  EXPECT_EQ(runtime_.posts(), 1u) << "more than SettleDown's own";
}

TEST_F(InotifyWatcherTest, AnUnservedCallIsNotPostedTwice) {
  Watch();
  Append(path_);
  ManualRuntime other;
  auto marker = watcher_->Watch(directory_ + "/marker", other, [] {});
  for (int i = 0; i < 100; ++i) {
    Append(path_);
    Append(directory_ + "/marker");
    ASSERT_TRUE(other.Run());
  }
  EXPECT_EQ(runtime_.posts(), 1u);
}

TEST_F(InotifyWatcherTest, ADestroyedWatchIsNotCalled) {
  Watch();
  Append(path_);
  while (runtime_.posts() == 0) std::this_thread::yield();
  watch_.reset();
  EXPECT_TRUE(runtime_.Run());
  EXPECT_EQ(changes_, 0);
  Append(path_);
  const size_t posts = runtime_.posts();
  SettleDown();
  EXPECT_EQ(runtime_.posts(), posts + 1) << "more than SettleDown's own";
}

TEST_F(InotifyWatcherTest, AWatchMayBeDestroyedByItsOwnCall) {
  watch_ = watcher_->Watch(path_, runtime_, [this] {
    ++changes_;
    watch_.reset();
  });
  Append(path_);
  EXPECT_TRUE(runtime_.Run());
  EXPECT_EQ(changes_, 1);
}

TEST_F(InotifyWatcherTest, TwoWatchesOfOneFileAreBothToldAndIndependent) {
  Watch();
  int others = 0;
  ManualRuntime other_runtime;
  auto other = watcher_->Watch(path_, other_runtime, [&others] { ++others; });
  Append(path_);
  EXPECT_TRUE(other_runtime.Run());
  EXPECT_EQ(others, 1);
  ExpectToldOf("a write that two look at");
  other.reset();
  Append(path_);
  ExpectToldOf("a write when the other has gone");
}

TEST_F(InotifyWatcherTest, TheWatcherMayBeDestroyedBeforeItsContext) {
  Watch();
  watch_.reset();
  watcher_.reset();
  Append(path_);
}

TEST_F(InotifyWatcherTest, TheContextMayBeDestroyedWithAReadOutstanding) {
  auto context = std::make_unique<asio::io_context>();
  auto watcher = std::make_unique<InotifyWatcher>(*context);
  auto watch = watcher->Watch(path_, runtime_, [] {});
  watch.reset();
  watcher.reset();
  context.reset();
}

TEST_F(InotifyWatcherTest, AMissingDirectoryLeavesThePollAlone) {
  auto watch = watcher_->Watch(directory_ + "/nothing/Data.fs", runtime_, [] {});
  EXPECT_FALSE(watch->native());
}

TEST_F(InotifyWatcherTest, ARemovedDirectoryIsToldAndLeavesThePollAlone) {
  const std::string directory = directory_ + "/sub";
  std::filesystem::create_directory(directory);
  int changes = 0;
  auto watch = watcher_->Watch(directory + "/Data.fs", runtime_, [&changes] { ++changes; });
  EXPECT_TRUE(watch->native());
  std::filesystem::remove(directory);
  EXPECT_TRUE(runtime_.Run());
  EXPECT_EQ(changes, 1);
  EXPECT_FALSE(watch->native());
}

TEST_F(InotifyWatcherTest, WithoutDescriptorsThePollRemainsAndALaterWatchIsNative) {
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = open("/dev/null", O_RDONLY);
  close(next);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  auto watch = watcher_->Watch(path_, runtime_, [] {});
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_FALSE(watch->native());
  Watch();
  Append(path_);
  ExpectToldOf("a write");
}

TEST_F(InotifyWatcherTest, WatchesComeAndGoInManyThreads) {
  std::vector<std::thread> threads;
  for (int n = 0; n < 4; ++n) {
    threads.emplace_back([this, n] {
      ManualRuntime runtime;
      const std::string path = directory_ + "/file" + std::to_string(n % 2);
      for (int i = 0; i < 30; ++i) {
        bool told = false;
        auto watch = watcher_->Watch(path, runtime, [&told] { told = true; });
        Append(path);
        while (!told) ASSERT_TRUE(runtime.Run());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace zrs::runtime
