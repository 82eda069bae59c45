// What a storage tells of its health and its followers, and how open its files are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/storage_test_fixture.h"

namespace zrs::storage {
namespace {

using ::testing::HasSubstr;

TEST_F(StorageTest, ACopyIsAsOpenAsThePrimarysFileOrAsConfigured) {
  Machine primary(world_, "primary", "");
  Machine as_primary(world_, "as-primary", "primary");
  Machine third(world_, "third", "as-primary");
  Machine configured(world_, "configured", "primary");
  configured.SetMode(0664);
  primary.Write(file_.bytes());
  ASSERT_TRUE((*primary.disk().OpenForWriting("/primary/Data.fs"))->SetAccess({.mode = 0640}).ok());
  for (Machine* machine : {&primary, &as_primary, &third, &configured}) machine->Start();
  RunUntilEqual(primary, third);
  RunUntilEqual(primary, configured);
  for (const char* name : {"Data.fs", "Data.fs.lock"}) {
    EXPECT_EQ(as_primary.disk().Stat(absl::StrCat("/as-primary/", name))->mode, 0640u) << name;
    EXPECT_EQ(third.disk().Stat(absl::StrCat("/third/", name))->mode, 0640u) << name;
    EXPECT_EQ(configured.disk().Stat(absl::StrCat("/configured/", name))->mode, 0664u) << name;
  }
}

// The disk is stuck: the copy is connected, and falls behind. (The commit is an old one, by its id.)
TEST_F(StorageTest, ASecondaryThatIsTooFarBehindIsNotHealthy) {
  Machine primary(world_, "primary", "");
  Machine secondary(world_, "secondary", "primary");
  Machine patient(world_, "patient", "primary");
  patient.SetMaxLag(absl::Hours(24 * 365 * 100));
  primary.Write(file_.bytes());
  for (Machine* machine : {&primary, &secondary, &patient}) machine->Start();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary.serving() && patient.serving(); }));
  secondary.HoldIo(absl::Seconds(20));
  patient.HoldIo(absl::Seconds(20));
  primary.Write(file_.AddMany(1, 100).bytes());
  EXPECT_TRUE(world_.RunUntil([&] { return !secondary.serving(); }));
  EXPECT_TRUE(secondary.Status().upstream().connected());
  EXPECT_GT(secondary.Status().lag_seconds(), 60);
  EXPECT_TRUE(world_.RunUntil([&] { return secondary.Status().has_error(); }));
  EXPECT_THAT(secondary.Status().error().message(), HasSubstr("more than max-lag (1m) behind"));
  EXPECT_GT(patient.Status().lag_seconds(), 60);
  EXPECT_TRUE(patient.serving());
  EXPECT_TRUE(world_.RunUntil([&] { return secondary.serving() && !secondary.Status().has_error(); }));
  RunUntilEqual(primary, secondary);
}

// The disk is stuck, and the primary is gone: nothing streams, whatever is still to be written.
TEST_F(PairTest, AConnectionThatIsOverIsShownAsThat) {
  Begin();
  RunUntilState(secondary_, "streaming");
  secondary_.HoldIo(absl::Seconds(30));
  primary_.Write(file_.AddMany(1, 100).bytes());
  world_.RunFor(absl::Seconds(1));
  primary_.Stop();
  RunUntilState(secondary_, "connecting");
  EXPECT_FALSE(secondary_.Status().upstream().connected());
  EXPECT_TRUE(world_.RunUntil([&] {
    return absl::StrContains(secondary_.Status().error().message(), "what came over it is still being written");
  }));
  EXPECT_THAT(secondary_.Status().error().remedy(), HasSubstr("look at this host's disk"));
  primary_.Start();
  RunUntilState(secondary_, "streaming");
  EXPECT_FALSE(secondary_.Status().has_error());
  RunUntilEqual(primary_, secondary_);
}

// A primary that is silent, though it is connected: nobody knows how far behind the copy is.
TEST_F(StorageTest, ASecondaryWithoutFreshHeartbeatsIsNotHealthy) {
  Machine primary(world_, "primary", "");
  Machine secondary(world_, "secondary", "primary");
  primary.Write(file_.bytes());
  primary.Start();
  secondary.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary.serving(); }));
  primary.HoldStrand(absl::Seconds(20));
  EXPECT_TRUE(world_.RunUntil([&] { return !secondary.serving(); }));
  EXPECT_TRUE(secondary.Status().upstream().connected());
  EXPECT_FALSE(secondary.Status().has_lag_seconds());
  EXPECT_TRUE(world_.RunUntil([&] { return secondary.Status().has_error(); }));
  EXPECT_THAT(secondary.Status().error().message(), HasSubstr("nothing is heard of the primary"));
}

TEST_F(StorageTest, AFollowerThatWasTurnedAwayIsShownForAWhileAndIsNoTroubleOfTheStorage) {
  Machine primary(world_, "primary", "");
  primary.Write(file_.bytes());
  primary.Start();
  RunUntilState(primary, "streaming");
  primary.NoteRefusedFollower("10.0.0.5 was turned away", "say so");
  EXPECT_THAT(primary.Status().error().message(), HasSubstr("10.0.0.5"));
  EXPECT_EQ(primary.Status().error().remedy(), "say so");
  EXPECT_EQ(primary.Status().state(), "streaming");
  EXPECT_TRUE(primary.serving());
  // Others in turn do not take its place at once.
  primary.NoteRefusedFollower("10.0.0.6 was turned away", "say so");
  EXPECT_THAT(primary.Status().error().message(), HasSubstr("10.0.0.5"));
  world_.RunFor(absl::Seconds(20));
  primary.NoteRefusedFollower("10.0.0.6 was turned away", "say so");
  EXPECT_THAT(primary.Status().error().message(), HasSubstr("10.0.0.6"));
  world_.RunFor(absl::Minutes(10));
  EXPECT_FALSE(primary.Status().has_error());
}

// Whatever is told of a storage can be sent.
TEST_F(StorageTest, AStatusIsTextWhateverItQuotes) {
  Machine primary(world_, "primary", "");
  primary.Write(file_.bytes());
  primary.Start();
  RunUntilState(primary, "streaming");
  primary.NoteRefusedFollower("\xff says \x1b[31m and \xc3\xa4", "mend\n\xfe");
  EXPECT_EQ(primary.Status().error().message(), "? says ?[31m and \xc3\xa4");
  EXPECT_EQ(primary.Status().error().remedy(), "mend??");
}

}  // namespace
}  // namespace zrs::storage
