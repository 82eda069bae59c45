// A secondary's file that no state tells of, as after the state was lost, while something goes wrong.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/storage_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

class SeedTest : public PairTest {};

// As where the state was lost while the copy followed a pack.
TEST_F(SeedTest, WhatLiesBesideItIsNotInTheWayOfThePacksToCome) {
  tests::FileBuilder packed;
  packed.Add({.tid = file_.end().tid, .status = 'p', .records = {{.oid = 3, .data = "x"}}});
  for (const std::string& beside : {std::string("FS30"), file_.bytes().substr(0, 9000)}) {
    SCOPED_TRACE(beside.size());
    Machine secondary(world_, absl::StrCat("secondary", beside.size()), "primary");
    const std::string path = absl::StrCat("/", secondary.name(), "/Data.fs.zrs-new");
    primary_.Write(file_.bytes());
    primary_.Start();
    secondary.Write(file_.bytes());
    secondary.disk().SetContents(path, beside);
    secondary.Start();
    RunUntilState(secondary, "streaming");
    primary_.Pack(packed.bytes());
    RunUntilEqual(primary_, secondary);
    EXPECT_EQ(secondary.disk().Contents(path + "1"), beside.size() > 4 ? beside : "");
    primary_.Stop();
    ASSERT_TRUE(primary_.disk().Remove("/state/primary.state").ok());
  }
}

TEST_F(SeedTest, ItIsComparedAgainAfterTheConnectionBrokeAtAnyMoment) {
  primary_.Write(file_.bytes());
  primary_.Start();
  for (int moment = 0; moment < 60; ++moment) {
    SCOPED_TRACE(moment);
    Machine secondary(world_, absl::StrCat("secondary", moment), "primary");
    secondary.Write(file_.bytes());
    secondary.Start();
    world_.RunFor(moment * absl::Microseconds(100));
    secondary.HoldIo(absl::Seconds(1));  // while the upstream's answer comes
    world_.RunFor(absl::Milliseconds(200));
    world_.network().Cut(secondary.name(), "primary", /*half_open=*/false);
    RunUntilState(secondary, "streaming");
    secondary.Stop();
  }
}

}  // namespace
}  // namespace zrs::storage
