// What a storage tells of itself while it works: progress, and how far behind its followers are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sidecar/storage/status_fields.h"
#include "spdlog/spdlog.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using tests::FileBuilder;

class StorageStatusTest : public ::testing::Test {
 protected:
  StorageStatusTest() { spdlog::set_level(spdlog::level::off); }

  World world_;
  FileBuilder file_ = FileBuilder().AddMany(40, 900);
};

TEST_F(StorageStatusTest, WithoutFreshHeartbeatsASecondaryCannotTellHowFarItsFollowersAreBehind) {
  Machine primary(world_, "primary", "");
  Machine middle(world_, "middle", "primary");
  Machine last(world_, "last", "middle");
  primary.Write(file_.bytes());
  for (Machine* machine : {&primary, &middle, &last}) machine->Start();
  EXPECT_TRUE(world_.RunUntil([&] { return last.Data() == primary.Data() && last.Status().has_lag_bytes(); }));
  primary.Stop();
  EXPECT_TRUE(world_.RunUntil([&] { return !middle.Status().has_lag_bytes(); }));
  const v1::StorageStatus status = middle.Status();
  ASSERT_EQ(status.followers_size(), 1);
  EXPECT_EQ(status.followers(0).acknowledged(), file_.size());
  EXPECT_FALSE(status.followers(0).has_lag_bytes());
  EXPECT_FALSE(status.followers(0).has_lag_seconds());
}

// Between the attempts to write, too.
TEST_F(StorageStatusTest, WhatAFullDiskHasNoRoomForIsLag) {
  Machine primary(world_, "primary", "");
  Machine secondary(world_, "secondary", "primary");
  primary.Write(file_.bytes());
  primary.Start();
  secondary.Start();
  EXPECT_TRUE(
      world_.RunUntil([&] { return secondary.Data() == primary.Data() && secondary.Status().has_lag_bytes(); }));
  const uint64_t before = file_.size();
  secondary.disk().SetCapacity(before);
  primary.Write(file_.AddMany(1, 1000).bytes());
  EXPECT_TRUE(world_.RunUntil([&] { return secondary.Status().state() == "disk-full"; }));
  double seconds = 0;
  for (int i = 0; i < 200; ++i) {
    const v1::StorageStatus status = secondary.Status();
    ASSERT_EQ(status.state(), "disk-full");
    if (status.has_lag_bytes()) {
      ASSERT_EQ(status.lag_bytes(), file_.size() - before) << i;
      ASSERT_GE(status.lag_seconds(), seconds) << i;
      seconds = status.lag_seconds();
    }
    world_.RunFor(absl::Milliseconds(50));
  }
  secondary.disk().SetCapacity(10 * before);
  EXPECT_TRUE(world_.RunUntil([&] { return secondary.Status().state() == "streaming"; }));
  EXPECT_TRUE(world_.RunUntil([&] { return secondary.Status().lag_bytes() == 0; }));
}

TEST_F(StorageStatusTest, AFollowerOfASecondaryIsBehindThePrimaryAsMuchAsThatIs) {
  Machine primary(world_, "primary", "");
  Machine middle(world_, "middle", "primary");
  Machine last(world_, "last", "middle");
  primary.Write(file_.bytes());
  for (Machine* machine : {&primary, &middle, &last}) machine->Start();
  const auto follower = [&] {
    const v1::StorageStatus status = middle.Status();
    return status.followers_size() == 1 ? status.followers(0) : v1::Follower();
  };
  EXPECT_TRUE(world_.RunUntil([&] { return follower().has_lag_bytes() && follower().lag_bytes() == 0; }));
  EXPECT_EQ(follower().lag_seconds(), 0);
  // What is committed now is missing at both.
  middle.HoldIo(absl::Seconds(20));
  const uint64_t before = file_.size();
  primary.Write(file_.AddMany(1, 1000).bytes());
  EXPECT_TRUE(world_.RunUntil([&] { return middle.Status().lag_bytes() > 0; }));
  EXPECT_EQ(follower().acknowledged(), before);
  EXPECT_EQ(follower().lag_bytes(), file_.size() - before);
  EXPECT_GE(follower().lag_seconds(), 1);
  EXPECT_TRUE(world_.RunUntil([&] { return follower().lag_bytes() == 0; }));
}

TEST_F(StorageStatusTest, AFirstCopyHasProgressUntilItIsThere) {
  Machine primary(world_, "primary", "");
  Machine secondary(world_, "secondary", "primary");
  file_.AddMany(40, 100'000);
  primary.Write(file_.bytes());
  primary.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return primary.Status().committed_end() == file_.size(); }));
  secondary.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary.Status().progress().has_rate(); }));
  const v1::StorageStatus status = secondary.Status();
  EXPECT_EQ(status.state(), "copying");
  EXPECT_EQ(status.progress().bytes(), status.committed_end());
  EXPECT_EQ(status.progress().total(), file_.size());
  EXPECT_GT(status.progress().seconds_left(), 0);
  EXPECT_TRUE(world_.RunUntil([&] { return secondary.Status().state() == "streaming"; }));
  EXPECT_FALSE(secondary.Status().has_progress());
}

// A primary reports after 64 MiB of looking through its file.
TEST_F(StorageStatusTest, APrimarysFirstLookThroughItsFileHasProgress) {
  Machine primary(world_, "primary", "");
  file_.AddMany(75, 500'000);
  primary.Write(file_.bytes());
  primary.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return primary.Status().progress().has_rate(); }));
  v1::StorageStatus status = primary.Status();
  EXPECT_EQ(status.progress().bytes(), status.committed_end());
  EXPECT_EQ(status.progress().total(), file_.size());
  EXPECT_TRUE(world_.RunUntil([&] { return !primary.Status().has_progress(); }));
  EXPECT_EQ(primary.Status().committed_end(), file_.size());
  // What comes later is no long work.
  primary.Write(file_.AddMany(1, 1000).bytes() + "incomplete");
  EXPECT_TRUE(world_.RunUntil([&] {
    status = primary.Status();
    return status.has_progress() || status.committed_end() == file_.size();
  }));
  EXPECT_FALSE(status.has_progress());
}

TEST(FillProgress, ARateOnceSomethingWasDone) {
  v1::Progress progress;
  FillProgress({.start = 100, .done = 100, .total = 1100, .elapsed = absl::Seconds(5)}, progress);
  EXPECT_EQ(progress.bytes(), 100u);
  EXPECT_EQ(progress.total(), 1100u);
  EXPECT_FALSE(progress.has_rate());
  EXPECT_FALSE(progress.has_seconds_left());
  FillProgress({.start = 100, .done = 600, .total = 1100, .elapsed = absl::Seconds(5)}, progress);
  EXPECT_EQ(progress.rate(), 100);
  EXPECT_EQ(progress.seconds_left(), 5);
}

TEST(FillProgress, WithoutTimeThereIsNoRate) {
  v1::Progress progress;
  FillProgress({.start = 0, .done = 600, .total = 1100, .elapsed = absl::ZeroDuration()}, progress);
  EXPECT_FALSE(progress.has_rate());
}

TEST(FillProgress, ATotalThatIsBehindIsWhatWasDone) {
  v1::Progress progress;
  FillProgress({.start = 0, .done = 600, .total = 500, .elapsed = absl::Seconds(1)}, progress);
  EXPECT_EQ(progress.total(), 600u);
  EXPECT_EQ(progress.seconds_left(), 0);
}

TEST(FillPosition, WithoutATransactionThereIsNoTid) {
  v1::StorageStatus status;
  filestorage::Boundary end;
  end.offset = 4;
  FillPosition(end, status);
  EXPECT_EQ(status.committed_end(), 4u);
  EXPECT_FALSE(status.has_last_tid());
  EXPECT_FALSE(status.has_last_tid_time());
}

TEST(FillPosition, ATidThatIsNoTimeHasNone) {
  v1::StorageStatus status;
  constexpr uint64_t kFebruary31 = ((uint64_t{1} * 12 + 1) * 31 + 30) * 1440 << 32;
  filestorage::Boundary end;
  end.offset = 1000;
  end.tid = kFebruary31;
  FillPosition(end, status);
  EXPECT_TRUE(status.has_last_tid());
  EXPECT_FALSE(status.has_last_tid_time());
}

TEST_F(StorageStatusTest, TooFewDescriptorsAtTheStartAreWaitedFor) {
  Machine primary(world_, "primary", "");
  Machine secondary(world_, "secondary", "primary");
  primary.Write(file_.bytes());
  for (Machine* machine : {&primary, &secondary}) machine->Start();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary.serving(); }));
  for (Machine* machine : {&primary, &secondary}) machine->Stop();
  for (Machine* machine : {&primary, &secondary}) {
    machine->disk().SetHook([](const tests::SimulatedOperation& operation) {
      const bool open = operation.kind == tests::SimulatedOperation::Kind::kOpen;
      return open ? absl::AbortedError("open: Too many open files") : absl::OkStatus();
    });
    machine->Start();
    EXPECT_TRUE(world_.RunUntil([&] { return machine->Status().has_error(); }));
    EXPECT_THAT(machine->Status().error().message(), testing::HasSubstr("Too many open files"));
    EXPECT_THAT(machine->Status().error().remedy(), testing::HasSubstr("by itself"));
  }
  for (Machine* machine : {&primary, &secondary}) machine->disk().SetHook(nullptr);
  EXPECT_TRUE(world_.RunUntil([&] { return secondary.serving(); }));
  EXPECT_EQ(secondary.Data(), primary.Data());
}

}  // namespace
}  // namespace zrs::storage
