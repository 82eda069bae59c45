// A file that contradicts itself: the upstream's, for which nothing of a sound copy is given up, and the copy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "proto/zrs/v1/admin.pb.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/promotion_test_fixture.h"

namespace zrs::storage {
namespace {

using testing::HasSubstr;

using DamagedFileTest = PromotionTest;

constexpr uint64_t kLengthField = 10;  // a bit of it that makes the transaction longer than the file

TEST_F(DamagedFileTest, NothingIsGivenUpForIt) {
  BeginStreaming();
  for (const size_t transaction : {3u, 37u}) {
    const std::string sound = primary_.Data();
    primary_.FlipBit(At(transaction) + kLengthField);
    EXPECT_EQ(secondary_.Compare().result(), v1::CompareResponse::RESULT_DIFFERENT);
    EXPECT_THAT(secondary_.Status().error().remedy(), HasSubstr("nothing of this copy is to be given up"));
    for (const bool dry_run : {true, false}) {
      const v1::ResyncResponse refused = secondary_.Resync(dry_run);
      EXPECT_EQ(refused.result(), v1::ResyncResponse::RESULT_REFUSED);
      EXPECT_THAT(refused.message(), HasSubstr("the upstream's file is damaged behind offset"));
    }
    EXPECT_EQ(secondary_.Data(), sound);
    EXPECT_FALSE(secondary_.disk().Exists("/secondary/Data.fs.tr0"));
    primary_.disk().SetContents("/primary/Data.fs", sound);
    EXPECT_EQ(secondary_.Compare().result(), v1::CompareResponse::RESULT_SAME);
    RunUntilState(secondary_, "streaming");
  }
}

// As the status advises.
TEST_F(DamagedFileTest, TheSoundCopyIsPromoted) {
  BeginStreaming();
  primary_.FlipBit(At(20) + kLengthField);
  EXPECT_EQ(secondary_.Compare().result(), v1::CompareResponse::RESULT_DIFFERENT);
  ExpectPromoted(secondary_.Promote(kForce));
}

// What is behind a length that is wrong is not found by anybody.
TEST_F(DamagedFileTest, OfTheCopyWhatIsNotSoundIsNotCountedAsTransactions) {
  BeginStreaming();
  secondary_.FlipBit(At(20) + kLengthField);
  EXPECT_EQ(secondary_.Compare().result(), v1::CompareResponse::RESULT_DIFFERENT);
  EXPECT_THAT(secondary_.Status().error().remedy(), HasSubstr("It is this file that is damaged"));
  const v1::ResyncResponse plan = secondary_.Resync(/*dry_run=*/true);
  EXPECT_EQ(plan.transactions(), 0u);
  EXPECT_EQ(plan.uncounted_bytes(), secondary_.Size() - At(20));
}

}  // namespace
}  // namespace zrs::storage
