// A resync without room on the secondary's disk for what it would save.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "proto/zrs/v1/admin.pb.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/promotion_test_fixture.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::storage {
namespace {

using testing::HasSubstr;

class ResyncRoomTest : public PromotionTest {
 protected:
  // All from the `transaction`th on is to be given up.
  void Damage(size_t transaction) {
    BeginStreaming();
    damaged_ = secondary_.Data();
    surplus_ = damaged_.size() - file_.boundaries()[transaction].offset;
    damaged_[damaged_.size() - surplus_ + 200] ^= 4;
    secondary_.disk().SetContents("/secondary/Data.fs", damaged_);
    EXPECT_EQ(secondary_.Compare().result(), v1::CompareResponse::RESULT_DIFFERENT);
  }
  // Another one takes the room at the last moment.
  void FailSaving() {
    secondary_.disk().SetHook([](const tests::SimulatedOperation& operation) {
      const bool saving =
          operation.kind == tests::SimulatedOperation::Kind::kWrite && absl::StrContains(operation.path, "Data.fs.tr");
      return saving ? absl::ResourceExhaustedError("writing: no space left") : absl::OkStatus();
    });
    EXPECT_EQ(secondary_.Resync(/*dry_run=*/false).result(), v1::ResyncResponse::RESULT_FAILED);
    EXPECT_EQ(secondary_.Data(), damaged_);
    secondary_.disk().SetHook(nullptr);
  }
  void ExpectRefused(size_t bytes) {
    for (const bool dry_run : {true, false}) {
      const v1::ResyncResponse refused = secondary_.Resync(dry_run);
      EXPECT_EQ(refused.result(), v1::ResyncResponse::RESULT_REFUSED);
      EXPECT_THAT(refused.message(), HasSubstr(absl::StrCat("needs ", bytes, " more bytes, and /secondary has ")));
    }
    EXPECT_EQ(secondary_.Data(), damaged_);
  }

  std::string damaged_;
  size_t surplus_ = 0;
};

TEST_F(ResyncRoomTest, IsLookedForBeforeAnythingIsPromised) {
  Damage(30);
  secondary_.disk().SetCapacity(damaged_.size() + 5000);
  ExpectRefused(surplus_);
  secondary_.disk().SetCapacity(UINT64_MAX);
  EXPECT_EQ(secondary_.Resync(/*dry_run=*/false).result(), v1::ResyncResponse::RESULT_DONE);
  RunUntilEqual(primary_, secondary_);
}

TEST_F(ResyncRoomTest, IsNeededForAWholeCopyWhereLittleIsTheSame) {
  Damage(5);
  secondary_.disk().SetCapacity(damaged_.size() + 5000);
  ExpectRefused(primary_.Size());
}

TEST_F(ResyncRoomTest, IsGoneAtTheLastMoment) {
  Damage(30);
  FailSaving();
  secondary_.Stop();
  secondary_.Start();
  RunUntilState(secondary_, "diverged");
  EXPECT_EQ(secondary_.Resync(/*dry_run=*/false).result(), v1::ResyncResponse::RESULT_DONE);
  RunUntilEqual(primary_, secondary_);
}

TEST_F(ResyncRoomTest, IsMissingAndTheCopyCanBePromotedAsBefore) {
  Damage(30);
  FailSaving();
  RunUntilState(secondary_, "diverged");
  EXPECT_EQ(secondary_.Status().generation(), 1u);
  ExpectPromoted(secondary_.Promote(kForce));
  EXPECT_EQ(secondary_.Data(), damaged_);
}

}  // namespace
}  // namespace zrs::storage
