// One test per row of the follower's side of the handshake, and per way into it.
#include "sidecar/replication/welcome.h"

#include <gtest/gtest.h>

#include <string>

#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/lineage.h"
#include "tests/sidecar/replication/fixtures.h"
#include "tests/support/file_builder.h"

namespace zrs::replication {
namespace {

class WelcomeTest : public ::testing::Test {
 protected:
  WelcomeTest() {
    file_.AddMany(5, 20);
    resuming_ = {FirstLineage(), file_.magic(), file_.boundaries()[2]};
    welcome_.set_version(1);
    welcome_.set_decision(v1::Welcome::DECISION_RESUME);
    *welcome_.mutable_lineage() = FirstLineage();
    welcome_.set_magic("FS30");
    *welcome_.mutable_start() = ToProto(resuming_.committed);
    welcome_.set_committed_end(file_.size());
  }

  void MakeCopy() {
    welcome_.set_decision(v1::Welcome::DECISION_COPY);
    *welcome_.mutable_start() = ToProto(filestorage::FirstBoundary(filestorage::Magic::kFs30));
  }

  v1::End::Reason Refused(const Copy& copy) const {
    const WelcomeDecision decision = CheckWelcome(copy, welcome_);
    const auto* refuse = std::get_if<RefuseWelcome>(&decision);
    if (refuse == nullptr) return v1::End::REASON_UNSPECIFIED;
    EXPECT_FALSE(refuse->end.message().empty());
    EXPECT_FALSE(refuse->end.remedy().empty());
    return refuse->end.reason();
  }

  tests::FileBuilder file_;
  Copy resuming_;
  Copy empty_;
  v1::Welcome welcome_;
};

TEST_F(WelcomeTest, ResumptionIsAccepted) {
  const WelcomeDecision decision = CheckWelcome(resuming_, welcome_);
  ASSERT_TRUE(std::holds_alternative<AcceptWelcome>(decision));
  EXPECT_EQ(std::get<AcceptWelcome>(decision).start, resuming_.committed);
  EXPECT_EQ(std::get<AcceptWelcome>(decision).decision, v1::Welcome::DECISION_RESUME);
}

TEST_F(WelcomeTest, CopyIsAccepted) {
  MakeCopy();
  const WelcomeDecision decision = CheckWelcome(empty_, welcome_);
  ASSERT_TRUE(std::holds_alternative<AcceptWelcome>(decision));
  EXPECT_EQ(std::get<AcceptWelcome>(decision).magic, filestorage::Magic::kFs30);
  EXPECT_EQ(std::get<AcceptWelcome>(decision).decision, v1::Welcome::DECISION_COPY);
}

TEST_F(WelcomeTest, CopyOfTheDatabaseThatWasAdoptedIsAccepted) {
  MakeCopy();
  empty_.lineage = FirstLineage();
  EXPECT_EQ(Refused(empty_), v1::End::REASON_UNSPECIFIED);
}

TEST_F(WelcomeTest, ALineageOfTenThousandEpochsIsRefused) {
  while (welcome_.lineage().epochs_size() < 10'000) {
    *welcome_.mutable_lineage()->add_epochs() = welcome_.lineage().epochs(0);
  }
  const WelcomeDecision decision = CheckWelcome(resuming_, welcome_);
  ASSERT_TRUE(std::holds_alternative<RefuseWelcome>(decision));
  const v1::End& end = std::get<RefuseWelcome>(decision).end;
  EXPECT_EQ(end.reason(), v1::End::REASON_PROTOCOL);
  EXPECT_NE(end.message().find("10000 epochs; this release understands at most 1024"), std::string::npos)
      << end.message();
}

TEST_F(WelcomeTest, EpochsThatEitherSideHasForgottenDoNotMatter) {
  for (const bool promoted : {false, true}) {
    v1::Lineage lineage = FirstLineage();
    AddPacks(kMostEpochs + 3, &lineage);
    resuming_.lineage = lineage;
    if (promoted) {
      ASSERT_TRUE(AddFork(Id('z'), file_.end(), 0, &lineage).ok());
    }
    *welcome_.mutable_lineage() = lineage;
    EXPECT_EQ(Refused(resuming_), v1::End::REASON_UNSPECIFIED);
    // A stale primary: what goes on from it is known here.
    AddPacks(2, &resuming_.lineage);
    if (!promoted) {
      EXPECT_EQ(Refused(resuming_), v1::End::REASON_SUPERSEDED);
    }
  }
}

TEST_F(WelcomeTest, LaterEpochsThereAreAccepted) {
  AddEpoch(welcome_.mutable_lineage(), 'b', v1::Epoch::ORIGIN_FORKED, file_.end());
  EXPECT_EQ(Refused(resuming_), v1::End::REASON_UNSPECIFIED);
}

TEST_F(WelcomeTest, VersionThatWasNotOfferedIsMalformed) {
  for (uint32_t version : {0, 2}) {
    welcome_.set_version(version);
    EXPECT_EQ(Refused(resuming_), v1::End::REASON_PROTOCOL) << version;
  }
}

TEST_F(WelcomeTest, MalformedLineageIsMalformed) {
  welcome_.mutable_lineage()->mutable_epochs(0)->set_id("short");
  EXPECT_EQ(Refused(resuming_), v1::End::REASON_PROTOCOL);
}

TEST_F(WelcomeTest, NoLineageIsMalformed) {
  welcome_.clear_lineage();
  MakeCopy();
  EXPECT_EQ(Refused(empty_), v1::End::REASON_PROTOCOL);
}

TEST_F(WelcomeTest, UnknownMagicIsMalformed) {
  MakeCopy();
  for (const char* magic : {"FS99", "FS3", "FS300", ""}) {
    welcome_.set_magic(magic);
    EXPECT_EQ(Refused(empty_), v1::End::REASON_PROTOCOL) << magic;
  }
}

TEST_F(WelcomeTest, MalformedStartIsMalformed) {
  welcome_.mutable_start()->set_digest("short");
  EXPECT_EQ(Refused(resuming_), v1::End::REASON_PROTOCOL);
}

TEST_F(WelcomeTest, CommittedEndBeforeStartIsMalformed) {
  welcome_.set_committed_end(resuming_.committed.offset - 1);
  EXPECT_EQ(Refused(resuming_), v1::End::REASON_PROTOCOL);
}

TEST_F(WelcomeTest, ImpossibleCommittedEndIsMalformed) {
  welcome_.set_committed_end(kLargestOffset + 1);
  EXPECT_EQ(Refused(resuming_), v1::End::REASON_PROTOCOL);
}

TEST_F(WelcomeTest, AnotherDatabaseIsRefused) {
  welcome_.mutable_lineage()->set_database_id(Id('e'));
  EXPECT_EQ(Refused(resuming_), v1::End::REASON_OTHER_DATABASE);
}

TEST_F(WelcomeTest, CopyOfAnotherDatabaseThanTheAdoptedIsRefused) {
  MakeCopy();
  empty_.lineage = FirstLineage('e', 'a');
  EXPECT_EQ(Refused(empty_), v1::End::REASON_OTHER_DATABASE);
}

TEST_F(WelcomeTest, StalePrimaryIsRefused) {
  AddEpoch(&resuming_.lineage, 'b', v1::Epoch::ORIGIN_FORKED, kStart);
  EXPECT_EQ(Refused(resuming_), v1::End::REASON_SUPERSEDED);
}

TEST_F(WelcomeTest, StalePrimaryIsFollowedByOneThatYieldsAndHasWrittenNothing) {
  AddEpoch(&resuming_.lineage, 'b', v1::Epoch::ORIGIN_FORKED, resuming_.committed);
  EXPECT_EQ(Refused(resuming_), v1::End::REASON_SUPERSEDED);
  resuming_.yields = true;
  EXPECT_TRUE(std::holds_alternative<AcceptWelcome>(CheckWelcome(resuming_, welcome_)));
  resuming_.lineage.mutable_epochs(1)->mutable_left()->set_offset(resuming_.committed.offset - 1);
  EXPECT_EQ(Refused(resuming_), v1::End::REASON_SUPERSEDED);
}

TEST_F(WelcomeTest, PublisherOfALaterGenerationThanOurUnusedOneIsFollowed) {
  AddEpoch(&resuming_.lineage, 'b', v1::Epoch::ORIGIN_FORKED, resuming_.committed);
  AddEpoch(welcome_.mutable_lineage(), 'c', v1::Epoch::ORIGIN_FORKED, resuming_.committed);
  EXPECT_EQ(Refused(resuming_), v1::End::REASON_DIVERGED);
  welcome_.mutable_lineage()->mutable_epochs(1)->set_generation(3);
  EXPECT_TRUE(std::holds_alternative<AcceptWelcome>(CheckWelcome(resuming_, welcome_)));
}

TEST_F(WelcomeTest, PublisherThatDoesNotKnowOurEpochIsRefused) {
  AddEpoch(&resuming_.lineage, 'b', v1::Epoch::ORIGIN_FORKED, kStart);
  AddEpoch(welcome_.mutable_lineage(), 'c', v1::Epoch::ORIGIN_FORKED, kStart);
  EXPECT_EQ(Refused(resuming_), v1::End::REASON_DIVERGED);
}

TEST_F(WelcomeTest, CopyOverAFileIsRefused) {
  MakeCopy();
  EXPECT_EQ(Refused(resuming_), v1::End::REASON_PROTOCOL);
}

TEST_F(WelcomeTest, CopyThatBeginsElsewhereIsRefused) {
  MakeCopy();
  *welcome_.mutable_start() = ToProto(file_.boundaries()[1]);
  EXPECT_EQ(Refused(empty_), v1::End::REASON_PROTOCOL);
}

TEST_F(WelcomeTest, CopyWithTheStartOfAnotherMagicIsRefused) {
  MakeCopy();
  welcome_.set_magic("FS21");
  EXPECT_EQ(Refused(empty_), v1::End::REASON_PROTOCOL);
}

TEST_F(WelcomeTest, ResumptionWithoutAFileIsRefused) { EXPECT_EQ(Refused(empty_), v1::End::REASON_PROTOCOL); }

TEST_F(WelcomeTest, ResumptionElsewhereIsRefused) {
  *welcome_.mutable_start() = ToProto(file_.boundaries()[1]);
  EXPECT_EQ(Refused(resuming_), v1::End::REASON_PROTOCOL);
}

TEST_F(WelcomeTest, ResumptionWithAnotherDigestIsRefused) {
  welcome_.mutable_start()->set_digest(Id('x'));
  EXPECT_EQ(Refused(resuming_), v1::End::REASON_PROTOCOL);
}

TEST_F(WelcomeTest, ResumptionWithAnotherMagicIsRefused) {
  welcome_.set_magic("FS21");
  EXPECT_EQ(Refused(resuming_), v1::End::REASON_PROTOCOL);
}

TEST_F(WelcomeTest, NoDecisionIsRefused) {
  welcome_.set_decision(v1::Welcome::DECISION_UNSPECIFIED);
  EXPECT_EQ(Refused(resuming_), v1::End::REASON_PROTOCOL);
}

TEST_F(WelcomeTest, UnknownDecisionIsRefused) {
  welcome_.set_decision(static_cast<v1::Welcome::Decision>(17));
  EXPECT_EQ(Refused(resuming_), v1::End::REASON_PROTOCOL);
}

}  // namespace
}  // namespace zrs::replication
