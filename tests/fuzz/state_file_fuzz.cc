// Any state file: refused with its path, or taken, and then what is saved of it is loaded to the same.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "sidecar/storage/state_file.h"
#include "tests/fuzz/one_input.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::fuzz {
namespace {

constexpr char kPath[] = "/main.state";

void LoadOnce(const std::string& bytes) {
  tests::SimulatedFileSystem files;
  files.SetContents(kPath, bytes);
  auto loaded = storage::StateFile(files, kPath).Load();
  EXPECT_EQ(files.Contents(kPath), bytes);
  if (!loaded.ok()) {
    EXPECT_TRUE(absl::StrContains(loaded.status().message(), kPath)) << loaded.status();
    return;
  }
  ASSERT_TRUE(loaded->has_value());
  ASSERT_TRUE(storage::StateFile(files, "/again.state").Save(**loaded).ok());
  auto again = storage::StateFile(files, "/again.state").Load();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->path, (*loaded)->path);
  EXPECT_EQ((*again)->role, (*loaded)->role);
  EXPECT_EQ((*again)->machine_id, (*loaded)->machine_id);
  EXPECT_EQ((*again)->lower_bound, (*loaded)->lower_bound);
  EXPECT_EQ((*again)->lineage.SerializeAsString(), (*loaded)->lineage.SerializeAsString());
}

}  // namespace
}  // namespace zrs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  zrs::fuzz::LoadOnce(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
