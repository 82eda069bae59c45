#include "sidecar/replication/lineage.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/id.h"
#include "tests/sidecar/replication/fixtures.h"

namespace zrs::replication {
namespace {

TEST(LineageTest, AcceptsNone) { EXPECT_TRUE(ValidateLineage({}).ok()); }

TEST(LineageTest, AcceptsMostEpochsAndNotOneMore) {
  v1::Lineage lineage = FirstLineage();
  while (lineage.epochs_size() < kMostEpochs) {
    v1::Epoch& epoch = *lineage.add_epochs();
    epoch.set_generation(1);
    epoch.set_id(filestorage::TidHex(static_cast<uint64_t>(lineage.epochs_size())));
  }
  EXPECT_TRUE(ValidateLineage(lineage).ok()) << ValidateLineage(lineage);
  AddEpoch(&lineage, 'z', v1::Epoch::ORIGIN_FORKED, kStart);
  const absl::Status refused = ValidateLineage(lineage);
  EXPECT_NE(refused.message().find("1025 epochs; this release understands at most 1024"), std::string::npos) << refused;
}

TEST(LineageTest, RefusesEpochsWithoutDatabase) {
  v1::Lineage lineage = FirstLineage();
  lineage.clear_database_id();
  EXPECT_FALSE(ValidateLineage(lineage).ok());
}

TEST(LineageTest, RefusesDatabaseWithoutEpochs) {
  v1::Lineage lineage = FirstLineage();
  lineage.clear_epochs();
  EXPECT_FALSE(ValidateLineage(lineage).ok());
}

TEST(LineageTest, RefusesDatabaseIdOfOtherSize) {
  v1::Lineage lineage = FirstLineage();
  lineage.set_database_id("short");
  EXPECT_FALSE(ValidateLineage(lineage).ok());
}

TEST(LineageTest, RefusesEpochIdOfOtherSize) {
  v1::Lineage lineage = FirstLineage();
  lineage.mutable_epochs(0)->set_id(std::string(17, 'x'));
  EXPECT_FALSE(ValidateLineage(lineage).ok());
}

TEST(LineageTest, RefusesEpochNamedTwice) {
  v1::Lineage lineage = FirstLineage('d', 'a');
  AddEpoch(&lineage, 'a', v1::Epoch::ORIGIN_FORKED, kStart);
  EXPECT_FALSE(ValidateLineage(lineage).ok());
}

TEST(LineageTest, RefusesGenerationZero) {
  v1::Lineage lineage = FirstLineage();
  lineage.mutable_epochs(0)->set_generation(0);
  EXPECT_FALSE(ValidateLineage(lineage).ok());
}

TEST(LineageTest, RefusesGenerationThatDecreases) {
  v1::Lineage lineage = FirstLineage();
  lineage.mutable_epochs(0)->set_generation(3);
  AddEpoch(&lineage, 'b', v1::Epoch::ORIGIN_FORKED, kStart);
  EXPECT_FALSE(ValidateLineage(lineage).ok());
}

TEST(LineageTest, CurrentEpochIsTheLast) {
  v1::Lineage lineage = FirstLineage();
  AddEpoch(&lineage, 'b', v1::Epoch::ORIGIN_FORKED, kStart);
  ASSERT_NE(CurrentEpoch(lineage), nullptr);
  EXPECT_EQ(CurrentEpoch(lineage)->id(), Id('b'));
  EXPECT_EQ(CurrentEpoch({}), nullptr);
}

TEST(LineageTest, Prefix) {
  const v1::Lineage one = FirstLineage('d', 'a');
  v1::Lineage two = one;
  AddEpoch(&two, 'b', v1::Epoch::ORIGIN_FORKED, kStart);
  v1::Lineage other = one;
  AddEpoch(&other, 'c', v1::Epoch::ORIGIN_FORKED, kStart);
  EXPECT_TRUE(IsPrefixOf(one, one));
  EXPECT_TRUE(IsPrefixOf(one, two));
  EXPECT_FALSE(IsPrefixOf(two, one));
  EXPECT_FALSE(IsPrefixOf(two, other));
  EXPECT_EQ(CommonEpochs(two, other), 1);
  EXPECT_FALSE(IsPrefixOf(FirstLineage('e', 'a'), one));
  EXPECT_EQ(CommonEpochs(FirstLineage('e', 'a'), one), 0);
}

TEST(LineageTest, TheOldestEpochsAreForgotten) {
  v1::Lineage lineage = FirstLineage();
  const v1::Lineage first = lineage;
  AddPacks(1, &lineage);
  const v1::Lineage second = lineage;
  AddPacks(kMostEpochs - 1, &lineage);
  EXPECT_TRUE(ValidateLineage(lineage).ok()) << ValidateLineage(lineage);
  EXPECT_EQ(lineage.epochs_size(), kMostEpochs);
  EXPECT_EQ(PositionIn(lineage, first), -1);
  EXPECT_EQ(PositionIn(lineage, second), 0);
  EXPECT_EQ(PositionIn(lineage, lineage), kMostEpochs - 1);
}

TEST(LineageTest, WhereWhatWentOnFromACopyWasLeft) {
  const auto boundary = [](uint64_t offset) {
    filestorage::Boundary made = kStart;
    made.offset = offset;
    made.last_offset = 4;
    made.tid = offset;
    return made;
  };
  const v1::Lineage ours = FirstLineage('d', 'a');
  v1::Lineage longer = ours;
  EXPECT_TRUE(LeftSince(ours, boundary(100), longer).empty());
  AddEpoch(&longer, 'b', v1::Epoch::ORIGIN_FORKED, boundary(200));
  EXPECT_TRUE(LeftSince(ours, boundary(100), longer).empty());
  AddEpoch(&longer, 'c', v1::Epoch::ORIGIN_REPLACED, boundary(300));
  AddEpoch(&longer, 'e', v1::Epoch::ORIGIN_REPLACED, boundary(150));
  const std::vector<filestorage::Boundary> both = {boundary(300), boundary(150)};
  EXPECT_EQ(LeftSince(ours, boundary(100), longer), both);
  EXPECT_EQ(LeftSince(ours, boundary(200), longer), both);
  // A promotion left out what the copy has behind it.
  EXPECT_TRUE(LeftSince(ours, boundary(201), longer).empty());
  v1::Lineage forked = longer;
  forked.mutable_epochs()->DeleteSubrange(2, 2);
  EXPECT_EQ(LeftSince(forked, boundary(300), longer), both);
  EXPECT_TRUE(LeftSince(forked, boundary(301), longer).empty());
  EXPECT_TRUE(LeftSince(longer, boundary(100), ours).empty());
  EXPECT_TRUE(LeftSince(FirstLineage('e', 'a'), boundary(100), longer).empty());
}

TEST(LineageTest, OfAFileThatWasRestoredNothingIsKnownOfBefore) {
  filestorage::Boundary end = kStart;
  end.offset = 200;
  end.last_offset = 4;
  const v1::Lineage ours = FirstLineage('d', 'a');
  v1::Lineage longer = ours;
  AddEpoch(&longer, 'b', v1::Epoch::ORIGIN_FORKED, end);
  EXPECT_FALSE(IsRestored(longer.epochs(1)));
  EXPECT_FALSE(ReplacedSince(ours, end, longer));
  AddEpoch(&longer, 'c', v1::Epoch::ORIGIN_FORKED, kStart);
  EXPECT_TRUE(IsRestored(longer.epochs(2)));
  EXPECT_TRUE(ReplacedSince(ours, end, longer));
  EXPECT_FALSE(ReplacedSince(ours, kStart, longer)) << "who has nothing goes on from there";
  AddEpoch(&longer, 'e', v1::Epoch::ORIGIN_REPLACED, end);
  EXPECT_TRUE(LeftSince(ours, end, longer).empty());
  EXPECT_EQ(LeftSince(ours, kStart, longer).size(), 1u);
}

TEST(LineageTest, WhatAFollowerProvesANewFileBy) {
  const auto boundary = [](uint64_t offset) {
    filestorage::Boundary made = kStart;
    made.offset = offset;
    made.last_offset = 4;
    made.tid = offset;
    return made;
  };
  using Lefts = std::vector<filestorage::Boundary>;
  const v1::Lineage ours = FirstLineage('d', 'a');
  v1::Lineage longer = ours;
  AddEpoch(&longer, 'b', v1::Epoch::ORIGIN_REPLACED, boundary(300));
  AddEpoch(&longer, 'c', v1::Epoch::ORIGIN_REPLACED, boundary(90));
  EXPECT_EQ(LeftsToProveBy(ours, false, boundary(100), longer), Lefts{boundary(300)});
  // An old primary's own promotion, in which nothing was written.
  v1::Lineage forked = ours;
  AddEpoch(&forked, 'x', v1::Epoch::ORIGIN_FORKED, boundary(100));
  EXPECT_TRUE(LeftSince(forked, boundary(100), longer).empty());
  EXPECT_EQ(LeftsToProveBy(forked, true, boundary(100), longer), Lefts{boundary(300)});
  EXPECT_TRUE(LeftsToProveBy(forked, true, boundary(101), longer).empty()) << "something was";
  // Of many the newest.
  for (uint64_t i = 0; i < kMostLefts; ++i) {
    AddEpoch(&longer, static_cast<char>('A' + i), v1::Epoch::ORIGIN_REPLACED, boundary(400 + i));
  }
  const Lefts newest = LeftsToProveBy(ours, false, boundary(100), longer);
  ASSERT_EQ(newest.size(), kMostLefts);
  EXPECT_EQ(newest.front(), boundary(400));
  EXPECT_EQ(newest.back(), boundary(400 + kMostLefts - 1));
}

TEST(LineageTest, EpochsAreCommonByTheirIdsWhoeverHasForgottenTheOldest) {
  v1::Lineage long_ago = FirstLineage();
  AddPacks(kMostEpochs - 1, &long_ago);
  v1::Lineage later = long_ago;
  AddPacks(10, &later);
  EXPECT_EQ(CommonEpochs(long_ago, later), kMostEpochs - 10) << "the first 10 are forgotten";
  EXPECT_EQ(CommonEpochs(later, long_ago), kMostEpochs - 10);
  v1::Lineage other = long_ago;
  AddEpoch(&other, 'y', v1::Epoch::ORIGIN_FORKED, kStart);
  EXPECT_EQ(CommonEpochs(other, later), kMostEpochs - 10);
  EXPECT_EQ(CommonEpochs(later, other), kMostEpochs - 10);
}

TEST(LineageTest, WhereTheNewestCommonEpochIsForgottenNoneIsCommon) {
  const v1::Lineage first = FirstLineage();
  v1::Lineage later = first;
  AddPacks(kMostEpochs, &later);
  EXPECT_EQ(CommonEpochs(first, later), 0);
  EXPECT_EQ(CommonEpochs(later, first), 0);
}

TEST(LineageTest, LineagesThatContradictEachOtherHaveNothingInCommon) {
  v1::Lineage one = FirstLineage();
  AddEpoch(&one, 'b', v1::Epoch::ORIGIN_FORKED, kStart);
  v1::Lineage other = FirstLineage();
  AddEpoch(&other, 'c', v1::Epoch::ORIGIN_FORKED, kStart);
  AddEpoch(&one, 'z', v1::Epoch::ORIGIN_FORKED, kStart);
  AddEpoch(&other, 'z', v1::Epoch::ORIGIN_FORKED, kStart);
  EXPECT_EQ(CommonEpochs(one, other), 0);
  EXPECT_EQ(PositionIn(one, other), -1);
}

TEST(LineageTest, NoPromotionGoesPastTheLargestGeneration) {
  v1::Lineage lineage = FirstLineage();
  EXPECT_TRUE(absl::IsFailedPrecondition(AddFork(Id('b'), kStart, kMostGeneration, &lineage)));
  EXPECT_TRUE(absl::IsFailedPrecondition(AddFork(Id('b'), kStart, std::numeric_limits<uint64_t>::max(), &lineage)));
  EXPECT_EQ(lineage.epochs_size(), 1);
  EXPECT_TRUE(AddFork(Id('b'), kStart, kMostGeneration - 1, &lineage).ok());
  EXPECT_TRUE(ValidateLineage(lineage).ok()) << ValidateLineage(lineage);
  EXPECT_TRUE(absl::IsFailedPrecondition(AddFork(Id('c'), kStart, 0, &lineage)));
}

TEST(LineageTest, TenThousandEpochsAreRefusedBeforeAnyIsLookedAt) {
  v1::Lineage lineage = FirstLineage();
  lineage.mutable_epochs(0)->set_id("malformed");
  while (lineage.epochs_size() < 10'000) lineage.add_epochs();
  const absl::Status refused = ValidateLineage(lineage);
  EXPECT_NE(refused.message().find("10000 epochs; this release understands at most 1024"), std::string::npos)
      << refused;
}

TEST(LineageTest, RefusesAnImpossiblePlaceWhereTheParentWasLeft) {
  v1::Lineage lineage = FirstLineage();
  AddEpoch(&lineage, 'b', v1::Epoch::ORIGIN_REPLACED, kStart);
  lineage.mutable_epochs(1)->mutable_left()->set_offset(3);
  EXPECT_FALSE(ValidateLineage(lineage).ok());
}

}  // namespace
}  // namespace zrs::replication
