// A copy whose packed file takes its place, on a simulated disk: the whole way as a storage goes it, and what must hold
// after a crash anywhere on it.
#ifndef ZRS_TESTS_SIDECAR_STORAGE_SWAP_TEST_FIXTURE_H_
#define ZRS_TESTS_SIDECAR_STORAGE_SWAP_TEST_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "filestorage/boundary.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/replication/follower_session.h"
#include "sidecar/storage/options.h"
#include "sidecar/storage/secondary/copy_file.h"
#include "sidecar/storage/state_file.h"
#include "tests/sidecar/storage/crash_outcomes.h"
#include "tests/support/file_builder.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::storage {

inline constexpr char kPath[] = "/data/Data.fs";
inline constexpr char kOldPath[] = "/data/Data.fs.old";
inline constexpr char kNewPath[] = "/data/Data.fs.zrs-new";
inline constexpr char kIndexPath[] = "/data/Data.fs.index";
inline constexpr char kSavedPath[] = "/data/Data.fs.tr0";
inline constexpr char kForeignPath[] = "/data/Other.fs";
inline constexpr char kStatePath[] = "/state/1.state";
inline constexpr char kSwapTime[] = "2026-11-23T06:00:00.000001Z";

// What a swap finds.
struct SwapCase {
  std::string name;
  bool keep_old = true;
  bool older = false;  // there is a Data.fs.old of an earlier pack
  // The pack dropped nothing but the last transaction, of a file that was packed before: the new file is the beginning
  // of the old one.
  bool prefix = false;
};

// Transactions ]from, to] of the file.
replication::WriteGroup GroupOf(const tests::FileBuilder& file, size_t from, size_t to);

class SwapTest : public testing::TestWithParam<SwapCase> {
 protected:
  SwapTest() {
    MakeFiles();
    options_.name = "1";
    options_.node_id = std::string(16, 'n');
    options_.path = kPath;
    options_.state_path = kStatePath;
    options_.keep_old = GetParam().keep_old;
    disk_.SetContents(kPath, old_.bytes());
    disk_.SetContents(kIndexPath, "of the old file");
    disk_.SetContents(kSavedPath, "a saved tail");
    disk_.SetContents(kForeignPath, "of somebody else");
    if (GetParam().older) disk_.SetContents(kOldPath, kOlder);
    disk_.CreateDirectories("/state", 0755).IgnoreError();
    State state;
    state.path = kPath;
    state.role = "secondary";
    state.lineage = old_lineage_;
    state.lower_bound = old_.boundaries()[3];
    EXPECT_TRUE(StateFile(disk_, kStatePath).Save(state).ok());
  }

  // Opens the copy on `disk` and does all that is still to be done.
  absl::Status Run(tests::SimulatedFileSystem& disk) {
    CopyFile copy(options_, disk);
    return Open(copy);
  }
  absl::Status Open(CopyFile& copy) {
    auto found = copy.Open();
    if (!found.ok()) return found.status();
    return GoOn(copy, found->copy);
  }
  // From what is known of the copy; as a session and its storage do it, for what heals by itself too.
  absl::Status GoOn(CopyFile& copy, replication::Copy known);
  absl::Status Rebuild(CopyFile& copy, const replication::Copy& known);
  absl::Status WriteBehind(CopyFile& copy, const filestorage::Boundary& committed);

  // What holds after a crash at any moment.
  void Check(tests::SimulatedFileSystem& disk);
  void CheckOpener(const tests::SimulatedFileSystem& disk);
  void CheckFinished(tests::SimulatedFileSystem& disk);
  // The whole way, with `look` called before each change.
  void RunWithLook(tests::SimulatedFileSystem& disk, const std::function<void(uint64_t operation)>& look);
  // The same once more, of a start on what a crash left.
  void CheckCrashesOfStart(const tests::SimulatedFileSystem& left, uint64_t salt, CrashOutcomes& outcomes);
  uint64_t CountOperations() {
    const auto disk = disk_.Clone();
    EXPECT_TRUE(Run(*disk).ok());
    return disk->operations();
  }

  static constexpr char kOlder[] = "of an earlier pack";
  tests::FileBuilder old_;
  tests::FileBuilder new_;    // where it is when it takes the old one's place
  tests::FileBuilder after_;  // and later
  v1::Lineage old_lineage_;
  v1::Lineage new_lineage_;
  StorageOptions options_;
  tests::SimulatedFileSystem disk_;

 private:
  void MakeFiles();
};

// All that is tried.
inline auto SwapCases() {
  return testing::Values(SwapCase{"KeepOld"}, SwapCase{"KeepOldWithAnOlderOne", true, true},
                         SwapCase{"WithoutKeepOld", false}, SwapCase{"WithoutKeepOldWithAnOlderOne", false, true},
                         SwapCase{"ThePackedFileIsTheBeginningOfTheOldOne", true, false, true});
}
inline std::string SwapCaseName(const testing::TestParamInfo<SwapCase>& test) { return test.param.name; }

}  // namespace zrs::storage

#endif  // ZRS_TESTS_SIDECAR_STORAGE_SWAP_TEST_FIXTURE_H_
