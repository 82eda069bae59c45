// A writer in another thread at full speed, with aborted votes, while the tail polls.
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "filestorage/posix_file_system.h"
#include "filestorage/tail.h"
#include "tests/filestorage/tail_test_support.h"

namespace zrs::tests {
namespace {

using filestorage::Boundary;
using filestorage::Tail;
using filestorage::TailEvent;
using filestorage::TailReport;
using filestorage::Tid;

// What was ever committed, by offset and tid. Thread-safe.
class Ledger {
 public:
  void Add(const Boundary& boundary) {
    const std::lock_guard<std::mutex> lock(mutex_);
    committed_.insert({boundary.offset, boundary.tid});
  }
  bool Has(const Boundary& boundary) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return committed_.count({boundary.offset, boundary.tid}) > 0;
  }

 private:
  std::mutex mutex_;
  std::set<std::pair<uint64_t, Tid>> committed_;
};

constexpr int kVotes = 3000;
constexpr int kMostVotes = 300'000;
constexpr uint64_t kAdvances = 10;

// At least kVotes, and more while the tail has not seen kAdvances new ends: a busy machine may not let it run.
void WriteAtFullSpeed(SimulatedWriter& writer, const std::atomic<uint64_t>& advances, Ledger& ledger) {
  std::mt19937 random(20240607);
  for (int i = 1; i <= kVotes || (i <= kMostVotes && advances < kAdvances); ++i) {
    // Few lengths, so that an aborted vote is often followed by one of equal length.
    const size_t size = random() % 20 == 0 ? 100'000 : 100 * (1 + random() % 3);
    writer.Vote(Transaction(Tid(i), size));
    if (random() % 3 == 0) {
      writer.Abort();
      continue;
    }
    ledger.Add(writer.voted());
    writer.Finish();
  }
}

TEST(TailConcurrencyTest, EveryReportedEndWasCommittedByTheWriter) {
  filestorage::FileSystem& files = filestorage::PosixFileSystem();
  ScratchDirectory scratch;
  const std::string path = scratch.Path("Data.fs");
  SimulatedWriter writer(files, path);
  Ledger ledger;
  ledger.Add(writer.end());
  auto tail = Tail::Open(files, path, {}, {});
  ASSERT_TRUE(tail.ok()) << tail.status();

  std::atomic<bool> done{false};
  std::atomic<uint64_t> advances{0};
  std::thread thread([&] {
    WriteAtFullSpeed(writer, advances, ledger);
    done = true;
  });
  uint64_t polls = 0;
  for (bool last = false; !last && !testing::Test::HasFailure(); ++polls) {
    last = done;
    auto report = (*tail)->Poll();
    if (!report.ok()) {
      ADD_FAILURE() << report.status();
      break;
    }
    EXPECT_LE(static_cast<int>(report->event), static_cast<int>(TailEvent::kAborted)) << report->reason;
    EXPECT_TRUE(ledger.Has(report->end)) << report->end.offset << ", tid " << report->end.tid;
    if (report->event == TailEvent::kAdvanced) ++advances;
  }
  thread.join();
  EXPECT_EQ(PollToTheEnd(**tail).end, writer.end());
  EXPECT_GE(advances, kAdvances) << "in " << polls << " polls";
}

}  // namespace
}  // namespace zrs::tests
