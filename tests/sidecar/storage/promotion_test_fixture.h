// A primary and a secondary of it, whose roles change.
#ifndef ZRS_TESTS_SIDECAR_STORAGE_PROMOTION_TEST_FIXTURE_H_
#define ZRS_TESTS_SIDECAR_STORAGE_PROMOTION_TEST_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/storage_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {

using Promoted = v1::PromotedStorage;

inline constexpr auto kMustBeGone = v1::PromoteRequest::UPSTREAM_MUST_BE_GONE;
inline constexpr auto kWait = v1::PromoteRequest::UPSTREAM_WAIT_UNTIL_GONE;
inline constexpr auto kForce = v1::PromoteRequest::UPSTREAM_NO_MATTER;

class PromotionTest : public PairTest {
 protected:
  void BeginStreaming() {
    Begin();
    RunUntilState(secondary_, "streaming");
  }
  void ExpectRefused(const Promoted& answer, const std::string& words) {
    EXPECT_EQ(answer.result(), Promoted::RESULT_REFUSED) << answer.message();
    EXPECT_THAT(answer.message(), testing::HasSubstr(words));
    EXPECT_EQ(secondary_.Status().role(), "secondary");
    EXPECT_EQ(secondary_.Status().generation(), 1u);
  }
  void ExpectPromoted(const Promoted& answer) {
    EXPECT_EQ(answer.result(), Promoted::RESULT_PROMOTED) << answer.message();
    EXPECT_EQ(answer.generation(), 2u);
    EXPECT_EQ(answer.committed_end(), secondary_.Size());
    ExpectPrimary(secondary_);
  }
  void ExpectPrimary(Machine& machine) {
    RunUntilState(machine, "streaming");
    EXPECT_EQ(machine.Status().role(), "primary");
    EXPECT_EQ(machine.Status().generation(), 2u);
    EXPECT_TRUE(machine.serving());
  }
  void RunUntilFollowing(Machine& machine, const std::string& address) {
    EXPECT_TRUE(world_.RunUntil([&] {
      const v1::StorageStatus status = machine.Status();
      return status.state() == "streaming" && status.upstream().address() == address;
    })) << machine.Status().DebugString();
  }
  // More is committed at the machine, which nobody else has.
  void Commit(Machine& machine, size_t count = 1) { machine.Write(file_.AddMany(count, 300).bytes()); }
};

}  // namespace zrs::storage

#endif  // ZRS_TESTS_SIDECAR_STORAGE_PROMOTION_TEST_FIXTURE_H_
