// A packed file takes the copy's place: crashes and kills at each operation, and in the start that follows.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "filestorage/index/index_builder.h"
#include "tests/sidecar/storage/crash_outcomes.h"
#include "tests/sidecar/storage/swap_test_fixture.h"

namespace zrs::storage {
namespace {

using tests::SimulatedFileSystem;
using tests::SimulatedOperation;

class SwapCrashTest : public SwapTest {};

TEST_P(SwapCrashTest, TheWholeWay) {
  ASSERT_TRUE(Run(disk_).ok());
  CheckFinished(disk_);
  EXPECT_GT(disk_.operations(), 60u);
}

TEST_P(SwapCrashTest, ACrashAnywhere) {
  CrashOutcomes outcomes({"/data", "/state"}, 8);
  RunWithLook(disk_, [&](uint64_t operation) {
    SCOPED_TRACE(absl::StrCat("crash before operation ", operation));
    outcomes.ForEach(disk_, operation, [this](SimulatedFileSystem& crashed) { Check(crashed); });
  });
}

TEST_P(SwapCrashTest, ACrashAnywhereAndInTheNextStart) {
  CrashOutcomes outcomes({"/data", "/state"}, 1);
  CrashOutcomes of_start({"/data", "/state"}, 1);
  RunWithLook(disk_, [&](uint64_t operation) {
    SCOPED_TRACE(absl::StrCat("crash before operation ", operation));
    outcomes.ForEach(disk_, operation,
                     [&](SimulatedFileSystem& crashed) { CheckCrashesOfStart(crashed, 1000 * operation, of_start); });
  });
}

// An index that is ready to take its place when the file has become another one.
TEST_P(SwapCrashTest, AnIndexThatComesTooLateIsThrownAway) {
  CopyFile copy(options_, disk_);
  const auto found = copy.Open();
  ASSERT_TRUE(found.ok()) << found.status();
  const auto of = copy.BeginIndex();
  ASSERT_TRUE(of.ok()) << of.status();
  EXPECT_EQ(of->end, old_.size());
  auto prepared = filestorage::PrepareIndex(disk_, kPath, {.up_to = of->end});
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  ASSERT_TRUE(copy.CheckIsStill(*of).ok());
  ASSERT_TRUE(Rebuild(copy, found->copy).ok());
  const absl::Status put = copy.PutIndex(*of, *prepared);
  EXPECT_TRUE(absl::IsCancelled(put)) << put;
  EXPECT_FALSE(disk_.Exists(kIndexPath));
}

INSTANTIATE_TEST_SUITE_P(All, SwapCrashTest, SwapCases(), SwapCaseName);

}  // namespace
}  // namespace zrs::storage
