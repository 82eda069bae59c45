// A secondary that is itself still being copied, and followers of it that have what it has not yet.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/time/time.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/pack_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using testing::HasSubstr;

// `leaf_` follows `middle_`, which follows the primary, and has lost its copy.
class IncompleteUpstreamTest : public StorageTest {
 protected:
  void BeginAll() {
    primary_.Write(file_.bytes());
    for (Machine* machine : {&primary_, &middle_, &leaf_}) machine->Start();
    RunUntilEqual(primary_, leaf_);
    leaf_.Stop();
    middle_.Stop();
    for (const char* path : {"/middle/Data.fs", "/state/middle.state"}) ASSERT_TRUE(middle_.disk().Remove(path).ok());
  }

  // The middle gets the first part of a new copy, and then nothing for a while, in which the leaf comes.
  void CopyAPart() {
    middle_.Start();
    ASSERT_TRUE(world_.RunUntil([&] { return middle_.Size() > 4; }));
    world_.network().Block("primary", "middle", absl::Minutes(30));
    world_.network().Cut("primary", "middle", /*half_open=*/false);
    world_.RunFor(absl::Seconds(1));
    ASSERT_LT(middle_.Size(), primary_.Size());
    leaf_.Start();
  }

  // Nothing is wrong with the leaf: it has to wait.
  void ExpectPatience() {
    const absl::Duration end = world_.queue().now() + absl::Seconds(20);
    while (world_.queue().now() < end) {
      const v1::StorageStatus status = leaf_.Status();
      ASSERT_NE(status.state(), "diverged") << status.error().message();
      world_.RunFor(absl::Milliseconds(100));
    }
    EXPECT_THAT(leaf_.Status().error().message(), HasSubstr("the publisher's own copy is not complete yet"));
  }

  void ExpectCopies() {
    world_.network().Unblock();
    RunUntilEqual(primary_, middle_);
    RunUntilEqual(primary_, leaf_);
    RunUntilState(leaf_, "streaming");
    EXPECT_FALSE(leaf_.Status().has_error()) << leaf_.Status().error().message();
  }

  Machine primary_{world_, "primary", ""};
  Machine middle_{world_, "middle", "primary"};
  Machine leaf_{world_, "leaf", "middle"};
};

TEST_F(IncompleteUpstreamTest, AFollowerThatHasMoreWaitsUntilItsUpstreamHasItToo) {
  file_.AddMany(10, 300'000);
  BeginAll();
  CopyAPart();
  const std::string copy = leaf_.Data();
  ExpectPatience();
  EXPECT_TRUE(leaf_.Data() == copy);
  ExpectCopies();
  EXPECT_FALSE(leaf_.disk().Exists("/leaf/Data.fs.tr0"));
}

TEST_F(IncompleteUpstreamTest, APackIsNotJudgedByItsBeginning) {
  file_.AddMany(10, 300'000);
  BeginAll();
  const std::string copy = leaf_.Data();
  FileBuilder packed = Pack(file_);
  packed.AddMany(10, 300'000);
  const std::string epoch = primary_.Status().epoch();
  primary_.Pack(packed.bytes());
  ASSERT_TRUE(world_.RunUntil([&] { return primary_.serving() && primary_.Status().epoch() != epoch; }))
      << primary_.Status().DebugString();
  CopyAPart();
  ExpectPatience();
  EXPECT_TRUE(leaf_.Data() == copy);
  ExpectCopies();
  EXPECT_TRUE(leaf_.disk().Contents("/leaf/Data.fs.old") == copy);
}

}  // namespace
}  // namespace zrs::storage
