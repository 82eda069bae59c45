// A primary and a secondary of a file that another takes the place of.
#ifndef ZRS_TESTS_SIDECAR_STORAGE_PACK_TEST_FIXTURE_H_
#define ZRS_TESTS_SIDECAR_STORAGE_PACK_TEST_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/storage_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {

using tests::FileBuilder;

// What a pack makes of `file`: of its first transactions only each `keep`-th is left, the last one among them, and all
// are marked as packed.
inline FileBuilder Pack(const FileBuilder& file, size_t keep = 3) {
  FileBuilder packed(file.magic());
  const size_t last = file.boundaries().size() - 1;
  for (size_t n = 1; n <= last; ++n) {
    if (n % keep != last % keep) continue;
    packed.Add({.tid = file.boundaries()[n].tid,
                .status = filestorage::kStatusPacked,
                .records = {{.oid = n, .data = std::string(700, 'p')}}});
  }
  return packed;
}

class PackTest : public PairTest {
 protected:
  void RunUntilFollowed() {
    EXPECT_TRUE(world_.RunUntil([&] {
      return primary_.Size() == secondary_.Size() && primary_.Data() == secondary_.Data() &&
             primary_.Status().epoch() == secondary_.Status().epoch() && primary_.serving() && secondary_.serving();
    })) << secondary_.Status().DebugString();
    RunUntilState(secondary_, "streaming");
    EXPECT_EQ(secondary_.Status().database_id(), primary_.Status().database_id());
    EXPECT_FALSE(secondary_.disk().Exists("/secondary/Data.fs.zrs-new"));
  }
  // Nothing is changed at the secondary, and both sides say why.
  void ExpectDiverged(const std::string& copy) {
    RunUntilState(primary_, "diverged");
    RunUntilState(secondary_, "diverged");
    world_.RunFor(absl::Seconds(30));
    EXPECT_TRUE(secondary_.Data() == copy);
    EXPECT_FALSE(primary_.serving());
    EXPECT_FALSE(secondary_.serving());
    for (Machine* machine : {&primary_, &secondary_}) {
      EXPECT_THAT(machine->Status().error().message(), testing::HasSubstr("pack of it"));
      EXPECT_THAT(machine->Status().error().remedy(), testing::Not(testing::IsEmpty()));
    }
    EXPECT_FALSE(secondary_.disk().Exists("/secondary/Data.fs.old"));
  }
  std::string OldOfSecondary() { return secondary_.disk().Contents("/secondary/Data.fs.old"); }
};

}  // namespace zrs::storage

#endif  // ZRS_TESTS_SIDECAR_STORAGE_PACK_TEST_FIXTURE_H_
