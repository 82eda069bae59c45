// Who is asked what a file is that nobody knows, and what follows from the answers.
#include "sidecar/storage/secondary/comparison/proving.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace zrs::storage {
namespace {

using Step = Proving::Step;

constexpr bool kSecondary = true;

InspectedFile File(bool secondary, uint64_t generation = 1, const std::string& database = "one") {
  InspectedFile file;
  file.secondary = secondary;
  file.lineage.set_database_id(database);
  file.lineage.add_epochs()->set_generation(generation);
  return file;
}

class ProvingTest : public testing::Test {
 protected:
  // Of `addresses`, which have not been asked.
  static Proving Begun(size_t addresses) {
    Proving proving(addresses);
    proving.Begin();
    return proving;
  }
  Step Refute(Proving& proving, const InspectedFile& file) { return proving.NoteRefuted(file, {}, now_); }

  absl::Duration now_ = absl::Seconds(100);
};

TEST_F(ProvingTest, OneAddressIsBelievedWhateverItIs) {
  for (const bool secondary : {false, true}) {
    Proving proving = Begun(1);
    EXPECT_EQ(proving.NoteSilent(now_), Step::kWait);
    EXPECT_TRUE(proving.MayJudge(File(secondary)).ok());
    EXPECT_EQ(Refute(proving, File(secondary)), Step::kRefute);
  }
}

TEST_F(ProvingTest, AllAreAskedBeforeItIsRefuted) {
  Proving proving = Begun(3);
  EXPECT_EQ(Refute(proving, File(!kSecondary)), Step::kAsk);
  EXPECT_EQ(proving.address(), 1u);
  EXPECT_EQ(Refute(proving, File(!kSecondary, 2)), Step::kAsk);
  EXPECT_EQ(Refute(proving, File(!kSecondary)), Step::kRefute);
  EXPECT_EQ(proving.refuted().address, 1u) << "of the latest generation";
}

TEST_F(ProvingTest, WhoeverIsSilentIsWaitedForAWhileAndAskedAlone) {
  Proving proving = Begun(3);
  EXPECT_EQ(Refute(proving, File(!kSecondary)), Step::kAsk);
  EXPECT_EQ(proving.NoteSilent(now_), Step::kAsk);
  EXPECT_EQ(proving.NoteSilent(now_), Step::kWait);
  EXPECT_EQ(proving.address(), 1u);
  now_ += Proving::kPatience - absl::Seconds(1);
  EXPECT_EQ(proving.NoteSilent(now_), Step::kAsk);
  EXPECT_EQ(proving.address(), 2u);
  EXPECT_EQ(proving.NoteSilent(now_), Step::kWait);
  EXPECT_EQ(proving.address(), 1u);
  now_ += absl::Seconds(1);
  EXPECT_EQ(proving.NoteSilent(now_), Step::kAsk);
  EXPECT_EQ(proving.NoteSilent(now_), Step::kRefute);
  EXPECT_EQ(proving.refuted().address, 0u);
}

TEST_F(ProvingTest, ThatWhileBeginsAnewAfterNobodyHasAnswered) {
  Proving proving = Begun(2);
  EXPECT_EQ(proving.NotePassedOver(now_), Step::kAsk);
  EXPECT_EQ(proving.NoteSilent(now_), Step::kWait);
  for (int pass = 0; pass < 10; ++pass) {
    EXPECT_EQ(proving.NoteSilent(now_), Step::kAsk);
    EXPECT_EQ(proving.NoteSilent(now_), Step::kWait);
    now_ += absl::Minutes(1);
  }
  EXPECT_EQ(Refute(proving, File(!kSecondary)), Step::kAsk);
  EXPECT_EQ(proving.NoteSilent(now_), Step::kWait);
}

TEST_F(ProvingTest, SecondariesAreComparedWithWhereThereIsNoPrimary) {
  Proving proving = Begun(2);
  EXPECT_TRUE(absl::IsOutOfRange(proving.MayJudge(File(kSecondary))));
  EXPECT_EQ(proving.NotePassedOver(now_), Step::kAsk);
  EXPECT_TRUE(absl::IsOutOfRange(proving.MayJudge(File(kSecondary))));
  EXPECT_EQ(proving.NotePassedOver(now_), Step::kAsk);
  EXPECT_EQ(proving.address(), 0u);
  EXPECT_TRUE(proving.MayJudge(File(kSecondary)).ok());
  EXPECT_EQ(Refute(proving, File(kSecondary)), Step::kAsk);
  EXPECT_TRUE(proving.MayJudge(File(kSecondary)).ok()) << "the other one may still prove it";
  EXPECT_EQ(Refute(proving, File(kSecondary)), Step::kRefute);
}

TEST_F(ProvingTest, APrimaryThatIsSilentIsWaitedForBeforeThat) {
  Proving proving = Begun(2);
  EXPECT_EQ(proving.NotePassedOver(now_), Step::kAsk);
  EXPECT_EQ(proving.NoteSilent(now_), Step::kWait);
  EXPECT_TRUE(absl::IsOutOfRange(proving.MayJudge(File(kSecondary))));
  now_ += Proving::kPatience;
  EXPECT_EQ(proving.NotePassedOver(now_), Step::kAsk);
  EXPECT_EQ(proving.NoteSilent(now_), Step::kAsk);
  EXPECT_TRUE(proving.MayJudge(File(kSecondary)).ok());
  EXPECT_EQ(Refute(proving, File(kSecondary)), Step::kAsk);
  EXPECT_EQ(proving.NoteSilent(now_), Step::kRefute);
}

TEST_F(ProvingTest, ASecondaryDoesNotProveWhatAPrimaryHasRefuted) {
  Proving proving = Begun(2);
  EXPECT_EQ(Refute(proving, File(!kSecondary)), Step::kAsk);
  EXPECT_TRUE(absl::IsOutOfRange(proving.MayJudge(File(kSecondary))));
  EXPECT_EQ(proving.NotePassedOver(now_), Step::kRefute);
  EXPECT_FALSE(proving.refuted().by_secondary);
}

TEST_F(ProvingTest, WhoIsSilentAmongSecondariesIsWaitedForToo) {
  Proving proving = Begun(2);
  EXPECT_EQ(proving.NotePassedOver(now_), Step::kAsk);
  EXPECT_EQ(proving.NotePassedOver(now_), Step::kAsk);
  EXPECT_EQ(Refute(proving, File(kSecondary)), Step::kAsk);
  EXPECT_EQ(proving.NoteSilent(now_), Step::kWait);
  EXPECT_EQ(proving.address(), 1u);
  EXPECT_EQ(proving.NotePassedOver(now_), Step::kAsk) << "in a pass of primaries first";
  EXPECT_TRUE(proving.MayJudge(File(kSecondary)).ok());
  EXPECT_EQ(Refute(proving, File(kSecondary)), Step::kRefute);
}

TEST_F(ProvingTest, OfTwoDatabasesTheOneThatWasAskedFirstCounts) {
  Proving proving = Begun(2);
  EXPECT_EQ(Refute(proving, File(!kSecondary, 2)), Step::kAsk);
  EXPECT_EQ(Refute(proving, File(!kSecondary, 7, "another")), Step::kRefute);
  EXPECT_EQ(proving.refuted().address, 0u);
  EXPECT_EQ(proving.RefutedGeneration(File(!kSecondary).lineage), 2u);
  EXPECT_EQ(proving.RefutedGeneration(File(!kSecondary, 1, "another").lineage), 0u);
}

TEST_F(ProvingTest, APrimarysWordCountsMoreThanASecondarysBefore) {
  Proving proving = Begun(2);
  EXPECT_EQ(proving.NotePassedOver(now_), Step::kAsk);
  EXPECT_EQ(proving.NotePassedOver(now_), Step::kAsk);
  EXPECT_EQ(Refute(proving, File(kSecondary, 7)), Step::kAsk);
  // It was promoted meanwhile.
  EXPECT_EQ(Refute(proving, File(!kSecondary, 3)), Step::kRefute);
  EXPECT_EQ(proving.refuted().address, 1u);
}

TEST_F(ProvingTest, AnEarlierGenerationDoesNotProveWhatALaterOneHasRefuted) {
  Proving proving = Begun(2);
  EXPECT_EQ(Refute(proving, File(!kSecondary, 2)), Step::kAsk);
  EXPECT_TRUE(absl::IsOutOfRange(proving.MayJudge(File(!kSecondary, 1))));
  EXPECT_TRUE(proving.MayJudge(File(!kSecondary, 2)).ok());
  EXPECT_TRUE(proving.MayJudge(File(!kSecondary, 1, "another")).ok()) << "generations are a database's own";
}

TEST_F(ProvingTest, AnotherFileIsAskedAboutAnew) {
  Proving proving = Begun(2);
  EXPECT_EQ(Refute(proving, File(!kSecondary, 2)), Step::kAsk);
  proving.Begin();
  EXPECT_EQ(proving.address(), 0u);
  EXPECT_TRUE(proving.MayJudge(File(!kSecondary, 1)).ok());
  EXPECT_EQ(proving.NotePassedOver(now_), Step::kAsk);
}

}  // namespace
}  // namespace zrs::storage
