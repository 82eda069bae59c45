// Files that were put back by cp or rsync, and devices that got other numbers at a reboot: the same bytes under another
// inode cost a look at the last transaction, and no copy.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "tests/sidecar/storage/pack_test_fixture.h"
#include "tests/support/file_builder.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::storage {
namespace {

using Kind = tests::SimulatedOperation::Kind;

class RestoredFileTest : public PackTest {
 protected:
  // Of many more reads than a few.
  RestoredFileTest() { file_.AddMany(30, 100'000); }

  static uint64_t InodeOf(Machine& machine) { return machine.disk().Stat("/" + machine.name() + "/Data.fs")->inode; }
  void Restore(Machine& machine) {
    const uint64_t before = InodeOf(machine);
    machine.Replace(machine.Data());
    ASSERT_NE(InodeOf(machine), before);
  }
  // Of the data file and of one beside it, from now on.
  using Operations = std::map<Kind, int>;
  static std::shared_ptr<Operations> Count(Machine& machine) {
    auto counted = std::make_shared<Operations>();
    machine.disk().SetHook([counted, path = "/" + machine.name() + "/Data.fs"](const tests::SimulatedOperation& one) {
      if (one.path == path || one.path == path + ".zrs-new") ++(*counted)[one.kind];
      return absl::OkStatus();
    });
    return counted;
  }
  static void ExpectNoCopy(const std::string& name, Operations operations) {
    EXPECT_LE(operations[Kind::kRead], 20) << name;
    EXPECT_EQ(operations[Kind::kWrite], 0) << name;
    EXPECT_EQ(operations[Kind::kRename], 0) << name;
  }
};

TEST_F(RestoredFileTest, TheSameBytesUnderAnotherInodeAreTheSameFileOnBothSides) {
  Begin();
  RunUntilFollowed();
  const std::string epoch = primary_.Status().epoch();
  primary_.Stop();
  secondary_.Stop();
  Restore(primary_);
  Restore(secondary_);
  const uint64_t inode = InodeOf(secondary_);
  const auto of_primary = Count(primary_);
  const auto of_secondary = Count(secondary_);
  primary_.Start();
  secondary_.Start();
  RunUntilFollowed();
  EXPECT_EQ(primary_.Status().epoch(), epoch);
  EXPECT_EQ(InodeOf(secondary_), inode);
  ExpectNoCopy("primary", *of_primary);
  ExpectNoCopy("secondary", *of_secondary);
  file_.AddMany(1, 100);
  primary_.Write(file_.bytes());
  RunUntilFollowed();
  EXPECT_EQ(InodeOf(secondary_), inode) << "it goes on in that file";
}

// What a pack left beside it is not taken for the file that was replaced.
TEST_F(RestoredFileTest, AlsoWhereAnOldFileOfAPackLiesBesideIt) {
  Begin();
  tests::FileBuilder packed = Pack(file_);
  primary_.Pack(packed.bytes());
  RunUntilFollowed();
  packed.AddMany(2, 100);
  primary_.Write(packed.bytes());
  RunUntilFollowed();
  const std::string epoch = primary_.Status().epoch();
  primary_.Stop();
  secondary_.Stop();
  Restore(primary_);
  Restore(secondary_);
  const uint64_t inode = InodeOf(secondary_);
  primary_.Start();
  secondary_.Start();
  RunUntilFollowed();
  EXPECT_EQ(primary_.Status().epoch(), epoch);
  EXPECT_EQ(InodeOf(secondary_), inode);
}

// The primary's sidecar runs on meanwhile, and sees the name lead to another file.
TEST_F(RestoredFileTest, AlsoUnderASidecarThatRuns) {
  Begin();
  RunUntilFollowed();
  const std::string epoch = primary_.Status().epoch();
  const uint64_t inode = InodeOf(secondary_);
  Restore(primary_);
  world_.RunFor(absl::Seconds(5));
  RunUntilFollowed();
  EXPECT_EQ(primary_.Status().epoch(), epoch);
  EXPECT_EQ(InodeOf(secondary_), inode);
  EXPECT_FALSE(secondary_.disk().Exists("/secondary/Data.fs.old"));
}

}  // namespace
}  // namespace zrs::storage
