// What a secondary does when somebody takes its file from under it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "absl/time/time.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/storage_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using testing::HasSubstr;

constexpr char kCopy[] = "/secondary/Data.fs";

struct Way {
  const char* name;
  std::function<void(Machine&)> take;
  const char* words;  // in the status
};

class CopyTakenAwayTest : public PairTest, public testing::WithParamInterface<Way> {
 protected:
  void SetUp() override {
    Begin();
    RunUntilState(secondary_, "streaming");
    world_.RunFor(absl::Seconds(10));
    GetParam().take(secondary_);
    left_ = secondary_.disk().Exists(kCopy) ? secondary_.Data() : "";
  }
  void ExpectStopped() {
    RunUntilState(secondary_, "stopped");
    EXPECT_THAT(secondary_.Status().error().message(), HasSubstr(GetParam().words));
    EXPECT_FALSE(secondary_.serving());
    secondary_.Stop();
    EXPECT_EQ(secondary_.disk().Exists(kCopy) ? secondary_.Data() : "", left_) << "nothing was written to it";
  }

  std::string left_;  // what is there afterwards
};

TEST_P(CopyTakenAwayTest, WhatIsCommittedThenIsNotAcknowledged) {
  primary_.Write(file_.AddMany(1, 500).bytes());
  EXPECT_NE(primary_.Wait(1, absl::Seconds(10)).result(), v1::WaitResponse::RESULT_DONE);
  ExpectStopped();
}

TEST_P(CopyTakenAwayTest, ATransactionOfManyWritesIsNotBegun) {
  primary_.Write(file_.AddMany(1, 20'000'000).bytes());
  ExpectStopped();
}

TEST_P(CopyTakenAwayTest, ItIsNoticedWhileNobodyCommits) {
  const absl::Duration began = world_.queue().now();
  ExpectStopped();
  EXPECT_LE(world_.queue().now() - began, absl::Seconds(10));
}

INSTANTIATE_TEST_SUITE_P(
    Ways, CopyTakenAwayTest,
    testing::Values(
        Way{"Removed", [](Machine& machine) { ASSERT_TRUE(machine.disk().Remove(kCopy).ok()); }, "taken it away"},
        Way{"Renamed", [](Machine& machine) { ASSERT_TRUE(machine.disk().Rename(kCopy, "/secondary/elsewhere").ok()); },
            "taken it away"},
        Way{"Replaced",
            [](Machine& machine) {
              machine.disk().SetContents("/secondary/older", machine.Data().substr(0, 3000));
              ASSERT_TRUE(machine.disk().Rename("/secondary/older", kCopy).ok());
            },
            "another file in its place"},
        Way{"CutOff",
            [](Machine& machine) {
              auto file = machine.disk().OpenForWriting(kCopy);
              ASSERT_TRUE(file.ok() && (*file)->Truncate(3000).ok());
            },
            "cut it off: it has 3000 bytes"}),
    [](const testing::TestParamInfo<Way>& way) { return std::string(way.param.name); });

}  // namespace
}  // namespace zrs::storage
