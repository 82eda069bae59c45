// A secondary keeps its copy's index fresh by itself, and nothing suffers from that.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tests/filestorage/index/reference_index.h"
#include "tests/sidecar/storage/crash_outcomes.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/pack_test_fixture.h"
#include "tests/support/captured_log.h"
#include "tests/support/file_builder.h"
#include "tests/support/read_index_model.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::storage {
namespace {

using filestorage::ReferenceIndexOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using tests::SimulatedFileSystem;
using tests::SimulatedOperation;
using Kind = SimulatedOperation::Kind;

constexpr char kData[] = "/secondary/Data.fs";
constexpr char kIndex[] = "/secondary/Data.fs.index";
constexpr char kPart[] = "/secondary/Data.fs.index.zrs-new";
constexpr absl::Duration kInterval = absl::Seconds(10);

class IndexKeeperTest : public PackTest {
 protected:
  IndexKeeperTest() { secondary_.SetIndexInterval(kInterval); }

  void BeginStreaming() {
    Begin();
    RunUntilState(secondary_, "streaming");
  }
  void Write() {
    primary_.Write(file_.bytes());
    RunUntilEqual(primary_, secondary_);
  }
  // More is committed, and arrives.
  void Commit(size_t count = 3) {
    file_.AddMany(count, 500);
    Write();
  }
  std::string Index() { return secondary_.disk().Contents(kIndex); }
  void RunUntilFresh() {
    EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().index().up_to() == secondary_.Size(); }))
        << secondary_.Status().DebugString();
    EXPECT_TRUE(Index() == ReferenceIndexOf(secondary_.Data()));
    EXPECT_FALSE(secondary_.disk().Exists(kPart));
  }
  // An update is under way, and goes on for some time.
  void RunIntoAnUpdate() {
    secondary_.HoldAside(absl::Seconds(30));
    world_.RunFor(kInterval + absl::Seconds(3));
  }
};

TEST_F(IndexKeeperTest, ItIsUpToDateAnIntervalAfterTheFirstCommitsAndAfterEachUpdate) {
  BeginStreaming();
  EXPECT_FALSE(secondary_.Status().index().has_up_to());
  world_.RunFor(kInterval - absl::Seconds(3));
  EXPECT_FALSE(secondary_.disk().Exists(kIndex));
  world_.RunFor(absl::Seconds(6));
  RunUntilFresh();
  const v1::KeptIndex first = secondary_.Status().index();
  EXPECT_THAT(first.time(), Not(IsEmpty()));
  EXPECT_FALSE(first.has_last_error());
  Commit();
  world_.RunFor(kInterval / 2);
  EXPECT_EQ(secondary_.Status().index().up_to(), first.up_to());
  world_.RunFor(kInterval);
  RunUntilFresh();
  EXPECT_GT(secondary_.Status().index().time(), first.time());
}

TEST_F(IndexKeeperTest, NothingIsDoneWhereNothingWasCommitted) {
  BeginStreaming();
  RunUntilFresh();
  const v1::KeptIndex before = secondary_.Status().index();
  int looked_at = 0;
  secondary_.disk().SetHook([&](const SimulatedOperation& operation) {
    looked_at += absl::StartsWith(operation.path, kIndex) ? 1 : 0;
    return absl::OkStatus();
  });
  world_.RunFor(10 * kInterval);
  EXPECT_EQ(looked_at, 0);
  EXPECT_EQ(secondary_.Status().index().time(), before.time());
  secondary_.disk().SetHook(nullptr);
}

TEST_F(IndexKeeperTest, ItIsOffWhereNobodyWantsIt) {
  secondary_.SetIndexInterval(absl::ZeroDuration());
  BeginStreaming();
  world_.RunFor(absl::Hours(1));
  EXPECT_FALSE(secondary_.disk().Exists(kIndex));
  EXPECT_FALSE(secondary_.Status().has_index());
  EXPECT_FALSE(primary_.Status().has_index());
}

TEST_F(IndexKeeperTest, ItDoesNotHoldUpCommitsAndTellsOfThoseBeforeItBegan) {
  BeginStreaming();
  const uint64_t before = secondary_.Size();
  RunIntoAnUpdate();
  Commit();
  EXPECT_FALSE(secondary_.disk().Exists(kIndex));
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.disk().Exists(kIndex); }));
  EXPECT_TRUE(Index() == ReferenceIndexOf(file_.bytes().substr(0, before)));
}

TEST_F(IndexKeeperTest, OneThatIsWrittenJustBeforeASwapIsGoneAfterIt) {
  BeginStreaming();
  // Once it is written, and before it is put in place.
  bool held = false;
  secondary_.disk().SetHook([&](const SimulatedOperation& operation) {
    if (operation.kind == Kind::kSync && operation.path == kPart && !std::exchange(held, true)) {
      secondary_.HoldIo(absl::Seconds(5));
    }
    return absl::OkStatus();
  });
  EXPECT_TRUE(world_.RunUntil([&] { return held; }));
  const FileBuilder packed = Pack(file_);
  primary_.Pack(packed.bytes());
  file_ = packed;
  bool index_of_old = false;
  EXPECT_TRUE(world_.RunUntil([&] {
    index_of_old |= secondary_.Data() == packed.bytes() && secondary_.disk().Exists(kIndex) &&
                    Index() != ReferenceIndexOf(packed.bytes());
    return secondary_.Data() == packed.bytes() && secondary_.Status().state() == "streaming";
  }));
  EXPECT_FALSE(index_of_old);
  EXPECT_FALSE(secondary_.disk().Exists(kPart));
  EXPECT_FALSE(secondary_.Status().index().has_last_error());
  RunUntilFresh();
}

TEST_F(IndexKeeperTest, ASwapWhileItIsReadThrowsItAway) {
  BeginStreaming();
  RunIntoAnUpdate();
  const FileBuilder packed = Pack(file_);
  primary_.Pack(packed.bytes());
  file_ = packed;
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Data() == packed.bytes(); }));
  EXPECT_FALSE(secondary_.disk().Exists(kIndex));
  RunUntilFresh();
  EXPECT_FALSE(secondary_.Status().index().has_last_error());
}

TEST_F(IndexKeeperTest, NothingIsWrittenWhilePaused) {
  BeginStreaming();
  RunUntilFresh();
  Commit();
  secondary_.Pause();
  const std::string before = Index();
  world_.RunFor(10 * kInterval);
  EXPECT_TRUE(Index() == before);
  secondary_.Resume();
  RunUntilFresh();
}

TEST_F(IndexKeeperTest, APauseEndsTheOneThatIsUnderWay) {
  BeginStreaming();
  RunIntoAnUpdate();
  secondary_.Pause();  // it waits for its end
  EXPECT_FALSE(secondary_.disk().Exists(kIndex));
  EXPECT_FALSE(secondary_.disk().Exists(kPart));
  world_.RunFor(10 * kInterval);
  EXPECT_FALSE(secondary_.disk().Exists(kIndex));
  secondary_.Resume();
  RunUntilFresh();
}

TEST_F(IndexKeeperTest, AStopEndsTheOneThatIsUnderWay) {
  BeginStreaming();
  RunIntoAnUpdate();
  secondary_.Stop();
  EXPECT_FALSE(secondary_.disk().Exists(kIndex));
  EXPECT_FALSE(secondary_.disk().Exists(kPart));
  secondary_.Start();
  RunUntilState(secondary_, "streaming");
  RunUntilFresh();
}

TEST_F(IndexKeeperTest, APromotionEndsTheOneThatIsUnderWayAndScansTheRest) {
  BeginStreaming();
  RunUntilFresh();
  const uint64_t fresh = secondary_.Size();
  Commit();
  RunIntoAnUpdate();
  primary_.Stop();
  const tests::CapturedLog log;
  const v1::PromotedStorage promoted = secondary_.Promote(v1::PromoteRequest::UPSTREAM_MUST_BE_GONE);
  EXPECT_EQ(promoted.result(), v1::PromotedStorage::RESULT_PROMOTED) << promoted.message();
  EXPECT_THAT(promoted.notes(), IsEmpty());
  EXPECT_THAT(log.text(), HasSubstr(absl::StrCat(secondary_.Size() - fresh, " bytes were scanned, from ", fresh)));
  EXPECT_TRUE(Index() == ReferenceIndexOf(secondary_.Data()));
  EXPECT_FALSE(secondary_.Status().has_index());
}

TEST_F(IndexKeeperTest, ADiskWithoutRoomForItIsToldOnceAndReplicationGoesOn) {
  BeginStreaming();
  bool full = true;
  secondary_.disk().SetHook([&](const SimulatedOperation& operation) {
    const bool written = operation.kind == Kind::kWrite && absl::StartsWith(operation.path, kIndex);
    return full && written ? absl::ResourceExhaustedError("no room (simulated)") : absl::OkStatus();
  });
  const tests::CapturedLog log;
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().index().has_last_error(); }));
  for (int n = 0; n < 3; ++n) {
    Commit();
    world_.RunFor(2 * kInterval);
  }
  EXPECT_THAT(secondary_.Status().index().last_error(), HasSubstr("no room"));
  EXPECT_EQ(secondary_.Status().state(), "streaming");
  EXPECT_FALSE(secondary_.Status().has_error());
  EXPECT_TRUE(secondary_.serving());
  EXPECT_FALSE(secondary_.disk().Exists(kIndex));
  EXPECT_FALSE(secondary_.disk().Exists(kPart));
  const std::string said = log.text();
  EXPECT_EQ(said.find("is not brought up to date"), said.rfind("is not brought up to date"));
  EXPECT_THAT(said, HasSubstr("is not brought up to date"));
  full = false;
  RunUntilFresh();
  EXPECT_FALSE(secondary_.Status().index().has_last_error());
}

TEST_F(IndexKeeperTest, TheLastRoomIsLeftToReplication) {
  BeginStreaming();
  secondary_.disk().SetCapacity(uint64_t{8} << 20);
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().index().has_last_error(); }));
  EXPECT_THAT(secondary_.Status().index().last_error(), HasSubstr("left to the copy itself"));
  EXPECT_FALSE(secondary_.disk().Exists(kIndex));
  Commit();
}

// A file, and the index of each of its beginnings with where that ends.
struct Version {
  std::string bytes;
  std::map<std::string, uint64_t> ends;
};

Version VersionOf(const FileBuilder& file) {
  Version version{file.bytes(), {}};
  for (const auto& boundary : file.boundaries()) {
    version.ends[ReferenceIndexOf(file.bytes().substr(0, boundary.offset))] = boundary.offset;
  }
  return version;
}

// Of whatever a kill or a power loss leaves: an index, where there is one, is that of a beginning of the file.
TEST_F(IndexKeeperTest, ACrashAnywhereLeavesNoIndexOfAnotherFile) {
  BeginStreaming();
  CrashOutcomes outcomes({"/secondary"}, 4);
  std::vector<Version> versions = {VersionOf(file_)};
  const auto check = [&versions](SimulatedFileSystem& disk) {
    if (!disk.Exists(kIndex)) return;
    const std::string data = disk.Contents(kData);
    const tests::ReadIndexResult opened = tests::ReadIndexModel(data);
    ASSERT_FALSE(opened.refused) << opened.reason;
    const std::string index = disk.Contents(kIndex);
    bool of_this = false;
    for (const Version& version : versions) {
      if (!absl::StartsWith(version.bytes, absl::string_view(data).substr(0, opened.end))) continue;
      const auto end = version.ends.find(index);
      of_this = of_this || (end != version.ends.end() && end->second <= opened.end);
    }
    ASSERT_TRUE(of_this) << "an index of another file, or of what is not there";
  };
  secondary_.disk().SetHook([&](const SimulatedOperation& operation) {
    if (operation.IsChange() && !HasFailure()) outcomes.ForEach(secondary_.disk(), operation.number, check);
    return absl::OkStatus();
  });
  RunUntilFresh();
  const auto commit = [&](size_t count) {
    file_.AddMany(count, 500);
    versions.push_back(VersionOf(file_));
    Write();
  };
  commit(3);
  RunUntilFresh();
  for (int n = 0; n < 3; ++n) {
    commit(1);
    // So that an update is about to be put in place, or under way, when the packed file comes.
    world_.RunFor(kInterval - absl::Seconds(n));
    file_ = Pack(file_, 2);
    versions.push_back(VersionOf(file_));
    primary_.Pack(file_.bytes());
    EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Data() == file_.bytes(); }));
  }
  RunUntilState(secondary_, "streaming");
  RunUntilFresh();
  secondary_.disk().SetHook(nullptr);
}

}  // namespace
}  // namespace zrs::storage
