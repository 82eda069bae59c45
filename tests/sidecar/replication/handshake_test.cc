// One test per row of the handshake's table, and per way into it.
#include "sidecar/replication/handshake.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/id.h"
#include "sidecar/replication/limits.h"
#include "sidecar/replication/lineage.h"
#include "tests/sidecar/replication/fixtures.h"
#include "tests/sidecar/replication/handshake_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::replication {
namespace {

TEST_F(HandshakeTest, NothingToServeYetIsNotReady) {
  publication_.end = {};
  EXPECT_EQ(Refusal(HelloAt({})).reason(), v1::End::REASON_NOT_READY);
}

TEST_F(HandshakeTest, OlderVersionsAreRefusedNamingBoth) {
  v1::Hello hello = HelloAt(At(2));
  hello.set_lowest_version(kProtocolVersion + 1);
  hello.set_highest_version(kProtocolVersion + 2);
  const v1::End end = Refusal(hello);
  EXPECT_EQ(end.reason(), v1::End::REASON_VERSION);
  EXPECT_NE(end.message().find("speaks 2 to 3, the publisher 1"), std::string::npos) << end.message();
  EXPECT_NE(end.remedy().find("publisher's host"), std::string::npos) << end.remedy();
}

TEST_F(HandshakeTest, VersionsAreDecidedBeforeTheRestIsLookedAt) {
  v1::Hello hello;  // of a later protocol, in which nothing else is where we look
  hello.set_lowest_version(kProtocolVersion + 1);
  hello.set_highest_version(kProtocolVersion + 1);
  EXPECT_EQ(Refusal(hello).reason(), v1::End::REASON_VERSION);
}

TEST_F(HandshakeTest, LaterVersionsBesideOursAreFine) {
  v1::Hello hello = HelloAt(At(2));
  hello.set_highest_version(kProtocolVersion + 5);
  EXPECT_TRUE(std::holds_alternative<DecideProbe>(Decide(hello)));
}

// Whatever it has, also where a follower would be refused.
TEST_F(HandshakeTest, WhoInspectsIsLetIn) {
  for (const bool known : {false, true}) {
    v1::Hello hello = HelloAt(At(2));
    hello.set_inspect(true);
    known ? AddEpoch(hello.mutable_lineage(), 'z', v1::Epoch::ORIGIN_FORKED, At(1)) : hello.clear_lineage();
    EXPECT_TRUE(std::holds_alternative<DecideInspect>(Decide(hello)));
  }
}

TEST_F(HandshakeTest, WhoInspectsAnotherDatabaseIsRefused) {
  v1::Hello hello = HelloAt(At(2));
  hello.set_inspect(true);
  hello.mutable_lineage()->set_database_id(Id('e'));
  EXPECT_EQ(Refusal(hello).reason(), v1::End::REASON_OTHER_DATABASE);
}

TEST_F(HandshakeTest, NoVersionsAreMalformed) { ExpectMalformed(v1::Hello(), "protocol versions 0 to 0"); }

TEST_F(HandshakeTest, VersionsInWrongOrderAreMalformed) {
  v1::Hello hello = HelloAt(At(2));
  hello.set_lowest_version(2);
  ExpectMalformed(hello, "protocol versions 2 to 1");
}

TEST_F(HandshakeTest, NodeIdOfOtherSizeIsMalformed) {
  v1::Hello hello = HelloAt(At(2));
  hello.set_node_id("short");
  ExpectMalformed(hello, "node id of 5 bytes");
}

TEST_F(HandshakeTest, CopyIdOfOtherSizeIsMalformed) {
  v1::Hello hello = HelloAt(At(2));
  hello.set_copy_id("short");
  ExpectMalformed(hello, "copy id of 5 bytes");
}

TEST_F(HandshakeTest, DatabaseIdOfOtherSizeIsMalformed) {
  v1::Hello hello = HelloAt(At(2));
  hello.mutable_lineage()->set_database_id("short");
  ExpectMalformed(hello, "database id of 5 bytes");
}

TEST_F(HandshakeTest, EpochIdOfOtherSizeIsMalformed) {
  v1::Hello hello = HelloAt(At(2));
  hello.mutable_lineage()->mutable_epochs(0)->set_id("short");
  ExpectMalformed(hello, "epoch id of 5 bytes");
}

TEST_F(HandshakeTest, DigestOfOtherSizeIsMalformed) {
  v1::Hello hello = HelloAt(At(2));
  hello.mutable_position()->set_digest("short");
  ExpectMalformed(hello, "digest of 5 bytes");
}

TEST_F(HandshakeTest, ImpossibleBoundaryIsMalformed) {
  v1::Hello hello = HelloAt(At(2));
  hello.mutable_position()->set_last_offset(1);
  ExpectMalformed(hello, "last_offset 1");
}

TEST_F(HandshakeTest, EndlessStorageNameIsMalformed) {
  v1::Hello hello = HelloAt(At(2));
  hello.set_storage(std::string(kLongestName + 1, 's'));
  ExpectMalformed(hello, "storage name of 1025 bytes");
}

TEST_F(HandshakeTest, EndlessFollowerNameIsMalformed) {
  v1::Hello hello = HelloAt(At(2));
  hello.set_follower_name(std::string(kLongestName + 1, 's'));
  ExpectMalformed(hello, "follower name of 1025 bytes");
}

TEST_F(HandshakeTest, EndlessSoftwareVersionIsMalformed) {
  v1::Hello hello = HelloAt(At(2));
  hello.set_software(std::string(kLongestName + 1, 's'));
  ExpectMalformed(hello, "software version of 1025 bytes");
}

TEST_F(HandshakeTest, EmptyFollowerCopies) { EXPECT_TRUE(std::holds_alternative<DecideCopy>(Decide(HelloAt({})))); }

TEST_F(HandshakeTest, EmptyFollowerThatAdoptedThisDatabaseCopies) {
  v1::Hello hello = HelloAt({});
  *hello.mutable_lineage() = FirstLineage();
  EXPECT_TRUE(std::holds_alternative<DecideCopy>(Decide(hello)));
}

TEST_F(HandshakeTest, EmptyFollowerOfAnotherDatabaseIsRefused) {
  v1::Hello hello = HelloAt({});
  *hello.mutable_lineage() = FirstLineage('e', 'a');
  EXPECT_EQ(Refusal(hello).reason(), v1::End::REASON_OTHER_DATABASE);
}

TEST_F(HandshakeTest, FileWithoutDatabaseIdIsUnproved) {
  v1::Hello hello = HelloAt(At(2));
  hello.clear_lineage();
  EXPECT_EQ(Refusal(hello).reason(), v1::End::REASON_UNPROVED);
}

TEST_F(HandshakeTest, AnotherDatabaseIsRefusedNamingBoth) {
  v1::Hello hello = HelloAt(At(2));
  hello.mutable_lineage()->set_database_id(Id('e'));
  const v1::End end = Refusal(hello);
  EXPECT_EQ(end.reason(), v1::End::REASON_OTHER_DATABASE);
  EXPECT_NE(end.message().find(DescribeId(Id('e'))), std::string::npos);
  EXPECT_NE(end.message().find(DescribeId(Id('d'))), std::string::npos);
}

TEST_F(HandshakeTest, FollowerOfASiblingEpochOfAnEarlierGenerationIsDiverged) {
  AddEpoch(&publication_.lineage, 'b', v1::Epoch::ORIGIN_FORKED, kStart);
  v1::Hello hello = HelloAt(At(2));
  AddEpoch(hello.mutable_lineage(), 'c', v1::Epoch::ORIGIN_REPLACED, kStart);
  hello.mutable_lineage()->mutable_epochs(1)->set_generation(1);
  const v1::End end = Refusal(hello);
  EXPECT_EQ(end.reason(), v1::End::REASON_DIVERGED);
  EXPECT_NE(end.message().find("after 1 common epochs"), std::string::npos) << end.message();
}

TEST_F(HandshakeTest, FollowerOfAnEpochUnknownHereIsDiverged) {
  v1::Hello hello = HelloAt(At(2));
  *hello.mutable_lineage() = FirstLineage('d', 'x');
  EXPECT_EQ(Refusal(hello).reason(), v1::End::REASON_DIVERGED);
}

TEST_F(HandshakeTest, FollowerOfAnAncestorEpochBeforeTheForkIsProbed) {
  AddEpoch(&publication_.lineage, 'b', v1::Epoch::ORIGIN_FORKED, At(3));
  AddEpoch(&publication_.lineage, 'c', v1::Epoch::ORIGIN_FORKED, At(4));
  EXPECT_TRUE(std::holds_alternative<DecideProbe>(Decide(HelloAt(At(2)))));
  EXPECT_TRUE(std::holds_alternative<DecideProbe>(Decide(HelloAt(At(3)))));
}

TEST_F(HandshakeTest, FollowerPastTheForkIsDivergedNamingBothPositions) {
  AddEpoch(&publication_.lineage, 'b', v1::Epoch::ORIGIN_FORKED, At(3));
  const v1::End end = Refusal(HelloAt(At(4)));
  EXPECT_EQ(end.reason(), v1::End::REASON_DIVERGED);
  EXPECT_NE(end.message().find(DescribePosition(At(4))), std::string::npos) << end.message();
  EXPECT_NE(end.message().find("offset " + std::to_string(At(3).offset)), std::string::npos) << end.message();
}

TEST_F(HandshakeTest, FollowerOfAMiddleEpochIsProbedUpToTheForkThatEndedThatOne) {
  AddEpoch(&publication_.lineage, 'b', v1::Epoch::ORIGIN_FORKED, At(2));
  v1::Hello hello = HelloAt(At(4));
  *hello.mutable_lineage() = publication_.lineage;
  AddEpoch(&publication_.lineage, 'c', v1::Epoch::ORIGIN_FORKED, At(4));
  EXPECT_TRUE(std::holds_alternative<DecideProbe>(Decide(hello))) << "past the first fork, which it has seen";
  *hello.mutable_position() = ToProto(At(5));
  EXPECT_EQ(Refusal(hello).reason(), v1::End::REASON_DIVERGED);
}

TEST_F(HandshakeTest, FollowerWithoutTransactionsIsProbedInEachEpoch) {
  AddEpoch(&publication_.lineage, 'b', v1::Epoch::ORIGIN_FORKED, At(2));
  EXPECT_TRUE(std::holds_alternative<DecideProbe>(Decide(HelloAt(At(0)))));
}

TEST_F(HandshakeTest, EmptyFollowerOfAnAncestorEpochCopies) {
  AddEpoch(&publication_.lineage, 'b', v1::Epoch::ORIGIN_FORKED, At(2));
  AddEpoch(&publication_.lineage, 'c', v1::Epoch::ORIGIN_REPLACED, At(3));
  v1::Hello hello = HelloAt({});
  *hello.mutable_lineage() = FirstLineage();
  EXPECT_TRUE(std::holds_alternative<DecideCopy>(Decide(hello)));
}

// The first row that fits decides, whoever looks.
TEST_F(HandshakeTest, WhoLooksIsAnsweredAsAFollower) {
  for (const bool ahead : {false, true}) {
    v1::Hello hello = HelloAt(At(2));
    hello.set_look(true);
    if (ahead) AddEpoch(hello.mutable_lineage(), 'b', v1::Epoch::ORIGIN_FORKED, At(2));
    EXPECT_EQ(std::holds_alternative<DecideProbe>(Decide(hello)), !ahead);
    if (ahead) {
      EXPECT_EQ(Refusal(hello).reason(), v1::End::REASON_SUPERSEDED);
    }
  }
}

TEST_F(HandshakeTest, ExactlyWhereTheOldFileWasLeftIsRebuilt) {
  AddEpoch(&publication_.lineage, 'b', v1::Epoch::ORIGIN_REPLACED, At(3));
  const DecideRebuild rebuild = Rebuild(HelloAt(At(3)));
  EXPECT_TRUE(rebuild.proved);
  EXPECT_FALSE(rebuild.part);
}

TEST_F(HandshakeTest, WithoutTransactionsThereIsNothingToProve) {
  AddEpoch(&publication_.lineage, 'b', v1::Epoch::ORIGIN_REPLACED, At(3));
  AddEpoch(&publication_.lineage, 'c', v1::Epoch::ORIGIN_REPLACED, At(5));
  EXPECT_TRUE(Rebuild(HelloAt(At(0))).proved);
}

TEST_F(HandshakeTest, FurtherBackTheOldFileHasToProveIt) {
  AddEpoch(&publication_.lineage, 'b', v1::Epoch::ORIGIN_REPLACED, At(3));
  const DecideRebuild rebuild = Rebuild(HelloAt(At(2)));
  EXPECT_FALSE(rebuild.proved);
  EXPECT_EQ(rebuild.position.boundary, At(2));
  EXPECT_EQ(rebuild.position.epochs, std::vector<std::string>{CurrentEpoch(FirstLineage())->id()});
  EXPECT_TRUE(rebuild.position.just_before);
}

TEST_F(HandshakeTest, PastWhereTheOldFileWasLeftIsDiverged) {
  AddEpoch(&publication_.lineage, 'b', v1::Epoch::ORIGIN_REPLACED, At(3));
  const v1::End end = Refusal(HelloAt(At(4)));
  EXPECT_EQ(end.reason(), v1::End::REASON_DIVERGED);
  EXPECT_NE(end.message().find(DescribePosition(At(4))), std::string::npos) << end.message();
  EXPECT_NE(end.message().find(DescribePosition(At(3))), std::string::npos) << end.message();
}

TEST_F(HandshakeTest, ReplacedTwiceTheFileBeforeProvesNothing) {
  AddEpoch(&publication_.lineage, 'b', v1::Epoch::ORIGIN_REPLACED, At(3));
  AddEpoch(&publication_.lineage, 'c', v1::Epoch::ORIGIN_REPLACED, At(5));
  EXPECT_TRUE(Rebuild(HelloAt(At(3))).proved);
  const DecideRebuild rebuild = Rebuild(HelloAt(At(2)));
  EXPECT_FALSE(rebuild.proved);
  EXPECT_FALSE(rebuild.position.just_before);
}

TEST_F(HandshakeTest, OneThatRebuildsWasProvedBefore) {
  AddEpoch(&publication_.lineage, 'b', v1::Epoch::ORIGIN_REPLACED, At(3));
  v1::Hello hello = HelloAt(At(2));
  *hello.mutable_rebuild()->mutable_lineage() = publication_.lineage;
  *hello.mutable_rebuild()->mutable_position() = ToProto(At(1));
  const DecideRebuild rebuild = Rebuild(hello);
  EXPECT_TRUE(rebuild.proved);
  EXPECT_EQ(rebuild.part, At(1));
  AddEpoch(&publication_.lineage, 'c', v1::Epoch::ORIGIN_REPLACED, At(5));
  const DecideRebuild later = Rebuild(hello);
  EXPECT_TRUE(later.proved);
  EXPECT_FALSE(later.part) << "a part of a file that is no longer there";
}

TEST_F(HandshakeTest, APartThatIsLongerThanTheFileIsNotGoneOnFrom) {
  AddEpoch(&publication_.lineage, 'b', v1::Epoch::ORIGIN_REPLACED, At(3));
  v1::Hello hello = HelloAt(At(3));
  *hello.mutable_rebuild()->mutable_lineage() = publication_.lineage;
  *hello.mutable_rebuild()->mutable_position() = ToProto(At(4));
  publication_.end = At(2);
  EXPECT_FALSE(Rebuild(hello).part);
}

TEST_F(HandshakeTest, ARebuildForAnotherHistoryProvesNothing) {
  AddEpoch(&publication_.lineage, 'b', v1::Epoch::ORIGIN_REPLACED, At(3));
  v1::Hello hello = HelloAt(At(2));
  *hello.mutable_rebuild()->mutable_lineage() = FirstLineage();
  AddEpoch(hello.mutable_rebuild()->mutable_lineage(), 'x', v1::Epoch::ORIGIN_REPLACED, At(3));
  EXPECT_FALSE(Rebuild(hello).proved);
}

TEST_F(HandshakeTest, FileThatWasReplacedAfterAForkIsRebuiltWhereItIsNotPastTheFork) {
  AddEpoch(&publication_.lineage, 'b', v1::Epoch::ORIGIN_FORKED, At(2));
  AddEpoch(&publication_.lineage, 'c', v1::Epoch::ORIGIN_REPLACED, At(3));
  const DecideRebuild rebuild = Rebuild(HelloAt(At(2)));
  EXPECT_FALSE(rebuild.proved);
  EXPECT_EQ(rebuild.position.epochs.size(), 2u) << "it may have been there before the promotion, and after it";
  EXPECT_TRUE(rebuild.position.just_before);
  EXPECT_EQ(Refusal(HelloAt(At(3))).reason(), v1::End::REASON_DIVERGED);
}

TEST_F(HandshakeTest, WhatWasRestoredSinceHasNothingOfAFollower) {
  AddEpoch(&publication_.lineage, 'b', v1::Epoch::ORIGIN_REPLACED, At(3));
  AddEpoch(&publication_.lineage, 'c', v1::Epoch::ORIGIN_FORKED, kStart);
  AddEpoch(&publication_.lineage, 'e', v1::Epoch::ORIGIN_REPLACED, At(3));
  for (const int transaction : {1, 3, 5}) {
    const v1::End end = Refusal(HelloAt(At(static_cast<size_t>(transaction))));
    EXPECT_EQ(end.reason(), v1::End::REASON_DIVERGED);
    EXPECT_NE(end.message().find("--restored"), std::string::npos) << end.message();
  }
  publication_.lineage.mutable_epochs()->RemoveLast();
  EXPECT_TRUE(std::holds_alternative<DecideRebuild>(Decide(HelloAt(kStart)))) << "who has nothing loses nothing";
}

TEST_F(HandshakeTest, AMalformedRebuildIsRefused) {
  v1::Hello hello = HelloAt(At(2));
  hello.mutable_rebuild()->mutable_lineage()->set_database_id("short");
  EXPECT_EQ(Refusal(hello).reason(), v1::End::REASON_PROTOCOL);
}

TEST_F(HandshakeTest, AMalformedPositionOfARebuildIsRefused) {
  v1::Hello hello = HelloAt(At(2));
  *hello.mutable_rebuild()->mutable_lineage() = FirstLineage();
  hello.mutable_rebuild()->mutable_position()->set_offset(3);
  ExpectMalformed(hello, "impossible offset 3");
}

TEST_F(HandshakeTest, LineagesOfTenThousandEpochsAreRefusedSayingHowManyThereMayBe) {
  for (const bool rebuild : {false, true}) {
    v1::Hello hello = HelloAt(At(2));
    v1::Lineage& lineage = rebuild ? *hello.mutable_rebuild()->mutable_lineage() : *hello.mutable_lineage();
    lineage = FirstLineage();
    while (lineage.epochs_size() < 10'000) *lineage.add_epochs() = lineage.epochs(0);
    ExpectMalformed(hello, "lineage of 10000 epochs; this release understands at most 1024");
  }
}

TEST_F(HandshakeTest, FollowerAheadIsDivergedNamingBothPositions) {
  publication_.end = At(3);
  const v1::End end = Refusal(HelloAt(At(4)));
  EXPECT_EQ(end.reason(), v1::End::REASON_DIVERGED);
  EXPECT_NE(end.message().find(DescribePosition(At(4))), std::string::npos) << end.message();
  EXPECT_NE(end.message().find(DescribePosition(At(3))), std::string::npos) << end.message();
}

TEST_F(HandshakeTest, AheadOfAnIncompleteCopyHasToWait) {
  publication_.end = At(3);
  publication_.incomplete = true;
  const v1::End end = Refusal(HelloAt(At(4)));
  EXPECT_EQ(end.reason(), v1::End::REASON_NOT_READY);
  EXPECT_NE(end.message().find(DescribePosition(At(4))), std::string::npos) << end.message();
  EXPECT_NE(end.message().find(DescribePosition(At(3))), std::string::npos) << end.message();
  EXPECT_TRUE(std::holds_alternative<DecideProbe>(Decide(HelloAt(At(3)))));
  EXPECT_TRUE(std::holds_alternative<DecideCopy>(Decide(HelloAt({}))));
}

TEST_F(HandshakeTest, AnIncompleteCopyIsNoPackYet) {
  AddEpoch(&publication_.lineage, 'b', v1::Epoch::ORIGIN_REPLACED, At(3));
  publication_.incomplete = true;
  for (size_t i : {2, 3, 4}) EXPECT_EQ(Refusal(HelloAt(At(i))).reason(), v1::End::REASON_NOT_READY) << i;
}

TEST_F(HandshakeTest, PastAForkIsDivergedOfAnIncompleteCopyToo) {
  AddEpoch(&publication_.lineage, 'b', v1::Epoch::ORIGIN_FORKED, At(2));
  publication_.incomplete = true;
  EXPECT_EQ(Refusal(HelloAt(At(3))).reason(), v1::End::REASON_DIVERGED);
}

TEST_F(HandshakeTest, FollowerWithinTheCommittedPartIsProbed) {
  for (size_t i : {0, 2, 5}) {
    const HandshakeDecision decision = Decide(HelloAt(At(i)));
    ASSERT_TRUE(std::holds_alternative<DecideProbe>(decision)) << i;
    EXPECT_EQ(std::get<DecideProbe>(decision).boundary, At(i));
  }
}

TEST_F(HandshakeTest, DivergedNamesBothPositions) {
  const v1::End end = DivergedEnd(publication_, At(2));
  EXPECT_EQ(end.reason(), v1::End::REASON_DIVERGED);
  EXPECT_NE(end.message().find(DescribePosition(At(2))), std::string::npos);
  EXPECT_NE(end.message().find(DescribePosition(At(5))), std::string::npos);
}

}  // namespace
}  // namespace zrs::replication
