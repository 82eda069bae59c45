// Power losses while what another program left behind the committed end is saved and cut.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/filestorage/appender_crash_harness.h"
#include "tests/support/read_index_model.h"

namespace zrs::filestorage {
namespace {

using tests::FileBuilder;
using tests::SimulatedFileSystem;
using tests::SimulatedOperation;

// What another program left behind the committed end is in the file or in a saved tail at every moment; and the crash
// of a recovery never makes ZODB refuse a file that it took before.
class ForeignTailCrashTest : public testing::TestWithParam<size_t> {
 protected:
  static constexpr uint64_t kEnd = 4000;

  void CheckRecoveryOf(const std::string& tail) {
    const std::string sound = EndingAt(kEnd).bytes();
    SimulatedFileSystem disk(GetParam());
    disk.SetContents(kPath, sound + tail);
    const bool refused = tests::ReadIndexModel(sound + tail).refused;
    uint64_t seed = 0;
    const auto check = [&](const SimulatedOperation& operation) {
      for (int i = 0; i < 100 && operation.IsChange() && !HasFailure(); ++i) {
        SCOPED_TRACE(absl::StrCat("seed ", ++seed, ", before operation ", operation.number));
        tests::SeededChooser chooser(seed);
        const auto crashed = disk.Clone();
        crashed->Crash(chooser);
        const tests::ReadIndexResult result = tests::ReadIndexModel(crashed->Contents(kPath));
        EXPECT_TRUE(refused || !result.refused) << result.reason;
        EXPECT_TRUE(result.refused || result.end == kEnd || crashed->Contents(kPath) == sound + tail);
        CheckRecovered(*crashed, sound, tail);
      }
      return absl::OkStatus();
    };
    disk.SetHook(check);
    CheckRecovered(disk, sound, tail);
  }

  void CheckRecovered(SimulatedFileSystem& disk, const std::string& sound, const std::string& tail) {
    Recovery recovery;
    ASSERT_TRUE(Appender::Open(disk, kPath, Boundary{}, &recovery).ok());
    ASSERT_EQ(disk.Contents(kPath), sound);
    bool saved = false;
    for (int n = 0; n < 3; ++n) saved = saved || disk.Contents(absl::StrCat(kPath, ".tr", n)) == tail;
    ASSERT_TRUE(saved);
  }
};

INSTANTIATE_TEST_SUITE_P(PageSize, ForeignTailCrashTest, testing::Values(512, 4096), testing::PrintToStringParamName());

TEST_P(ForeignTailCrashTest, ATransactionCutShort) {
  CheckRecoveryOf(EndingAt(kEnd).Add(Transaction(2, 6000)).bytes().substr(kEnd, 5000));
}

TEST_P(ForeignTailCrashTest, ATransactionThatOnlyZodbTakes) {
  CheckRecoveryOf(EndingAt(kEnd).Add(Transaction(2, 6000, 'x')).bytes().substr(kEnd));
}

TEST_P(ForeignTailCrashTest, AnUnsoundTransactionWithSoundOnesBehindIt) {
  FileBuilder builder = EndingAt(kEnd);
  builder.Add(Transaction(2, 3000)).Add(Transaction(3, 3000));
  std::string tail = builder.bytes().substr(kEnd);
  tail[builder.boundaries()[2].offset - kEnd - 1] ^= 1;
  CheckRecoveryOf(tail);
}

TEST_P(ForeignTailCrashTest, AHeaderOfZerosWithATransactionsEndBehindIt) {
  CheckRecoveryOf(std::string(5000, '\0') + EncodeUint64(200));
}

TEST_P(ForeignTailCrashTest, AHeaderAlone) {
  CheckRecoveryOf(EndingAt(kEnd).Add(Transaction(2, 10)).bytes().substr(kEnd, 23));
}

}  // namespace
}  // namespace zrs::filestorage
