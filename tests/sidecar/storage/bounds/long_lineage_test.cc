// A site that packs daily for years: its lineage is as long as one may be, and forgets an epoch with each pack.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "filestorage/format.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/storage/state_file.h"
#include "tests/sidecar/replication/fixtures.h"
#include "tests/sidecar/storage/pack_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using replication::kMostEpochs;
using ::testing::HasSubstr;

class LongLineageTest : public PackTest {
 protected:
  void StopBoth() {
    secondary_.Stop();
    primary_.Stop();
  }
  void StartBoth() {
    primary_.Start();
    secondary_.Start();
  }
  State StateOf(Machine& machine) {
    StateFile file(machine.disk(), "/state/" + machine.name() + ".state");
    const auto state = file.Load();
    EXPECT_TRUE(state.ok() && state->has_value()) << state.status();
    return state.ok() && state->has_value() ? **state : State();
  }
  // What its epochs were is forgotten for it: nobody moved anything meanwhile.
  void SetLineage(Machine& machine, const v1::Lineage& lineage) {
    State state = StateOf(machine);
    state.lineage = lineage;
    StateFile file(machine.disk(), "/state/" + machine.name() + ".state");
    EXPECT_TRUE(file.Save(state).ok());
  }
  // Begins, with a full lineage on both sides.
  void BeginFull() {
    Begin();
    StopBoth();
    v1::Lineage lineage = StateOf(primary_).lineage;
    replication::AddPacks(kMostEpochs - 1, &lineage, file_.end());
    SetLineage(primary_, lineage);
    SetLineage(secondary_, lineage);
    StartBoth();
    RunUntilFollowed();
  }
};

TEST_F(LongLineageTest, AFollowerGoesOnThroughPacksThatForgetTheFirstEpochs) {
  BeginFull();
  tests::FileBuilder now = file_;
  for (int pack = 0; pack < 5; ++pack) {
    now = Pack(now, 2).AddMany(3, 100);
    primary_.Pack(now.bytes());
    RunUntilFollowed();
    EXPECT_EQ(secondary_.Status().followers_size(), 0);
    now.AddMany(1, 100);
    primary_.Write(now.bytes());
    RunUntilFollowed();
  }
  StopBoth();
  EXPECT_EQ(StateOf(secondary_).lineage.epochs_size(), kMostEpochs);
  EXPECT_EQ(StateOf(secondary_).lineage.SerializeAsString(), StateOf(primary_).lineage.SerializeAsString());
  StartBoth();
  RunUntilFollowed();
}

TEST_F(LongLineageTest, AFollowerThatWasAwayForSomeOfThemComesBack) {
  BeginFull();
  tests::FileBuilder now = file_;
  secondary_.Stop();
  for (int pack = 0; pack < 3; ++pack) {
    now = Pack(now, 2).AddMany(3, 100);
    primary_.Pack(now.bytes());
    EXPECT_TRUE(world_.RunUntil([&] { return primary_.serving() && primary_.Size() == now.size(); }));
    RunUntilState(primary_, "streaming");
  }
  secondary_.Start();
  RunUntilFollowed();
}

TEST_F(LongLineageTest, AFollowerWhoseEpochIsForgottenIsToldSoAndResyncHelps) {
  Begin();
  StopBoth();
  v1::Lineage lineage = StateOf(primary_).lineage;
  replication::AddPacks(kMostEpochs, &lineage, file_.end());
  SetLineage(primary_, lineage);
  const std::string copy = secondary_.Data();
  StartBoth();
  RunUntilState(secondary_, "diverged");
  EXPECT_THAT(secondary_.Status().error().message(), HasSubstr("none of the last 1024 that the publisher remembers"));
  EXPECT_THAT(secondary_.Status().error().remedy(), HasSubstr("zrs resync"));
  EXPECT_EQ(primary_.Status().state(), "streaming") << "it is no stale primary";
  EXPECT_EQ(secondary_.Data(), copy);
  file_.AddMany(1, 100);
  primary_.Write(file_.bytes());
  const v1::ResyncResponse done = secondary_.Resync(/*dry_run=*/false);
  EXPECT_EQ(done.result(), v1::ResyncResponse::RESULT_DONE) << done.DebugString();
  RunUntilFollowed();
}

TEST_F(LongLineageTest, AStateFileOfTenThousandEpochsIsRefusedSayingSo) {
  Begin();
  StopBoth();
  v1::Lineage lineage = StateOf(primary_).lineage;
  v1::Epoch epoch = lineage.epochs(0);
  for (uint64_t i = 1; i < 10'000; ++i) {
    epoch.set_id(filestorage::TidHex(i));
    *lineage.add_epochs() = epoch;
  }
  SetLineage(primary_, lineage);
  primary_.Start();
  RunUntilState(primary_, "stopped");
  EXPECT_THAT(primary_.Status().error().message(), HasSubstr("10000 epochs; this release understands at most 1024"));
  primary_.Stop();
}

}  // namespace
}  // namespace zrs::storage
