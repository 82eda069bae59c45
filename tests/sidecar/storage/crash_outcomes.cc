#include "tests/sidecar/storage/crash_outcomes.h"

#include <gtest/gtest.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace zrs::storage {

using tests::SimulatedFileSystem;

CrashOutcomes::CrashOutcomes(std::vector<std::string> directories, uint64_t seeds)
    : directories_(std::move(directories)), seeds_(seeds) {}

void CrashOutcomes::ForEach(const SimulatedFileSystem& disk, uint64_t salt,
                            const std::function<void(SimulatedFileSystem&)>& visit) {
  {
    SCOPED_TRACE("killed");
    visit(*disk.Clone());
  }
  tests::LoseEverything lose;
  Visit(disk, "everything unsynced lost", lose, visit);
  tests::KeepEverything keep;
  Visit(disk, "everything kept", keep, visit);
  for (uint64_t i = 0; i < seeds_; ++i) {
    tests::SeededChooser chooser(salt * 1000 + i);
    Visit(disk, absl::StrCat("seed ", salt * 1000 + i), chooser, visit);
  }
}

void CrashOutcomes::Visit(const SimulatedFileSystem& disk, const std::string& what, tests::CrashChooser& chooser,
                          const std::function<void(SimulatedFileSystem&)>& visit) {
  if (testing::Test::HasFailure()) return;
  SCOPED_TRACE(what);
  const auto clone = disk.Clone();
  clone->Crash(chooser);
  if (seen_.insert(Fingerprint(*clone)).second) visit(*clone);
}

std::string CrashOutcomes::Fingerprint(SimulatedFileSystem& disk) const {
  std::string all;
  for (const std::string& directory : directories_) {
    for (const std::string& name : disk.List(directory).value_or(std::vector<std::string>())) {
      const std::string contents = disk.Contents(absl::StrCat(directory, "/", name));
      absl::StrAppend(&all, name, " ", contents.size(), " ", contents, "\n");
    }
  }
  return all;
}

}  // namespace zrs::storage
