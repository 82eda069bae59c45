// What a secondary tells of a primary that has nothing to serve: the primary's own reason, and where to mend it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/pack_test_fixture.h"
#include "tests/support/file_builder.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::storage {
namespace {

using testing::HasSubstr;

class UpstreamTroubleTest : public PackTest {
 protected:
  // Both sides tell of it.
  void ExpectTold(const std::string& reason, const std::string& remedy) {
    EXPECT_TRUE(world_.RunUntil([&] {
      return absl::StrContains(primary_.Status().error().message(), reason) &&
             absl::StrContains(secondary_.Status().error().message(), reason);
    })) << secondary_.Status().DebugString();
    EXPECT_THAT(primary_.Status().error().remedy(), HasSubstr(remedy));
    EXPECT_THAT(secondary_.Status().error().message(), HasSubstr("upstream primary: "));
    EXPECT_THAT(secondary_.Status().error().remedy(), HasSubstr("on the upstream's host: "));
    EXPECT_THAT(secondary_.Status().error().remedy(), HasSubstr(remedy));
    EXPECT_THAT(secondary_.Status().upstream().last_error(), HasSubstr(reason));
  }
  // The secondary's follower, too, and that it is not the one that is at fault.
  void ExpectLastTold(const std::string& reason, const std::string& remedy) {
    EXPECT_TRUE(world_.RunUntil([&] { return absl::StrContains(last_.Status().error().message(), reason); }))
        << last_.Status().DebugString();
    const v1::StorageStatus status = last_.Status();
    EXPECT_EQ(status.state(), "connecting");
    EXPECT_THAT(status.error().message(), HasSubstr("upstream secondary: it is a secondary that has diverged itself"));
    EXPECT_THAT(status.error().remedy(), HasSubstr("nothing on this host"));
    EXPECT_THAT(status.error().remedy(), HasSubstr("on the upstream's host: "));
    EXPECT_THAT(status.error().remedy(), HasSubstr(remedy));
    EXPECT_THAT(status.upstream().last_error(), HasSubstr(reason));
  }
  void BeginAll() {
    Begin();
    last_.Start();
    RunUntilEqual(primary_, last_);
    RunUntilState(last_, "streaming");
  }

  Machine last_{world_, "last", "secondary"};
};

TEST_F(UpstreamTroubleTest, APrimaryThatHasDivergedIsToldOverASecondary) {
  BeginAll();
  primary_.Replace(FileBuilder().AddMany(39, 900).bytes());
  RunUntilState(secondary_, "diverged");
  ExpectLastTold("upstream primary: /primary/Data.fs is neither", "see to the primary's file");
  primary_.Replace(file_.bytes());
  RunUntilState(last_, "streaming");
  EXPECT_FALSE(last_.Status().has_error());
}

TEST_F(UpstreamTroubleTest, ASecondaryThatHasDivergedItself) {
  BeginAll();
  std::string flipped = secondary_.Data();
  flipped[flipped.size() / 2] ^= 4;
  secondary_.disk().SetContents("/secondary/Data.fs", flipped);
  EXPECT_EQ(secondary_.Compare().result(), v1::CompareResponse::RESULT_DIFFERENT);
  ExpectLastTold(secondary_.Status().error().message(), "zrs resync");
  // Also who comes when that was long ago.
  secondary_.Stop();
  last_.Stop();
  secondary_.Start();
  RunUntilState(secondary_, "diverged");
  last_.Start();
  ExpectLastTold(secondary_.Status().error().message(), "zrs resync");
  EXPECT_EQ(secondary_.Resync(/*dry_run=*/false).result(), v1::ResyncResponse::RESULT_DONE);
  RunUntilEqual(primary_, secondary_);
  RunUntilState(last_, "streaming");
  EXPECT_FALSE(last_.Status().has_error());
}

TEST_F(UpstreamTroubleTest, AFileThatWasEmptied) {
  Begin();
  primary_.Write("");
  ExpectTold("empty so far", "start the database");
  primary_.Replace(file_.bytes());
  RunUntilFollowed();
  EXPECT_FALSE(secondary_.Status().has_error());
}

TEST_F(UpstreamTroubleTest, AFileThatIsNotThereYet) {
  primary_.Start();
  secondary_.Start();
  ExpectTold("/primary/Data.fs", "start the database");
  primary_.Write(file_.bytes());
  RunUntilFollowed();
  EXPECT_FALSE(secondary_.Status().has_error());
}

TEST_F(UpstreamTroubleTest, NoRoomForTheStateAfterAPack) {
  Begin();
  bool full = true;
  primary_.disk().SetHook([&full](const tests::SimulatedOperation& operation) {
    const bool state = absl::StrContains(operation.path, "/state/");
    return full && state && operation.kind == tests::SimulatedOperation::Kind::kCreate
               ? absl::ResourceExhaustedError("no room (simulated)")
               : absl::OkStatus();
  });
  primary_.Pack(Pack(file_).bytes());
  ExpectTold("no room (simulated)", "make room on that disk");
  full = false;
  RunUntilFollowed();
  EXPECT_FALSE(secondary_.Status().has_error());
  primary_.disk().SetHook(nullptr);
}

TEST_F(UpstreamTroubleTest, AFileThatIsDamaged) {
  Begin();
  std::string damaged = file_.bytes();
  for (int n = 0; n < 100; ++n) damaged += "garbage ";
  primary_.Write(damaged);
  ExpectTold("/primary/Data.fs is damaged at offset", "zrs verify /primary/Data.fs");
  EXPECT_THAT(primary_.Status().error().remedy(), HasSubstr("then restart zrs"));
}

}  // namespace
}  // namespace zrs::storage
