// The rows of the handshake's table for epochs that the publisher does not know, and each way into them.
#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "sidecar/replication/handshake.h"
#include "sidecar/replication/id.h"
#include "sidecar/replication/lineage.h"
#include "tests/sidecar/replication/fixtures.h"
#include "tests/sidecar/replication/handshake_test_fixture.h"

namespace zrs::replication {
namespace {

TEST_F(HandshakeTest, FollowerOfLaterEpochsSupersedesThePublisher) {
  v1::Hello hello = HelloAt(At(2));
  AddEpoch(hello.mutable_lineage(), 'b', v1::Epoch::ORIGIN_FORKED, kStart);
  EXPECT_EQ(Refusal(hello).reason(), v1::End::REASON_SUPERSEDED);
}

TEST_F(HandshakeTest, EmptyFollowerOfLaterEpochsSupersedesThePublisher) {
  v1::Hello hello = HelloAt({});
  *hello.mutable_lineage() = FirstLineage();
  AddEpoch(hello.mutable_lineage(), 'b', v1::Epoch::ORIGIN_FORKED, kStart);
  EXPECT_EQ(Refusal(hello).reason(), v1::End::REASON_SUPERSEDED);
}

TEST_F(HandshakeTest, FollowerOfASiblingEpochOfTheSameGenerationIsAConflict) {
  AddEpoch(&publication_.lineage, 'b', v1::Epoch::ORIGIN_FORKED, kStart);
  v1::Hello hello = HelloAt(At(2));
  AddEpoch(hello.mutable_lineage(), 'c', v1::Epoch::ORIGIN_FORKED, kStart);
  const v1::End end = Refusal(hello);
  EXPECT_EQ(end.reason(), v1::End::REASON_CONFLICT);
  EXPECT_NE(end.message().find("after 1 common epochs"), std::string::npos) << end.message();
  EXPECT_NE(end.message().find(DescribeId(Id('b'))), std::string::npos) << end.message();
  EXPECT_NE(end.message().find(DescribeId(Id('c'))), std::string::npos) << end.message();
}

TEST_F(HandshakeTest, ARivalIsToldWithItsGeneration) {
  v1::Hello hello = HelloAt(At(2));
  AddEpoch(hello.mutable_lineage(), 'b', v1::Epoch::ORIGIN_FORKED, kStart);
  EXPECT_EQ(Refusal(hello).generation(), 2u);
}

TEST_F(HandshakeTest, AnUnusedPromotionOfAFollowerThatYieldsIsNone) {
  v1::Hello hello = HelloAt(At(2));
  hello.set_yields(true);
  AddEpoch(hello.mutable_lineage(), 'b', v1::Epoch::ORIGIN_FORKED, At(2));
  AddEpoch(hello.mutable_lineage(), 'c', v1::Epoch::ORIGIN_FORKED, At(2));
  const HandshakeDecision decision = Decide(hello);
  ASSERT_TRUE(std::holds_alternative<DecideProbe>(decision));
  EXPECT_EQ(std::get<DecideProbe>(decision).boundary, At(2));
}

TEST_F(HandshakeTest, AFollowerThatYieldsAndHasWrittenIsDivergedAndSupersedesNobody) {
  v1::Hello hello = HelloAt(At(3));
  hello.set_yields(true);
  AddEpoch(hello.mutable_lineage(), 'b', v1::Epoch::ORIGIN_FORKED, At(2));
  EXPECT_EQ(Refusal(hello).reason(), v1::End::REASON_DIVERGED);
  // Nor is it a conflict.
  AddEpoch(&publication_.lineage, 'c', v1::Epoch::ORIGIN_FORKED, At(2));
  EXPECT_EQ(Refusal(hello).reason(), v1::End::REASON_DIVERGED);
}

TEST_F(HandshakeTest, AFollowerThatYieldsWithAPackOfItsOwnIsDiverged) {
  v1::Hello hello = HelloAt(At(2));
  hello.set_yields(true);
  AddEpoch(hello.mutable_lineage(), 'b', v1::Epoch::ORIGIN_FORKED, At(2));
  AddEpoch(hello.mutable_lineage(), 'c', v1::Epoch::ORIGIN_REPLACED, At(2));
  EXPECT_EQ(Refusal(hello).reason(), v1::End::REASON_DIVERGED);
}

TEST_F(HandshakeTest, AnUnusedPromotionIsOutvotedByALaterOne) {
  AddEpoch(&publication_.lineage, 'c', v1::Epoch::ORIGIN_FORKED, At(3));
  publication_.lineage.mutable_epochs(1)->set_generation(3);
  v1::Hello hello = HelloAt(At(2));
  AddEpoch(hello.mutable_lineage(), 'b', v1::Epoch::ORIGIN_FORKED, At(2));
  EXPECT_TRUE(std::holds_alternative<DecideProbe>(Decide(hello)));
}

TEST_F(HandshakeTest, AnOutvotedPromotionThatWasUsedIsDiverged) {
  AddEpoch(&publication_.lineage, 'c', v1::Epoch::ORIGIN_FORKED, At(3));
  publication_.lineage.mutable_epochs(1)->set_generation(3);
  v1::Hello hello = HelloAt(At(3));
  AddEpoch(hello.mutable_lineage(), 'b', v1::Epoch::ORIGIN_FORKED, At(2));
  EXPECT_EQ(Refusal(hello).reason(), v1::End::REASON_DIVERGED);
}

TEST_F(HandshakeTest, AFollowerThatYieldsPastTheForkThatEndedItsEpochIsDiverged) {
  AddEpoch(&publication_.lineage, 'c', v1::Epoch::ORIGIN_FORKED, At(1));
  v1::Hello hello = HelloAt(At(2));
  hello.set_yields(true);
  AddEpoch(hello.mutable_lineage(), 'b', v1::Epoch::ORIGIN_FORKED, At(2));
  const v1::End end = Refusal(hello);
  EXPECT_EQ(end.reason(), v1::End::REASON_DIVERGED);
  EXPECT_NE(end.message().find("promoted at"), std::string::npos) << end.message();
}

TEST_F(HandshakeTest, FollowerOfASiblingEpochOfALaterGenerationSupersedesThePublisher) {
  AddEpoch(&publication_.lineage, 'b', v1::Epoch::ORIGIN_REPLACED, kStart);
  publication_.lineage.mutable_epochs(1)->set_generation(1);
  v1::Hello hello = HelloAt(At(2));
  AddEpoch(hello.mutable_lineage(), 'c', v1::Epoch::ORIGIN_FORKED, kStart);
  EXPECT_EQ(Refusal(hello).reason(), v1::End::REASON_SUPERSEDED);
}

// A site that packs daily has forgotten its first epochs after three years.
class ForgetfulHandshakeTest : public HandshakeTest {
 protected:
  ForgetfulHandshakeTest() { AddPacks(kMostEpochs + 5, &publication_.lineage, At(5)); }

  v1::Hello HelloOf(const v1::Lineage& lineage, const filestorage::Boundary& position) const {
    v1::Hello hello = HelloAt(position);
    *hello.mutable_lineage() = lineage;
    return hello;
  }
};

TEST_F(ForgetfulHandshakeTest, AFollowerOfOurEpochIsProbed) {
  EXPECT_TRUE(std::holds_alternative<DecideProbe>(Decide(HelloOf(publication_.lineage, At(2)))));
}

TEST_F(ForgetfulHandshakeTest, AFollowerOfTheEpochBeforeIsRebuilt) {
  const v1::Lineage theirs = publication_.lineage;
  AddPacks(1, &publication_.lineage, At(5));
  EXPECT_TRUE(Rebuild(HelloOf(theirs, At(5))).proved);
}

TEST_F(ForgetfulHandshakeTest, AFollowerThatGoesOnPastOursSupersedesThePublisher) {
  v1::Lineage theirs = publication_.lineage;
  AddPacks(3, &theirs, At(5));
  EXPECT_EQ(Refusal(HelloOf(theirs, At(2))).reason(), v1::End::REASON_SUPERSEDED);
}

TEST_F(ForgetfulHandshakeTest, ASiblingOfALaterGenerationSupersedesThePublisher) {
  v1::Lineage theirs = publication_.lineage;
  ASSERT_TRUE(AddFork(Id('y'), At(5), 0, &theirs).ok());
  AddPacks(3, &publication_.lineage, At(5));
  const v1::End end = Refusal(HelloOf(theirs, At(2)));
  EXPECT_EQ(end.reason(), v1::End::REASON_SUPERSEDED) << end.message();
  EXPECT_EQ(end.generation(), 2u);
}

TEST_F(ForgetfulHandshakeTest, ASiblingOfTheSameGenerationIsAConflict) {
  v1::Lineage theirs = publication_.lineage;
  ASSERT_TRUE(AddFork(Id('y'), At(5), 0, &theirs).ok());
  AddPacks(3, &publication_.lineage, At(5));
  ASSERT_TRUE(AddFork(Id('z'), At(5), 0, &publication_.lineage).ok());
  const v1::End end = Refusal(HelloOf(theirs, At(2)));
  EXPECT_EQ(end.reason(), v1::End::REASON_CONFLICT) << end.message();
}

TEST_F(ForgetfulHandshakeTest, ASiblingOfAnEarlierGenerationIsDiverged) {
  v1::Lineage theirs = publication_.lineage;
  AddPacks(1, &theirs, At(5));
  ASSERT_TRUE(AddFork(Id('z'), At(5), 0, &publication_.lineage).ok());
  EXPECT_EQ(Refusal(HelloOf(theirs, At(2))).reason(), v1::End::REASON_DIVERGED);
}

TEST_F(ForgetfulHandshakeTest, AFollowerWhoseEpochIsForgottenIsToldSo) {
  const v1::End end = Refusal(HelloAt(At(2)));
  EXPECT_EQ(end.reason(), v1::End::REASON_DIVERGED);
  EXPECT_NE(end.message().find("none of the last 1024 that the publisher remembers"), std::string::npos)
      << end.message();
  EXPECT_NE(end.remedy().find("zrs resync"), std::string::npos) << end.remedy();
}

TEST_F(ForgetfulHandshakeTest, APublisherWhoseEpochTheFollowerHasForgottenIsToldSo) {
  const v1::Lineage theirs = publication_.lineage;
  publication_.lineage = FirstLineage();
  const v1::End end = Refusal(HelloOf(theirs, At(2)));
  EXPECT_EQ(end.reason(), v1::End::REASON_DIVERGED);
  EXPECT_NE(end.message().find("none of the last 1024 that the follower remembers"), std::string::npos)
      << end.message();
}

TEST_F(ForgetfulHandshakeTest, AnEmptyFollowerWhoseEpochIsForgottenIsRefusedToo) {
  v1::Hello hello = HelloAt({});
  *hello.mutable_lineage() = FirstLineage();
  EXPECT_EQ(Refusal(hello).reason(), v1::End::REASON_DIVERGED);
}

}  // namespace
}  // namespace zrs::replication
