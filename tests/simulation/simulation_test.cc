// Seeded runs of the real storage code, and broken variants of it that the simulation has to catch.
//
//   ZRS_SIMULATION_SEEDS=5000   so many seeds instead of the default
//   ZRS_SIMULATION_FIRST=1000   from this one on
//   ZRS_SIMULATION_SEED=17      this one alone, with everything that happened
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "spdlog/spdlog.h"
#include "tests/simulation/schedule.h"

namespace zrs::simulation {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kSlowdown = 5;
#else
constexpr uint64_t kSlowdown = 1;
#endif

// Of a build for debugging, as all those with a sanitizer are; in others as many as two processors do in two minutes.
#if defined(ZRS_SIMULATION_IS_SLOW)
constexpr uint64_t kDefaultSeeds = 300 / kSlowdown;
#else
constexpr uint64_t kDefaultSeeds = 20'000 / kSlowdown;
#endif
constexpr uint64_t kVariantSeeds = 50 / kSlowdown;  // of variants that have to keep the rules
constexpr uint64_t kMostSeedsUntilCaught = 5000;    // of variants that have to break them

std::optional<uint64_t> FromEnvironment(const char* name) {
  const char* text = std::getenv(name);
  uint64_t value = 0;
  if (text == nullptr || !absl::SimpleAtoi(text, &value)) return std::nullopt;
  return value;
}

std::string HowToReplay(uint64_t seed) {
  return absl::StrCat("replay it: ZRS_SIMULATION_SEED=", seed,
                      " bazel test -c opt //tests/simulation:simulation_test"
                      " --test_env=ZRS_SIMULATION_SEED --test_output=all --test_filter=",
                      testing::UnitTest::GetInstance()->current_test_info()->test_suite_name(), ".",
                      testing::UnitTest::GetInstance()->current_test_info()->name());
}

// Runs of many seeds, on as many threads as there are processors: each is one by itself.
class Sweep {
 public:
  Sweep(uint64_t first, uint64_t count, std::function<void(ScheduleOptions&)> change)
      : next_(first), end_(first + count), change_(std::move(change)) {}

  // Stops soon after the first that breaks a rule.
  void Run() {
    std::vector<std::thread> threads;
    for (unsigned n = 0; n < std::max(1u, std::thread::hardware_concurrency()); ++n) {
      threads.emplace_back([this] { Work(); });
    }
    for (std::thread& thread : threads) thread.join();
  }

  // Of the lowest seed that was found to break a rule; nothing where none was.
  std::optional<std::pair<uint64_t, ScheduleResult>> failure;
  ScheduleResult sum;

 private:
  void Work() {
    for (uint64_t seed = next_++; seed < end_; seed = next_++) {
      ScheduleOptions options;
      options.seed = seed;
      change_(options);
      ScheduleResult result = RunSchedule(options);
      const std::lock_guard<std::mutex> lock(mutex_);
      sum.transactions += result.transactions;
      sum.crashes += result.crashes;
      sum.packs += result.packs;
      sum.new_copies += result.new_copies;
      sum.refused_backups += result.refused_backups;
      sum.restores += result.restores;
      sum.promotions += result.promotions;
      sum.resyncs += result.resyncs;
      sum.waits += result.waits;
      sum.lost_by_primaries += result.lost_by_primaries;
      sum.lost_by_secondaries += result.lost_by_secondaries;
      sum.told += result.told;
      if (result.violation.empty()) continue;
      if (!failure || seed < failure->first) failure.emplace(seed, std::move(result));
      next_ = end_;
    }
  }

  std::atomic<uint64_t> next_;
  const uint64_t end_;
  const std::function<void(ScheduleOptions&)> change_;
  std::mutex mutex_;  // guards failure and sum while threads run
};

class SimulationTest : public testing::Test {
 protected:
  SimulationTest() { spdlog::set_level(spdlog::level::off); }

  // Runs the seeds that the environment asks for, else `seeds` of them.
  static void ExpectRulesKept(uint64_t seeds, const std::function<void(ScheduleOptions&)>& change) {
    if (const std::optional<uint64_t> only = FromEnvironment("ZRS_SIMULATION_SEED")) return Replay(*only, change);
    const uint64_t first = FromEnvironment("ZRS_SIMULATION_FIRST").value_or(1);
    const uint64_t count = FromEnvironment("ZRS_SIMULATION_SEEDS").value_or(seeds);
    Sweep sweep(first, count, change);
    sweep.Run();
    if (sweep.failure) {
      const auto& [seed, result] = *sweep.failure;
      FAIL() << result.log << "seed " << seed << ": " << result.violation << "\n" << HowToReplay(seed);
    }
    const ScheduleResult& sum = sweep.sum;
    std::cout << count << " seeds from " << first << ": " << sum.transactions << " transactions, " << sum.crashes
              << " crashes, " << sum.packs << " packs, " << sum.promotions << " promotions, " << sum.restores
              << " backups that were gone on from, " << sum.new_copies << " new copies that a person made, "
              << sum.lost_by_primaries << " states that a primary lost, " << sum.lost_by_secondaries
              << " that a secondary did, " << sum.told << " answers by a person to that, " << sum.resyncs
              << " resyncs, " << sum.waits << " waits that returned, " << sum.refused_backups
              << " looks at a primary that refused a backup\n";
  }

  static void Replay(uint64_t seed, const std::function<void(ScheduleOptions&)>& change) {
    ScheduleOptions options;
    options.seed = seed;
    options.log_lines = SIZE_MAX;
    options.log_if_good = true;
    change(options);
    const ScheduleResult result = RunSchedule(options);
    std::cout << result.log;
    EXPECT_EQ(result.violation, "") << "seed " << seed;
  }

  // A seed shows that the program is broken by a violation with `expected` in it, before any other but those with one
  // of `also` ('|' between them), which are what it may lead to too. The seed that the environment asks for, else the
  // first.
  static void ExpectCaught(const std::string& expected, const std::function<void(ScheduleOptions&)>& sabotage,
                           const std::string& also = "") {
    const std::optional<uint64_t> only = FromEnvironment("ZRS_SIMULATION_SEED");
    const std::vector<std::string> passed_over = absl::StrSplit(also, '|', absl::SkipEmpty());
    for (uint64_t seed = only.value_or(1); seed <= only.value_or(kMostSeedsUntilCaught); ++seed) {
      ScheduleOptions options;
      options.seed = seed;
      if (only) options.log_lines = SIZE_MAX;
      sabotage(options);
      const ScheduleResult result = RunSchedule(options);
      if (result.violation.empty()) continue;
      if (only) std::cout << result.log;
      const auto is_in = [&result](const std::string& what) { return absl::StrContains(result.violation, what); };
      if (!is_in(expected) && absl::c_any_of(passed_over, is_in)) continue;
      std::cout << "caught by seed " << seed << ": " << result.violation << "\n";
      EXPECT_TRUE(is_in(expected)) << result.violation << "\n" << HowToReplay(seed);
      return;
    }
    FAIL() << "no seed noticed";
  }
};

// Disks fail in one run of four: a storage that stops for that has not much else to show.
TEST_F(SimulationTest, EverySeedKeepsTheRules) {
  ExpectRulesKept(kDefaultSeeds, [](ScheduleOptions& options) {
    options.failing_syncs = options.seed % 8 == 0;
    options.failing_disks = options.seed % 8 == 4;
  });
}

TEST_F(SimulationTest, NotificationsThatNeverArriveCostPollsAlone) {
  ExpectRulesKept(kVariantSeeds, [](ScheduleOptions& options) { options.deaf = true; });
}

TEST_F(SimulationTest, AnOlderBackupInThePlaceOfThePrimarysFileIsNotFollowed) {
  ExpectRulesKept(kVariantSeeds, [](ScheduleOptions& options) {
    options.backups = true;
    options.packs = false;
    options.promotions = false;
  });
}

TEST_F(SimulationTest, SyncsThatFailStopASecondaryAndLoseNothing) {
  ExpectRulesKept(kVariantSeeds, [](ScheduleOptions& options) { options.failing_syncs = true; });
}

TEST_F(SimulationTest, SecondariesThatKnowAllHostsFindThePrimaryByThemselves) {
  ExpectRulesKept(kVariantSeeds, [](ScheduleOptions& options) { options.several_upstreams = true; });
}

TEST_F(SimulationTest, FileOperationsThatFailAnywhereStopAStorageAndLoseNothing) {
  ExpectRulesKept(kVariantSeeds, [](ScheduleOptions& options) {
    options.failing_disks = true;
    options.packs = options.seed % 2 == 0;
  });
}

TEST_F(SimulationTest, TheSameSeedIsTheSameRun) {
  ScheduleOptions options;
  options.seed = 4;
  options.log_if_good = true;
  const ScheduleResult first = RunSchedule(options);
  const ScheduleResult second = RunSchedule(options);
  EXPECT_EQ(first.log, second.log);
  EXPECT_EQ(first.events, second.events);
  EXPECT_GT(first.transactions, 0u);
}

// What follows are programs that are broken on purpose: were one of them not caught, a green run would mean nothing.

TEST_F(SimulationTest, CatchesASecondaryThatDoesNotSyncItsFile) {
  // By what it acknowledges, or sends on to a follower of its own.
  ExpectCaught("could still lose", [](ScheduleOptions& options) {
    options.sabotage.secondary = {.ignore_file_syncs = true, .path = kDataPath};
  });
}

TEST_F(SimulationTest, CatchesASecondaryThatDoesNotSyncTheHeaderOfAGroup) {
  ExpectCaught("an opener of the copy", [](ScheduleOptions& options) {
    options.packs = false;  // what is left out shows where there is much of the file behind it
    options.sabotage.secondary = {.ignore_header_syncs = true, .path = kDataPath};
  });
}

TEST_F(SimulationTest, CatchesASecondaryThatDoesNotSyncItsDirectory) {
  ExpectCaught("lose", [](ScheduleOptions& options) {
    options.sabotage.secondary = {.ignore_directory_syncs = true, .path = kDataPath};
  });
}

TEST_F(SimulationTest, CatchesASecondaryThatDoesNotSyncTheNamesOfASwap) {
  ExpectCaught("which it could still lose", [](ScheduleOptions& options) {
    options.sabotage.secondary = {.ignore_swap_syncs = true, .path = kDataPath};
  });
}

TEST_F(SimulationTest, CatchesASecondaryThatTakesASwapForDoneBeforeItsNamesAreDurable) {
  ExpectCaught("tells of another file", [](ScheduleOptions& options) {
    options.sabotage.secondary = {.late_swap_syncs = true, .path = kDataPath};
  });
}

TEST_F(SimulationTest, CatchesASecondaryThatDoesNotSyncThePackedFile) {
  ExpectCaught(
      "was acknowledged as durable",
      [](ScheduleOptions& options) {
        options.sabotage.secondary = {.ignore_file_syncs = true, .path = absl::StrCat(kDataPath, ".zrs-new")};
      },
      "is refused");
}

TEST_F(SimulationTest, CatchesASecondaryThatAcknowledgesWhatItHasReceived) {
  ExpectCaught("acknowledges", [](ScheduleOptions& options) { options.sabotage.acknowledge_early = true; });
}

TEST_F(SimulationTest, CatchesASecondaryThatDoesNotCutWhatItHasNotCommitted) {
  ExpectCaught(
      "does not become equal",
      [](ScheduleOptions& options) { options.sabotage.secondary = {.ignore_cuts = true, .path = kDataPath}; },
      "has not saved|is told of an earlier last transaction");
}

TEST_F(SimulationTest, CatchesASecondaryThatGoesOnAfterAFailedSync) {
  ExpectCaught("durabl", [](ScheduleOptions& options) {
    options.failing_syncs = true;
    options.sabotage.secondary = {.hide_failed_syncs = true, .path = kDataPath};
  });
}

TEST_F(SimulationTest, CatchesASecondaryThatDoesNotSyncItsState) {
  ExpectCaught("state", [](ScheduleOptions& options) {
    options.sabotage.secondary = {.ignore_file_syncs = true, .path = absl::StrCat(kStatePath, ".new")};
  });
}

TEST_F(SimulationTest, CatchesAPrimaryThatDoesNotSyncWhatItSends) {
  ExpectCaught("that it could still lose", [](ScheduleOptions& options) {
    options.sabotage.primary = {.ignore_file_syncs = true, .path = kDataPath};
  });
}

TEST_F(SimulationTest, CatchesAPrimaryThatDoesNotSyncItsState) {
  ExpectCaught("could lose its state", [](ScheduleOptions& options) {
    options.sabotage.primary = {.ignore_file_syncs = true, .path = absl::StrCat(kStatePath, ".new")};
  });
}

TEST_F(SimulationTest, CatchesASecondaryThatWritesItsStateAfterTheSwap) {
  ExpectCaught("tells of another file", [](ScheduleOptions& options) {
    options.sabotage.secondary = {.late_state = kStatePath, .path = kDataPath};
  });
}

TEST_F(SimulationTest, CatchesAResyncThatCutsBeforeItHasSaved) {
  ExpectCaught("saved", [](ScheduleOptions& options) {
    options.sabotage.secondary = {.ignore_file_syncs = true, .path = absl::StrCat(kDataPath, ".tr0")};
  });
}

TEST_F(SimulationTest, CatchesAResyncThatOverwritesWhatWasSaved) {
  ExpectCaught("Data.fs.tr0", [](ScheduleOptions& options) {
    options.sabotage.secondary = {.overwrite_saved = true, .path = kDataPath};
  });
}

TEST_F(SimulationTest, CatchesASecondaryThatFollowsAnyPrimaryWhateverItsGeneration) {
  const auto ignore_generations = [](ScheduleOptions& options) {
    options.several_upstreams = true;
    options.sabotage.ignore_generations = true;
  };
  ExpectCaught("follows one of generation", ignore_generations, "does not become equal");
}

TEST_F(SimulationTest, CatchesAPrimaryThatHasLostItsStateAndAsksNobody) {
  ExpectCaught("does not become equal", [](ScheduleOptions& options) { options.sabotage.ask_nobody = true; });
}

TEST_F(SimulationTest, CatchesASecondaryThatFollowsAnyDatabase) {
  // Without packs: behind one it is in an epoch of its own, and does not become equal.
  ExpectCaught("which is of another database", [](ScheduleOptions& options) {
    options.packs = false;
    options.sabotage.ignore_databases = true;
  });
}

TEST_F(SimulationTest, CatchesAWaitThatCountsWhatFollowersHaveReceived) {
  ExpectCaught("wait returned", [](ScheduleOptions& options) {
    options.packs = false;
    options.promotions = false;
    options.sabotage.count_received = true;
  });
}

TEST_F(SimulationTest, CatchesAPrimaryThatKeepsTheBytesOfAnAbortedVote) {
  ExpectCaught("is damaged",
               [](ScheduleOptions& options) { options.sabotage.primary = {.keep_votes = true, .path = kDataPath}; });
}

TEST_F(SimulationTest, CatchesAPrimaryThatTakesVotesForCommits) {
  ExpectCaught("the last that was replicated, is not in it", [](ScheduleOptions& options) {
    options.sabotage.primary = {.show_votes_as_committed = true, .path = kDataPath};
  });
}

}  // namespace
}  // namespace zrs::simulation
