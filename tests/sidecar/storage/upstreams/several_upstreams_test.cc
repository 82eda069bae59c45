// Secondaries that know several addresses: whom they follow, and when one of them may be promoted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/promotion_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using testing::HasSubstr;

// Each secondary names the primary and the other secondary.
class SeveralUpstreamsTest : public PromotionTest {
 protected:
  SeveralUpstreamsTest() {
    secondary_.SetUpstreams({"primary", "third"});
    third_.SetUpstreams({"primary", "secondary"});
  }
  void BeginAll() {
    BeginStreaming();
    third_.Start();
    RunUntilEqual(primary_, third_);
    RunUntilFollowing(third_, "primary");
    RunUntilFollowing(secondary_, "primary");
  }
  void RunUntilTold(Machine& machine, const std::string& words) {
    EXPECT_TRUE(world_.RunUntil([&] { return machine.Status().error().message().find(words) != std::string::npos; }))
        << machine.Status().DebugString();
  }
  // The primary's host, at once.
  void LosePrimary() {
    for (const char* other : {"secondary", "third"}) {
      world_.network().Block("primary", other, absl::Minutes(30));
      world_.network().Cut("primary", other, /*half_open=*/false);
    }
  }

  Machine third_{world_, "third", "primary"};
};

TEST_F(SeveralUpstreamsTest, TheOthersFollowThePromotedOneByThemselves) {
  BeginAll();
  LosePrimary();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  Commit(secondary_, 3);
  RunUntilEqual(secondary_, third_);
  RunUntilFollowing(third_, "secondary");
  EXPECT_EQ(third_.Status().generation(), 2u);
}

TEST_F(SeveralUpstreamsTest, AnOldPrimaryThatIsBackIsSupersededAndNotFollowed) {
  BeginAll();
  LosePrimary();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  RunUntilFollowing(third_, "secondary");
  world_.network().Unblock();
  RunUntilState(primary_, "superseded");
  RunUntilFollowing(third_, "secondary");
  ASSERT_EQ(third_.Status().upstream().others_size(), 1);
  EXPECT_EQ(third_.Status().upstream().others(0).address(), "primary");
  EXPECT_TRUE(world_.RunUntil([&] {
    return third_.Status().upstream().others(0).why_not().find("stale primary") != std::string::npos;
  })) << third_.Status().DebugString();
  EXPECT_FALSE(third_.Status().has_error()) << third_.Status().error().message();
}

// While what the welcome tells is made durable.
TEST_F(SeveralUpstreamsTest, AGenerationIsKnownAlsoWhereItsFirstBytesAreDamaged) {
  BeginAll();
  third_.Stop();
  ExpectPromoted(secondary_.Promote(kForce));
  Commit(secondary_, 3);
  world_.network().CorruptNextBatch();
  third_.SetUpstreams({"secondary"});
  third_.Start();
  ASSERT_TRUE(world_.RunUntil([&] { return secondary_.Status().followers_size() == 1; }));
  third_.HoldIo(absl::Milliseconds(100));
  RunUntilTold(third_, "damaged on the way");
  EXPECT_EQ(third_.Status().generation(), 2u);
}

TEST_F(SeveralUpstreamsTest, AStalePrimaryIsLeftWhenAnotherOneIsFoundToBeLater) {
  BeginAll();
  ExpectPromoted(secondary_.Promote(kForce));
  RunUntilFollowing(third_, "secondary");
  EXPECT_EQ(third_.Status().generation(), 2u);
}

TEST_F(SeveralUpstreamsTest, WhoHasMoreFromTheStalePrimaryIsDivergedAndNotFedByItAnyMore) {
  BeginAll();
  world_.network().Block("secondary", "third", absl::Minutes(30));
  ExpectPromoted(secondary_.Promote(kForce));
  Commit(primary_, 3);
  RunUntilEqual(primary_, third_);
  world_.network().Unblock();
  RunUntilState(third_, "diverged");
  EXPECT_THAT(third_.Status().error().message(), HasSubstr("promoted at"));
  const std::string kept = third_.Data();
  Commit(primary_, 3);
  world_.RunFor(absl::Seconds(40));
  EXPECT_EQ(third_.Data(), kept);
}

// Whom a fence-command is told to fence.
TEST_F(SeveralUpstreamsTest, TheOneThatWasFollowedLastIsKnownOverARestart) {
  third_.SetUpstreams({"secondary", "primary"});
  BeginAll();
  third_.Stop();
  LosePrimary();
  primary_.Stop();
  third_.Start();
  RunUntilState(third_, "connecting");
  EXPECT_EQ(third_.Status().upstream().address(), "primary");
  std::string fenced;
  third_.SetUpstreams({"secondary", "primary", "elsewhere"});
  third_.Stop();
  third_.SetFenceOf([&fenced](const std::string& address, absl::AnyInvocable<void(absl::Status)> done) {
    fenced = address;
    done(absl::OkStatus());
  });
  third_.Start();
  RunUntilState(third_, "connecting");
  EXPECT_EQ(third_.Promote(kForce).result(), Promoted::RESULT_PROMOTED);
  EXPECT_EQ(fenced, "primary");
}

// It has no place to go: no other one is followed in the primary's place.
TEST_F(SeveralUpstreamsTest, WhereThePrimaryHasDivergedItsSecondariesAreToo) {
  BeginAll();
  const std::string kept = file_.bytes();
  primary_.Replace(tests::FileBuilder().AddMany(39, 900).bytes());
  RunUntilState(primary_, "diverged");
  for (Machine* machine : {&secondary_, &third_}) {
    RunUntilState(*machine, "diverged");
    EXPECT_THAT(machine->Status().error().remedy(), HasSubstr("see to the primary's file"));
    EXPECT_EQ(machine->Data(), kept);
  }
  primary_.Replace(kept);
  RunUntilFollowing(secondary_, "primary");
  RunUntilFollowing(third_, "primary");
}

TEST_F(SeveralUpstreamsTest, NobodyFollowsASecondaryThatHearsNothing) {
  BeginAll();
  LosePrimary();
  for (Machine* machine : {&secondary_, &third_}) {
    RunUntilState(*machine, "connecting");
    RunUntilTold(*machine, "hears nothing of a primary");
  }
  world_.RunFor(absl::Seconds(50));
  EXPECT_EQ(secondary_.Status().state(), "connecting");
  EXPECT_EQ(third_.Status().state(), "connecting");
  world_.network().Unblock();
  RunUntilFollowing(secondary_, "primary");
  RunUntilFollowing(third_, "primary");
}

TEST_F(SeveralUpstreamsTest, ASecondaryThatHearsThePrimaryDoesAfterAWhile) {
  BeginAll();
  world_.network().Block("primary", "third", absl::Minutes(30));
  world_.network().Cut("primary", "third", /*half_open=*/false);
  RunUntilFollowing(third_, "secondary");
  Commit(primary_, 3);
  RunUntilEqual(primary_, third_);
  // And is not promoted: the primary is there, as that one tells.
  const Promoted answer = third_.Promote(kMustBeGone);
  EXPECT_EQ(answer.result(), Promoted::RESULT_REFUSED);
  EXPECT_THAT(answer.message(), HasSubstr("can be reached"));
  // With the way over it gone too, and the primary lost, there is nothing over which it could be heard.
  LosePrimary();
  EXPECT_TRUE(world_.RunUntil([&] { return third_.Status().state() == "connecting"; }));
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  RunUntilFollowing(third_, "secondary");
}

TEST_F(SeveralUpstreamsTest, NoPromotionWhileAnyOfThemIsAPrimary) {
  BeginAll();
  ExpectRefused(secondary_.Promote(kMustBeGone), "can be reached");
  // The way to it is broken, and the other secondary tells that it is there.
  world_.network().Block("primary", "secondary", absl::Minutes(30));
  world_.network().Cut("primary", "secondary", /*half_open=*/false);
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().state() == "connecting"; }));
  ExpectRefused(secondary_.Promote(kMustBeGone), "hears its primary");
}

TEST_F(SeveralUpstreamsTest, APromotionTellsWhoHasMore) {
  BeginAll();
  secondary_.Stop();
  Commit(primary_, 3);
  RunUntilEqual(primary_, third_);
  LosePrimary();
  secondary_.Start();
  RunUntilTold(secondary_, "hears nothing of a primary");
  const Promoted answer = secondary_.Promote(kMustBeGone);
  ExpectPromoted(answer);
  ASSERT_EQ(answer.notes_size(), 1);
  EXPECT_THAT(answer.notes(0),
              HasSubstr(absl::StrCat("third, another secondary, has ", third_.Size() - secondary_.Size(), " bytes")));
}

TEST_F(SeveralUpstreamsTest, NoPromotionWhileAnotherWasPromoted) {
  BeginAll();
  LosePrimary();
  EXPECT_EQ(third_.Promote(kMustBeGone).result(), Promoted::RESULT_PROMOTED);
  const Promoted answer = secondary_.Promote(kMustBeGone);
  EXPECT_EQ(answer.result(), Promoted::RESULT_REFUSED);
  EXPECT_THAT(answer.message(), HasSubstr("can be reached"));
}

TEST_F(SeveralUpstreamsTest, WaitsForTheOneThatIsFollowed) {
  BeginAll();
  std::optional<Promoted> answer;
  const bool wanted = true;
  secondary_.BeginPromote(kWait, wanted, answer);
  world_.RunFor(absl::Seconds(3));
  EXPECT_FALSE(answer.has_value());
  Commit(primary_, 3);
  primary_.Stop();
  EXPECT_TRUE(world_.RunUntil([&] { return answer.has_value(); }));
  ExpectPromoted(*answer);
  RunUntilFollowing(third_, "secondary");
}

TEST_F(SeveralUpstreamsTest, WaitsForNobodyWhereItWasStoppedBefore) {
  BeginAll();
  primary_.Stop();
  world_.RunFor(absl::Seconds(30));
  ExpectPromoted(secondary_.Promote(kWait));
}

TEST_F(SeveralUpstreamsTest, TheListMayBeTheSameOnAllHosts) {
  const std::vector<std::string> all = {"primary", "secondary", "third"};
  secondary_.SetUpstreams(all);
  third_.SetUpstreams(all);
  BeginAll();
  primary_.Stop();
  RunUntilTold(third_, "hears nothing of a primary");
  ExpectPromoted(secondary_.Promote(kWait));
  RunUntilFollowing(third_, "secondary");
  primary_.SetUpstreams(all);
  primary_.Start();
  RunUntilFollowing(primary_, "secondary");
  Commit(secondary_, 3);
  RunUntilEqual(secondary_, primary_);
  RunUntilEqual(secondary_, third_);
}

// Four hosts with one list; the primary's place goes round by chance, in order or by a loss of the network.
class RoundTest : public SeveralUpstreamsTest, public ::testing::WithParamInterface<uint32_t> {
 protected:
  static constexpr const char* kNames[] = {"primary", "secondary", "third", "fourth"};

  void BeginFour() {
    const std::vector<std::string> all(std::begin(kNames), std::end(kNames));
    for (Machine* machine : {&secondary_, &third_, &fourth_}) machine->SetUpstreams(all);
    primary_.Write(file_.bytes());
    for (Machine* machine : machines_) machine->Start();
    ExpectAllFollow(0, 1);
    // Its configuration is that of the others from now on; its state says what it is.
    primary_.Stop();
    primary_.SetUpstreams(all);
    EXPECT_EQ(fourth_.Promote(kWait).result(), Promoted::RESULT_PROMOTED);
    primary_.Start();
    ExpectAllFollow(3, 2);
  }
  // Directly, or over another secondary that does.
  void ExpectAllFollow(size_t at, uint64_t generation) {
    for (size_t i = 0; i < std::size(kNames); ++i) {
      EXPECT_TRUE(world_.RunUntil([&] {
        const v1::StorageStatus status = machines_[i]->Status();
        return status.state() == "streaming" && status.generation() == generation &&
               machines_[i]->Data() == machines_[at]->Data() && status.role() == (i == at ? "primary" : "secondary");
      })) << machines_[i]->Status().DebugString();
    }
  }
  // One of its direct followers.
  size_t AnyFollowerOf(size_t at, size_t chance) {
    for (size_t i = at + chance;; ++i) {
      if (i % 4 != at && machines_[i % 4]->Status().upstream().address() == kNames[at]) return i % 4;
    }
  }
  void Isolate(size_t at) {
    for (size_t i = 0; i < std::size(kNames); ++i) {
      if (i == at) continue;
      world_.network().Block(kNames[at], kNames[i], absl::Minutes(30));
      world_.network().Cut(kNames[at], kNames[i], /*half_open=*/false);
    }
  }

  Machine fourth_{world_, "fourth", "primary"};
  Machine* const machines_[4] = {&primary_, &secondary_, &third_, &fourth_};
};

TEST_P(RoundTest, ThePrimarysPlaceGoesRound) {
  BeginFour();
  std::mt19937 random(GetParam());
  size_t at = 3;
  for (uint64_t generation = 3; generation < 20 && !HasFailure(); ++generation) {
    const size_t next = AnyFollowerOf(at, random() % 4);
    SCOPED_TRACE(absl::StrCat("generation ", generation, ": from ", kNames[at], " to ", kNames[next]));
    Commit(*machines_[at], 1 + random() % 5);
    ExpectAllFollow(at, generation - 1);
    const bool in_order = random() % 2 == 0;
    if (in_order) {
      machines_[at]->Stop();
    } else {
      Isolate(at);
    }
    world_.RunFor(absl::Milliseconds(random() % 40'000));
    const Promoted promoted = machines_[next]->Promote(in_order ? kWait : kMustBeGone);
    EXPECT_EQ(promoted.result(), Promoted::RESULT_PROMOTED) << promoted.message();
    if (in_order) {
      machines_[at]->Start();
    } else {
      world_.network().Unblock();
      world_.RunFor(absl::Milliseconds(random() % 60'000));
    }
    RunUntilState(*machines_[next], "streaming");
    EXPECT_TRUE(machines_[at]->Demote().ok());
    at = next;
    ExpectAllFollow(at, generation);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RoundTest, ::testing::Range(0u, 12u));

TEST_F(SeveralUpstreamsTest, APromotedOneIsFollowedByWhoFollowedItAsASecondary) {
  third_.SetUpstreams({"secondary", "fourth"});
  BeginStreaming();
  third_.Start();
  RunUntilFollowing(third_, "secondary");
  primary_.Stop();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  Commit(secondary_, 3);
  RunUntilEqual(secondary_, third_);
  RunUntilFollowing(third_, "secondary");
}

TEST_F(SeveralUpstreamsTest, ADiskThatIsFullHealsByItself) {
  BeginAll();
  third_.disk().SetCapacity(file_.size() + 10'000);
  Commit(primary_, 200);
  RunUntilState(third_, "disk-full");
  third_.disk().SetCapacity(10 * file_.size());
  RunUntilEqual(primary_, third_);
  RunUntilFollowing(third_, "primary");
}

TEST_F(SeveralUpstreamsTest, ALookIsNoFollower) {
  primary_.SetMaxFollowers(2);
  BeginAll();
  world_.RunFor(absl::Seconds(100));
  EXPECT_EQ(primary_.Status().followers_size(), 2);
  EXPECT_EQ(secondary_.Status().followers_size(), 0);
  EXPECT_FALSE(primary_.Status().has_error());
}

TEST_F(SeveralUpstreamsTest, AFirstCopyIsTakenFromThePrimaryOfTheLatestGeneration) {
  BeginStreaming();
  ExpectPromoted(secondary_.Promote(kForce));
  Commit(secondary_, 3);
  third_.Start();
  RunUntilEqual(secondary_, third_);
  RunUntilFollowing(third_, "secondary");
  RunUntilState(primary_, "superseded");
}

TEST_F(SeveralUpstreamsTest, AnOldPrimaryThatIsDemotedFollowsThePromotedOne) {
  BeginAll();
  primary_.Stop();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  Commit(secondary_, 3);
  primary_.SetUpstreams({"secondary", "third"});
  primary_.Start();
  RunUntilEqual(secondary_, primary_);
  RunUntilFollowing(primary_, "secondary");
  EXPECT_EQ(primary_.Status().role(), "secondary");
}

}  // namespace
}  // namespace zrs::storage
