#include "sidecar/storage/secondary/upstream_choice.h"

#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "sidecar/replication/copy.h"
#include "sidecar/storage/secondary/upstream_finding.h"

namespace zrs::storage {
namespace {

using Kind = UpstreamFinding::Kind;

UpstreamFinding Found(Kind kind, uint64_t generation = 0) { return {kind, generation, "why", "remedy"}; }

class UpstreamChoiceTest : public ::testing::Test {
 protected:
  // All three answer.
  void Round(UpstreamFinding first, UpstreamFinding second, UpstreamFinding third) {
    choice_.BeginRound();
    choice_.OnFound(0, std::move(first), now_);
    choice_.OnFound(1, std::move(second), now_);
    choice_.OnFound(2, std::move(third), now_);
  }
  std::optional<size_t> Next(uint64_t own = 1) { return choice_.Next(own, now_); }
  void Follow(size_t address, uint64_t generation, bool secondary = false) {
    choice_.OnConnecting(address);
    choice_.OnFollowing(generation, secondary);
  }

  UpstreamChoice choice_{3};
  absl::Duration now_ = absl::Seconds(100);
};

TEST_F(UpstreamChoiceTest, ThePrimaryOfTheHighestGenerationIsFollowed) {
  Round(Found(Kind::kPrimary, 1), Found(Kind::kPrimary, 3), Found(Kind::kPrimary, 2));
  EXPECT_EQ(Next(), 1u);
}

TEST_F(UpstreamChoiceTest, APrimaryIsFollowedBeforeASecondary) {
  Round(Found(Kind::kGone), Found(Kind::kSecondary, 2), Found(Kind::kPrimary, 2));
  EXPECT_EQ(Next(), 2u);
}

TEST_F(UpstreamChoiceTest, ASecondaryIsLeftForThePrimary) {
  Follow(0, 2, /*secondary=*/true);
  choice_.BeginRound();
  choice_.OnFound(1, Found(Kind::kSecondary, 2), now_);
  EXPECT_FALSE(choice_.outdone(now_));
  choice_.OnFound(2, Found(Kind::kPrimary, 2), now_);
  EXPECT_TRUE(choice_.outdone(now_));
}

TEST_F(UpstreamChoiceTest, OneThatTurnsThisFollowerAwayIsNotAskedAgainForAWhile) {
  choice_.OnConnecting(2);
  choice_.OnTurnedAway(now_);
  Round(Found(Kind::kGone), Found(Kind::kSecondary, 2), Found(Kind::kPrimary, 2));
  EXPECT_EQ(Next(), 1u);
  Follow(1, 2, /*secondary=*/true);
  choice_.BeginRound();
  choice_.OnFound(2, Found(Kind::kPrimary, 2), now_);
  EXPECT_FALSE(choice_.outdone(now_));
  now_ += UpstreamChoice::kFull;
  EXPECT_TRUE(choice_.outdone(now_));
}

TEST_F(UpstreamChoiceTest, AmongThoseThatAreAlikeTheConfiguredOrderDecides) {
  Round(Found(Kind::kGone), Found(Kind::kSecondary, 2), Found(Kind::kSecondary, 2));
  EXPECT_EQ(Next(), 1u);
  Round(Found(Kind::kGone), Found(Kind::kPrimary, 2), Found(Kind::kPrimary, 2));
  EXPECT_EQ(Next(), 1u);
}

TEST_F(UpstreamChoiceTest, NobodyOfAnEarlierGenerationThanOursIsFollowed) {
  Round(Found(Kind::kPrimary, 1), Found(Kind::kGone), Found(Kind::kStale));
  EXPECT_EQ(Next(2), std::nullopt);
  EXPECT_TRUE(choice_.round_over());
  EXPECT_EQ(Next(1), 0u);
  EXPECT_EQ(Next(0), 0u) << "who yields follows what it is told to";
}

TEST_F(UpstreamChoiceTest, WhatIsKnownOfAGenerationStaysKnownWhileNothingAnswers) {
  Round(Found(Kind::kGone), Found(Kind::kPrimary, 2), Found(Kind::kGone));
  Round(Found(Kind::kPrimary, 1), Found(Kind::kGone), Found(Kind::kStops));
  EXPECT_EQ(Next(), std::nullopt);
  Round(Found(Kind::kPrimary, 1), Found(Kind::kRefuses), Found(Kind::kGone));
  EXPECT_EQ(Next(), std::nullopt) << "it starts, say";
  // It was demoted, say.
  Round(Found(Kind::kPrimary, 1), Found(Kind::kUnheard, 1), Found(Kind::kGone));
  EXPECT_EQ(Next(), 0u);
}

TEST_F(UpstreamChoiceTest, ASecondaryThatHearsNothingIsNotFollowedButToldOfTheGeneration) {
  Round(Found(Kind::kPrimary, 1), Found(Kind::kUnheard, 2), Found(Kind::kGone));
  EXPECT_EQ(Next(), std::nullopt);
}

TEST_F(UpstreamChoiceTest, OthersMayAnswerForAWhile) {
  choice_.BeginRound();
  choice_.OnFound(0, Found(Kind::kPrimary, 1), now_);
  EXPECT_EQ(Next(), std::nullopt);
  EXPECT_FALSE(choice_.round_over());
  now_ += UpstreamChoice::kOthersMayAnswer;
  EXPECT_EQ(Next(), 0u);
}

TEST_F(UpstreamChoiceTest, TheOneThatWasFollowedLastNeedNotWaitForOthers) {
  Follow(2, 1);
  choice_.OnLost(now_);
  EXPECT_EQ(choice_.present(), 2u);
  choice_.BeginRound();
  choice_.OnFound(2, Found(Kind::kPrimary, 1), now_);
  EXPECT_EQ(Next(), 2u);
  choice_.OnFound(0, Found(Kind::kPrimary, 2), now_);
  EXPECT_EQ(Next(), std::nullopt) << "a later one was found, and the third may be later still";
  choice_.OnFound(1, Found(Kind::kGone), now_);
  EXPECT_EQ(Next(), 0u);
}

TEST_F(UpstreamChoiceTest, AfterAPrimaryWasLostNoSecondaryIsFollowedForAWhile) {
  Follow(0, 1);
  choice_.OnLost(now_);
  Round(Found(Kind::kGone), Found(Kind::kSecondary, 1), Found(Kind::kGone));
  EXPECT_EQ(Next(), std::nullopt);
  now_ += UpstreamChoice::kPatience;
  EXPECT_EQ(Next(), 1u);
}

TEST_F(UpstreamChoiceTest, AfterASecondaryWasLostAnotherOneDoes) {
  Follow(0, 1, /*secondary=*/true);
  choice_.OnLost(now_);
  Round(Found(Kind::kGone), Found(Kind::kSecondary, 1), Found(Kind::kGone));
  EXPECT_EQ(Next(), 1u);
}

TEST_F(UpstreamChoiceTest, ThePresentOneIsLeftForALaterGenerationOnly) {
  Follow(0, 1);
  choice_.BeginRound();
  choice_.OnFound(1, Found(Kind::kPrimary, 1), now_);
  choice_.OnFound(2, Found(Kind::kConflict, 1), now_);
  EXPECT_FALSE(choice_.outdone(now_));
  choice_.OnFound(1, Found(Kind::kPrimary, 2), now_);
  EXPECT_TRUE(choice_.outdone(now_));
  choice_.OnLost(now_);
  EXPECT_FALSE(choice_.outdone(now_));
  Follow(1, 2);
  EXPECT_FALSE(choice_.outdone(now_));
}

TEST_F(UpstreamChoiceTest, ThePresentOneIsLeftForAPrimaryThatOurFileIsNoPartOf) {
  Follow(0, 1);
  choice_.OnFound(1, Found(Kind::kDiverged, 2), now_);
  EXPECT_TRUE(choice_.outdone(now_));
  choice_.OnLost(now_);
  Round(Found(Kind::kPrimary, 1), Found(Kind::kDiverged, 2), Found(Kind::kGone));
  EXPECT_EQ(Next(), std::nullopt);
  ASSERT_NE(choice_.divergence(1), nullptr);
  EXPECT_EQ(choice_.divergence(1)->generation, 2u);
}

TEST_F(UpstreamChoiceTest, DivergenceFromAStalePrimaryIsNone) {
  Round(Found(Kind::kDiverged, 1), Found(Kind::kPrimary, 2), Found(Kind::kGone));
  EXPECT_EQ(choice_.divergence(1), nullptr);
  EXPECT_EQ(Next(), 1u);
}

TEST_F(UpstreamChoiceTest, KnowsWhetherOneOfThemWasAPrimary) {
  Round(Found(Kind::kGone), Found(Kind::kUnheard, 1), Found(Kind::kOther));
  EXPECT_FALSE(choice_.knows_primary());
  Follow(0, 1);
  choice_.OnLost(now_);
  Round(Found(Kind::kGone), Found(Kind::kUnheard, 1), Found(Kind::kOther));
  EXPECT_TRUE(choice_.knows_primary());
  Round(Found(Kind::kSecondary, 1), Found(Kind::kUnheard, 1), Found(Kind::kOther));
  EXPECT_FALSE(choice_.knows_primary());
}

TEST(UpstreamFinding, OfEnds) {
  const auto kind = [](v1::End::Reason reason, bool secondary) {
    v1::End end;
    end.set_reason(reason);
    end.set_secondary(secondary);
    return FindingOf({}, end).kind;
  };
  EXPECT_EQ(kind(v1::End::REASON_SHUTDOWN, false), Kind::kStops);
  EXPECT_EQ(kind(v1::End::REASON_NO_SUCH_STORAGE, false), Kind::kOther);
  EXPECT_EQ(kind(v1::End::REASON_OTHER_DATABASE, false), Kind::kOther);
  EXPECT_EQ(kind(v1::End::REASON_SUPERSEDED, false), Kind::kStale);
  EXPECT_EQ(kind(v1::End::REASON_DIVERGED, false), Kind::kDiverged);
  EXPECT_EQ(kind(v1::End::REASON_DIVERGED, true), Kind::kSecondaryRefuses);
  EXPECT_EQ(kind(v1::End::REASON_CONFLICT, false), Kind::kConflict);
  EXPECT_EQ(kind(v1::End::REASON_NOT_READY, false), Kind::kRefuses);
  EXPECT_EQ(kind(v1::End::REASON_NOT_READY, true), Kind::kSecondaryRefuses);
  EXPECT_EQ(kind(v1::End::REASON_LOOP, false), Kind::kSecondaryRefuses);
}

TEST(UpstreamFinding, ShowsARival) {
  replication::Copy copy;
  copy.lineage.set_database_id(std::string(16, 'd'));
  v1::Epoch* epoch = copy.lineage.add_epochs();
  epoch->set_id(std::string(16, 'e'));
  epoch->set_generation(2);
  v1::End end;
  end.set_reason(v1::End::REASON_CONFLICT);
  end.set_generation(2);
  EXPECT_EQ(FindingOf(copy, end).rival_generation, 2u);
  end.set_secondary(true);
  EXPECT_EQ(FindingOf(copy, end).rival_generation, 0u) << "what it has may have been given up since";
  end.set_secondary(false);
  end.set_generation(3);
  EXPECT_EQ(FindingOf(copy, end).rival_generation, 0u);
  EXPECT_EQ(FindingOf({}, end).rival_generation, 0u);
  end.set_reason(v1::End::REASON_SUPERSEDED);
  EXPECT_EQ(FindingOf(copy, end).rival_generation, 0u) << "it is of an earlier generation";
  end.mutable_epoch()->set_generation(2);
  EXPECT_EQ(FindingOf(copy, end).rival_generation, 0u);
  end.mutable_epoch()->set_id(epoch->id());
  EXPECT_EQ(FindingOf(copy, end).rival_generation, 0u) << "it is the follower's own primary";
  end.mutable_epoch()->set_id(std::string(16, 'f'));
  EXPECT_EQ(FindingOf(copy, end).rival_generation, 2u);
  copy.yields = true;
  EXPECT_EQ(FindingOf(copy, end).rival_generation, 0u) << "it was one itself";
  copy.yields = false;
  *copy.lineage.add_epochs() = end.epoch();
  epoch = copy.lineage.add_epochs();
  epoch->set_id(std::string(16, 'g'));
  epoch->set_generation(2);
  EXPECT_EQ(FindingOf(copy, end).rival_generation, 0u) << "a pack went on from it";
}

TEST_F(UpstreamChoiceTest, ARivalIsOneOfTheFollowedOnesGeneration) {
  Follow(0, 2);
  EXPECT_EQ(choice_.rival(2), std::nullopt);
  UpstreamFinding rival = Found(Kind::kStale);
  rival.rival_generation = 2;
  choice_.OnFound(2, rival, now_);
  EXPECT_EQ(choice_.rival(2), 2u);
  EXPECT_EQ(choice_.rival(3), std::nullopt);
  EXPECT_EQ(choice_.rival(0), std::nullopt);
  Follow(2, 2);
  EXPECT_EQ(choice_.rival(2), std::nullopt) << "what it was before it was followed";
}

TEST(UpstreamFinding, OnlyWhoMayBeThePrimaryIsInTheWayOfAnother) {
  for (const Kind kind : {Kind::kPrimary, Kind::kDiverged, Kind::kConflict, Kind::kRefuses}) {
    EXPECT_TRUE(MayBePrimary(Found(kind))) << static_cast<int>(kind);
  }
  for (const Kind kind : {Kind::kUnknown, Kind::kGone, Kind::kStops, Kind::kSecondary, Kind::kUnheard, Kind::kStale,
                          Kind::kOther, Kind::kSecondaryRefuses}) {
    EXPECT_FALSE(MayBePrimary(Found(kind))) << static_cast<int>(kind);
  }
}

}  // namespace
}  // namespace zrs::storage
