#include "sidecar/replication/wire.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/sidecar/replication/fixtures.h"
#include "tests/support/file_builder.h"

namespace zrs::replication {
namespace {

v1::Boundary GoodBoundary() {
  tests::FileBuilder file;
  file.AddMany(2, 10);
  return ToProto(file.end());
}

TEST(WireBoundaryTest, SurvivesTheWayThere) {
  tests::FileBuilder file;
  file.AddMany(2, 10);
  for (const filestorage::Boundary& boundary : file.boundaries()) {
    const auto back = FromProto(ToProto(boundary));
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, boundary);
  }
  const auto none = FromProto(ToProto(filestorage::Boundary{}));
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(*none, filestorage::Boundary{});
}

TEST(WireBoundaryTest, NoFileHasNoDigest) { EXPECT_TRUE(ToProto(filestorage::Boundary{}).digest().empty()); }

TEST(WireBoundaryTest, RefusesNoFileWithDigest) {
  v1::Boundary boundary;
  boundary.set_digest(Id('x'));
  EXPECT_FALSE(FromProto(boundary).ok());
}

TEST(WireBoundaryTest, RefusesNoFileWithTid) {
  v1::Boundary boundary;
  boundary.set_tid(1);
  EXPECT_FALSE(FromProto(boundary).ok());
}

TEST(WireBoundaryTest, RefusesNoFileWithLastOffset) {
  v1::Boundary boundary;
  boundary.set_last_offset(4);
  EXPECT_FALSE(FromProto(boundary).ok());
}

TEST(WireBoundaryTest, RefusesOffsetInsideMagic) {
  v1::Boundary boundary = GoodBoundary();
  boundary.set_offset(3);
  EXPECT_FALSE(FromProto(boundary).ok());
}

TEST(WireBoundaryTest, RefusesOffsetBeyondSigned64Bits) {
  v1::Boundary boundary = GoodBoundary();
  boundary.set_offset(kLargestOffset + 1);
  EXPECT_FALSE(FromProto(boundary).ok());
}

TEST(WireBoundaryTest, RefusesMagicAloneWithTid) {
  v1::Boundary boundary = ToProto(filestorage::FirstBoundary(filestorage::Magic::kFs30));
  boundary.set_tid(1);
  EXPECT_FALSE(FromProto(boundary).ok());
}

TEST(WireBoundaryTest, RefusesMagicAloneWithLastOffset) {
  v1::Boundary boundary = ToProto(filestorage::FirstBoundary(filestorage::Magic::kFs30));
  boundary.set_last_offset(4);
  EXPECT_FALSE(FromProto(boundary).ok());
}

TEST(WireBoundaryTest, RefusesLastTransactionInsideMagic) {
  v1::Boundary boundary = GoodBoundary();
  boundary.set_last_offset(3);
  EXPECT_FALSE(FromProto(boundary).ok());
}

TEST(WireBoundaryTest, RefusesLastTransactionBehindOffset) {
  v1::Boundary boundary = GoodBoundary();
  boundary.set_last_offset(boundary.offset() + 1);
  EXPECT_FALSE(FromProto(boundary).ok());
}

TEST(WireBoundaryTest, LastTransactionHasAtLeastHeaderAndLength) {
  v1::Boundary boundary = GoodBoundary();
  boundary.set_last_offset(boundary.offset() - 31);
  EXPECT_TRUE(FromProto(boundary).ok());
  boundary.set_last_offset(boundary.offset() - 30);
  EXPECT_FALSE(FromProto(boundary).ok());
}

TEST(WireBoundaryTest, RefusesDigestOfOtherSize) {
  v1::Boundary boundary = GoodBoundary();
  for (size_t size : {0, 15, 17}) {
    boundary.set_digest(std::string(size, 'x'));
    EXPECT_FALSE(FromProto(boundary).ok()) << size;
  }
}

TEST(WireLineageTest, AcceptsNone) { EXPECT_TRUE(ValidateLineage({}).ok()); }

TEST(WireLineageTest, AcceptsMostEpochsAndNotOneMore) {
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

TEST(WireLineageTest, RefusesEpochsWithoutDatabase) {
  v1::Lineage lineage = FirstLineage();
  lineage.clear_database_id();
  EXPECT_FALSE(ValidateLineage(lineage).ok());
}

TEST(WireLineageTest, RefusesDatabaseWithoutEpochs) {
  v1::Lineage lineage = FirstLineage();
  lineage.clear_epochs();
  EXPECT_FALSE(ValidateLineage(lineage).ok());
}

TEST(WireLineageTest, RefusesDatabaseIdOfOtherSize) {
  v1::Lineage lineage = FirstLineage();
  lineage.set_database_id("short");
  EXPECT_FALSE(ValidateLineage(lineage).ok());
}

TEST(WireLineageTest, RefusesEpochIdOfOtherSize) {
  v1::Lineage lineage = FirstLineage();
  lineage.mutable_epochs(0)->set_id(std::string(17, 'x'));
  EXPECT_FALSE(ValidateLineage(lineage).ok());
}

TEST(WireLineageTest, RefusesEpochNamedTwice) {
  v1::Lineage lineage = FirstLineage('d', 'a');
  AddEpoch(&lineage, 'a', v1::Epoch::ORIGIN_FORKED, kStart);
  EXPECT_FALSE(ValidateLineage(lineage).ok());
}

TEST(WireLineageTest, RefusesGenerationZero) {
  v1::Lineage lineage = FirstLineage();
  lineage.mutable_epochs(0)->set_generation(0);
  EXPECT_FALSE(ValidateLineage(lineage).ok());
}

TEST(WireLineageTest, RefusesGenerationThatDecreases) {
  v1::Lineage lineage = FirstLineage();
  lineage.mutable_epochs(0)->set_generation(3);
  AddEpoch(&lineage, 'b', v1::Epoch::ORIGIN_FORKED, kStart);
  EXPECT_FALSE(ValidateLineage(lineage).ok());
}

TEST(WireLineageTest, CurrentEpochIsTheLast) {
  v1::Lineage lineage = FirstLineage();
  AddEpoch(&lineage, 'b', v1::Epoch::ORIGIN_FORKED, kStart);
  ASSERT_NE(CurrentEpoch(lineage), nullptr);
  EXPECT_EQ(CurrentEpoch(lineage)->id(), Id('b'));
  EXPECT_EQ(CurrentEpoch({}), nullptr);
}

TEST(WireLineageTest, Prefix) {
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

TEST(WireLineageTest, TheOldestEpochsAreForgotten) {
  v1::Lineage lineage = FirstLineage();
  const v1::Lineage first = lineage;
  v1::Lineage second;
  for (int i = 1; i <= kMostEpochs; ++i) {
    v1::Epoch epoch;
    epoch.set_id(filestorage::TidHex(static_cast<uint64_t>(i)));
    epoch.set_origin(v1::Epoch::ORIGIN_REPLACED);
    epoch.set_generation(1);
    *epoch.mutable_left() = ToProto(kStart);
    AddEpoch(epoch, &lineage);
    if (i == 1) second = lineage;
  }
  EXPECT_TRUE(ValidateLineage(lineage).ok()) << ValidateLineage(lineage);
  EXPECT_EQ(lineage.epochs_size(), kMostEpochs);
  EXPECT_EQ(PositionIn(lineage, first), -1);
  EXPECT_EQ(PositionIn(lineage, second), 0);
  EXPECT_EQ(PositionIn(lineage, lineage), kMostEpochs - 1);
}

TEST(WireLineageTest, RefusesAnImpossiblePlaceWhereTheParentWasLeft) {
  v1::Lineage lineage = FirstLineage();
  AddEpoch(&lineage, 'b', v1::Epoch::ORIGIN_REPLACED, kStart);
  lineage.mutable_epochs(1)->mutable_left()->set_offset(3);
  EXPECT_FALSE(ValidateLineage(lineage).ok());
}

TEST(WireHeartbeatTest, AcceptsLongestPathAndNotOneMore) {
  EXPECT_TRUE(ValidateHeartbeat(HeartbeatOf(4, std::vector<std::string>(kLongestPath, Id('p')))).ok());
  EXPECT_FALSE(ValidateHeartbeat(HeartbeatOf(4, std::vector<std::string>(kLongestPath + 1, Id('p')))).ok());
}

TEST(WireHeartbeatTest, RefusesNoPath) { EXPECT_FALSE(ValidateHeartbeat(HeartbeatOf(4, {})).ok()); }

TEST(WireHeartbeatTest, RefusesNodeIdOfOtherSize) {
  EXPECT_FALSE(ValidateHeartbeat(HeartbeatOf(4, {Id('p'), "short"})).ok());
}

TEST(WireHeartbeatTest, RefusesImpossibleCommittedEnd) {
  EXPECT_FALSE(ValidateHeartbeat(HeartbeatOf(3, {Id('p')})).ok());
  EXPECT_FALSE(ValidateHeartbeat(HeartbeatOf(kLargestOffset + 1, {Id('p')})).ok());
}

TEST(WireHeartbeatTest, RefusesImpossibleInterval) {
  v1::Heartbeat heartbeat = HeartbeatOf(4, {Id('p')});
  for (uint64_t interval : {uint64_t{0}, kMostMicros + 1, UINT64_MAX}) {
    heartbeat.set_interval_micros(interval);
    EXPECT_FALSE(ValidateHeartbeat(heartbeat).ok()) << interval;
  }
}

TEST(WireHeartbeatTest, RefusesImpossibleAge) {
  v1::Heartbeat heartbeat = HeartbeatOf(4, {Id('p')});
  heartbeat.set_age_micros(kMostMicros);
  EXPECT_TRUE(ValidateHeartbeat(heartbeat).ok());
  heartbeat.set_age_micros(kMostMicros + 1);
  EXPECT_FALSE(ValidateHeartbeat(heartbeat).ok());
}

TEST(WireTextTest, EndIsCleanAndBounded) {
  const v1::End end = MakeEnd(v1::End::REASON_PROTOCOL, std::string(5000, 'm'), "re\nmedy");
  EXPECT_EQ(end.reason(), v1::End::REASON_PROTOCOL);
  EXPECT_EQ(end.message(), std::string(kLongestEndText, 'm'));
  EXPECT_EQ(end.remedy(), "re?medy");
}

TEST(WireTextTest, DescribesPositions) {
  EXPECT_EQ(DescribePosition({}), "no file");
  EXPECT_EQ(DescribePosition(filestorage::FirstBoundary(filestorage::Magic::kFs21)), "offset 4 (no transactions)");
  EXPECT_EQ(DescribePosition({100, 4, 0x03f2a1b2c3d4e5f6, {}}), "offset 100 (tid 03f2a1b2c3d4e5f6)");
  EXPECT_EQ(DescribeId(""), "none");
  EXPECT_EQ(DescribeId(Id('a')), "61616161616161616161616161616161");
}

}  // namespace
}  // namespace zrs::replication
