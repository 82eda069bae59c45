// Committed transactions are given up: what is behind is saved first, and a power loss on the way leaves a committed
// prefix.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "filestorage/appender.h"
#include "tests/support/file_builder.h"
#include "tests/support/read_index_model.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::filestorage {
namespace {

using tests::SimulatedFileSystem;
using tests::SimulatedOperation;

constexpr char kPath[] = "Data.fs";
constexpr auto kNoteNothing = [] { return absl::OkStatus(); };

class CutBackTest : public testing::TestWithParam<size_t> {
 protected:
  CutBackTest() : disk_(GetParam()) {
    file_.AddMany(8, 1500);
    disk_.SetContents(kPath, file_.bytes());
  }

  std::unique_ptr<Appender> Open(SimulatedFileSystem& disk, const Boundary& lower_bound) {
    Recovery recovery;
    auto appender = Appender::Open(disk, kPath, lower_bound, &recovery);
    EXPECT_TRUE(appender.ok()) << appender.status();
    return appender.ok() ? *std::move(appender) : nullptr;
  }

  std::string Behind(const Boundary& end) const { return file_.bytes().substr(end.offset); }

  // Of a crash: a committed prefix that has all up to `end`; and what is not in it was saved.
  void Check(SimulatedFileSystem& crashed, const Boundary& end) {
    const tests::ReadIndexResult result = tests::ReadIndexModel(crashed.Contents(kPath));
    ASSERT_FALSE(result.refused) << result.reason;
    ASSERT_GE(result.end, end.offset);
    ASSERT_EQ(crashed.Contents(kPath).substr(0, result.end), file_.bytes().substr(0, result.end));
    const auto appender = Open(crashed, end);
    ASSERT_NE(appender, nullptr);
    ASSERT_EQ(appender->committed().offset, result.end);
    if (result.end == file_.size()) return;
    ASSERT_EQ(crashed.Contents(absl::StrCat(kPath, ".tr0")), Behind(end));
  }

  tests::FileBuilder file_;
  SimulatedFileSystem disk_;
};

INSTANTIATE_TEST_SUITE_P(PageSize, CutBackTest, testing::Values(512, 4096), testing::PrintToStringParamName());

TEST_P(CutBackTest, WhatIsBehindIsSaved) {
  const Boundary& end = file_.boundaries()[5];
  const auto appender = Open(disk_, file_.end());
  const auto saved = appender->CutBack(disk_, end, kNoteNothing);
  ASSERT_TRUE(saved.ok()) << saved.status();
  EXPECT_EQ(*saved, "Data.fs.tr0");
  EXPECT_EQ(disk_.Contents(*saved), Behind(end));
  EXPECT_EQ(disk_.Contents(kPath), file_.bytes().substr(0, end.offset));
  EXPECT_EQ(appender->committed(), end);
  // And on it goes.
  ASSERT_TRUE(appender->Append(file_.transaction(6)).ok());
  ASSERT_TRUE(appender->Commit(file_.boundaries()[6]).ok());
  EXPECT_EQ(disk_.Contents(kPath), file_.bytes().substr(0, file_.boundaries()[6].offset));
}

TEST_P(CutBackTest, NothingBehindIsNothingSaved) {
  const auto appender = Open(disk_, file_.end());
  const auto saved = appender->CutBack(disk_, file_.end(), kNoteNothing);
  ASSERT_TRUE(saved.ok()) << saved.status();
  EXPECT_EQ(*saved, "");
  EXPECT_FALSE(disk_.Exists("Data.fs.tr0"));
}

TEST_P(CutBackTest, WhereNoTransactionEndsNothingIsCut) {
  const auto appender = Open(disk_, file_.end());
  for (const bool tid : {true, false}) {
    Boundary end = file_.boundaries()[5];
    tid ? ++end.tid : --end.offset;
    EXPECT_EQ(appender->CutBack(disk_, end, kNoteNothing).status().code(), absl::StatusCode::kFailedPrecondition);
  }
  EXPECT_EQ(disk_.Contents(kPath), file_.bytes());
}

TEST_P(CutBackTest, WithoutRoomForWhatIsSavedNothingIsCut) {
  const auto appender = Open(disk_, file_.end());
  disk_.SetCapacity(file_.size() + 100);
  EXPECT_EQ(appender->CutBack(disk_, file_.boundaries()[2], kNoteNothing).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(disk_.Contents(kPath), file_.bytes());
  EXPECT_FALSE(disk_.Exists("Data.fs.tr0"));
}

TEST_P(CutBackTest, WhatCannotBeNotedIsSavedAndNotCut) {
  const auto appender = Open(disk_, file_.end());
  const Boundary& end = file_.boundaries()[2];
  const auto cut = appender->CutBack(disk_, end, [this, &end] {
    EXPECT_EQ(disk_.Contents("Data.fs.tr0"), Behind(end)) << "it is saved before";
    return absl::ResourceExhaustedError("the state's disk is full");
  });
  EXPECT_EQ(cut.status().message(), "the state's disk is full");
  EXPECT_EQ(disk_.Contents(kPath), file_.bytes());
  EXPECT_TRUE(appender->CutBack(disk_, end, kNoteNothing).ok());
}

TEST_P(CutBackTest, AfterAFailedSyncNothingIsTrusted) {
  const auto appender = Open(disk_, file_.end());
  disk_.SetHook([](const SimulatedOperation& operation) {
    const bool fails = operation.kind == SimulatedOperation::Kind::kSync && operation.path == kPath;
    return fails ? absl::DataLossError("the disk is gone") : absl::OkStatus();
  });
  EXPECT_EQ(appender->CutBack(disk_, file_.boundaries()[2], kNoteNothing).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(disk_.Contents("Data.fs.tr0"), Behind(file_.boundaries()[2]));
  std::string byte(1, ' ');
  EXPECT_EQ(appender->Read(0, absl::MakeSpan(byte)).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_P(CutBackTest, ACrashAnywhere) {
  for (size_t n = 0; n < file_.boundaries().size() && !HasFailure(); ++n) {
    const Boundary& end = file_.boundaries()[n];
    const auto disk = disk_.Clone();
    const auto appender = Open(*disk, file_.end());
    uint64_t seed = 0;
    disk->SetHook([&](const SimulatedOperation& operation) {
      for (int i = 0; i < 40 && operation.IsChange() && !HasFailure(); ++i) {
        SCOPED_TRACE(absl::StrCat("boundary ", n, ", seed ", ++seed, ", before operation ", operation.number));
        tests::SeededChooser chooser(seed);
        const auto crashed = disk->Clone();
        crashed->Crash(chooser);
        Check(*crashed, end);
      }
      return absl::OkStatus();
    });
    ASSERT_TRUE(appender->CutBack(*disk, end, kNoteNothing).ok());
    disk->SetHook(nullptr);
  }
}

}  // namespace
}  // namespace zrs::filestorage
