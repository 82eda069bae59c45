// Seeded runs of the real storage code, and broken variants of it that the simulation has to catch.
//
//   ZRS_SIMULATION_SEEDS=5000   so many seeds instead of the default
//   ZRS_SIMULATION_FIRST=1000   from this one on
//   ZRS_SIMULATION_SEED=17      this one alone, with everything that happened
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
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

constexpr uint64_t kDefaultSeeds = 300 / kSlowdown;
constexpr uint64_t kVariantSeeds = 50 / kSlowdown;  // of variants that have to keep the rules
constexpr uint64_t kMostSeedsUntilCaught = 1500;    // of variants that have to break them

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

class SimulationTest : public testing::Test {
 protected:
  SimulationTest() { spdlog::set_level(spdlog::level::off); }

  // Runs the seeds that the environment asks for, else `seeds` of them; stops at the first that breaks a rule.
  static void ExpectRulesKept(uint64_t seeds, const std::function<void(ScheduleOptions&)>& change) {
    const std::optional<uint64_t> only = FromEnvironment("ZRS_SIMULATION_SEED");
    const uint64_t first = only.value_or(FromEnvironment("ZRS_SIMULATION_FIRST").value_or(1));
    const uint64_t count = only ? 1 : FromEnvironment("ZRS_SIMULATION_SEEDS").value_or(seeds);
    uint64_t transactions = 0;
    uint64_t crashes = 0;
    uint64_t packs = 0;
    uint64_t new_copies = 0;
    uint64_t refused_backups = 0;
    uint64_t promotions = 0;
    for (uint64_t seed = first; seed < first + count; ++seed) {
      ScheduleOptions options;
      options.seed = seed;
      if (only) options.log_lines = SIZE_MAX;
      change(options);
      const ScheduleResult result = RunSchedule(options);
      if (only) std::cout << result.log;
      ASSERT_EQ(result.violation, "") << result.log << "seed " << seed << ": " << result.violation << "\n"
                                      << HowToReplay(seed);
      transactions += result.transactions;
      crashes += result.crashes;
      packs += result.packs;
      new_copies += result.new_copies;
      refused_backups += result.refused_backups;
      promotions += result.promotions;
    }
    std::cout << count << " seeds from " << first << ": " << transactions << " transactions, " << crashes
              << " crashes, " << packs << " packs, " << promotions << " promotions, " << new_copies
              << " new copies that a person made, " << refused_backups << " looks at a primary that refused a backup\n";
  }

  // A seed shows that the program is broken by a violation with `expected` in it, before any other.
  static void ExpectCaught(const std::string& expected, const std::function<void(ScheduleOptions&)>& sabotage) {
    for (uint64_t seed = 1; seed <= kMostSeedsUntilCaught; ++seed) {
      ScheduleOptions options;
      options.seed = seed;
      sabotage(options);
      const ScheduleResult result = RunSchedule(options);
      if (result.violation.empty()) continue;
      std::cout << "caught by seed " << seed << ": " << result.violation << "\n";
      EXPECT_TRUE(absl::StrContains(result.violation, expected)) << result.violation << "\n" << HowToReplay(seed);
      return;
    }
    FAIL() << "no seed noticed";
  }
};

TEST_F(SimulationTest, EverySeedKeepsTheRules) {
  ExpectRulesKept(kDefaultSeeds, [](ScheduleOptions&) {});
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

TEST_F(SimulationTest, TheSameSeedIsTheSameRun) {
  ScheduleOptions options;
  options.seed = 4;
  const ScheduleResult first = RunSchedule(options);
  const ScheduleResult second = RunSchedule(options);
  EXPECT_EQ(first.log, second.log);
  EXPECT_EQ(first.events, second.events);
  EXPECT_GT(first.transactions, 0u);
}

// What follows are programs that are broken on purpose: were one of them not caught, a green run would mean nothing.

TEST_F(SimulationTest, CatchesASecondaryThatDoesNotSyncItsFile) {
  ExpectCaught("acknowledges", [](ScheduleOptions& options) {
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
  ExpectCaught("node", [](ScheduleOptions& options) {
    options.sabotage.secondary = {.ignore_swap_syncs = true, .path = kDataPath};
  });
}

TEST_F(SimulationTest, CatchesASecondaryThatTakesASwapForDoneBeforeItsNamesAreDurable) {
  ExpectCaught("tells of another file", [](ScheduleOptions& options) {
    options.sabotage.secondary = {.late_swap_syncs = true, .path = kDataPath};
  });
}

TEST_F(SimulationTest, CatchesASecondaryThatDoesNotSyncThePackedFile) {
  ExpectCaught("node", [](ScheduleOptions& options) {
    options.sabotage.secondary = {.ignore_file_syncs = true, .path = absl::StrCat(kDataPath, ".zrs-new")};
  });
}

TEST_F(SimulationTest, CatchesASecondaryThatAcknowledgesWhatItHasReceived) {
  ExpectCaught("acknowledges", [](ScheduleOptions& options) { options.sabotage.acknowledge_early = true; });
}

TEST_F(SimulationTest, CatchesASecondaryThatDoesNotCutWhatItHasNotCommitted) {
  ExpectCaught("node",
               [](ScheduleOptions& options) { options.sabotage.secondary = {.ignore_cuts = true, .path = kDataPath}; });
}

TEST_F(SimulationTest, CatchesASecondaryThatGoesOnAfterAFailedSync) {
  ExpectCaught("acknowledges", [](ScheduleOptions& options) {
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
  ExpectCaught("node0: ", [](ScheduleOptions& options) {
    options.sabotage.primary = {.ignore_file_syncs = true, .path = kDataPath};
  });
}

TEST_F(SimulationTest, CatchesAPrimaryThatTakesVotesForCommits) {
  ExpectCaught("node0: ", [](ScheduleOptions& options) {
    options.sabotage.primary = {.show_votes_as_committed = true, .path = kDataPath};
  });
}

}  // namespace
}  // namespace zrs::simulation
