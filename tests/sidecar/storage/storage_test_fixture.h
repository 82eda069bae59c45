// A world for storages, for their tests.
#ifndef ZRS_TESTS_SIDECAR_STORAGE_STORAGE_TEST_FIXTURE_H_
#define ZRS_TESTS_SIDECAR_STORAGE_STORAGE_TEST_FIXTURE_H_

#include <gtest/gtest.h>

#include <string>

#include "spdlog/spdlog.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {

class StorageTest : public ::testing::Test {
 protected:
  StorageTest() { spdlog::set_level(spdlog::level::off); }

  // Runs the world until `state` (or a minute is over, which is a failure).
  void RunUntilState(Machine& machine, const std::string& state) {
    EXPECT_TRUE(world_.RunUntil([&] { return machine.Status().state() == state; })) << machine.Status().DebugString();
  }
  void RunUntilEqual(Machine& a, Machine& b) {
    EXPECT_TRUE(world_.RunUntil([&] { return a.Size() == b.Size() && a.Data() == b.Data(); }))
        << b.Status().DebugString();
  }

  // Where the nth transaction of `file_` begins, from 0 on.
  uint64_t At(size_t n) const { return file_.boundaries()[n].offset; }

  World world_;
  tests::FileBuilder file_ = tests::FileBuilder().AddMany(40, 900);
};

// The same with a primary and a secondary of it.
class PairTest : public StorageTest {
 protected:
  // Both run and have the file.
  void Begin() {
    primary_.Write(file_.bytes());
    primary_.Start();
    secondary_.Start();
    RunUntilEqual(primary_, secondary_);
  }

  Machine primary_{world_, "primary", ""};
  Machine secondary_{world_, "secondary", "primary"};
};

}  // namespace zrs::storage

#endif  // ZRS_TESTS_SIDECAR_STORAGE_STORAGE_TEST_FIXTURE_H_
