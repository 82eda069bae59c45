// Any file: verify answers, leaves it as it is, and what it calls sound is so up to where it says.
#include <gtest/gtest.h>

#include <string>

#include "filestorage/boundary_probe.h"
#include "filestorage/verify.h"
#include "tests/fuzz/one_input.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::fuzz {
namespace {

constexpr char kPath[] = "/Data.fs";

void VerifyOnce(const std::string& bytes) {
  tests::SimulatedFileSystem files;
  files.SetContents(kPath, bytes);
  const absl::StatusOr<filestorage::VerifyReport> report = filestorage::Verify(files, kPath, nullptr);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(files.Contents(kPath), bytes);
  EXPECT_EQ(report->file_size, bytes.size());
  EXPECT_LE(report->end.offset, bytes.size());
  EXPECT_EQ(report->sound, report->reason.empty()) << report->reason;
  if (report->end.offset == 0) return;
  const auto file = files.OpenForReading(kPath);
  const auto magic = filestorage::ParseMagic(bytes.substr(0, 4));
  EXPECT_TRUE(filestorage::HasBoundary(**file, *magic, report->end).value());
  if (report->sound) return;
  // What is before the damage is a sound file.
  files.SetContents(kPath, bytes.substr(0, report->end.offset));
  EXPECT_TRUE(filestorage::Verify(files, kPath, nullptr)->sound);
}

}  // namespace
}  // namespace zrs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  zrs::fuzz::VerifyOnce(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
