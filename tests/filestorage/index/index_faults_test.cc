// Whatever fails, and whenever the machine crashes: the old index or the new one is there whole, and what is left over
// goes with the next run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "filestorage/index/index_builder.h"
#include "filestorage/index/replacement_file.h"
#include "tests/filestorage/index/reference_index.h"
#include "tests/support/file_builder.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::filestorage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using tests::FileBuilder;
using tests::SimulatedFileSystem;
using tests::SimulatedOperation;

constexpr char kData[] = "/db/Data.fs";
constexpr char kIndex[] = "/db/Data.fs.index";
constexpr char kTemporary[] = "/db/Data.fs.index.zrs-new";

class IndexFaultsTest : public testing::Test {
 protected:
  IndexFaultsTest() {
    EXPECT_TRUE(files_.CreateDirectories("/db", 0755).ok());
    files_.SetContents(kData, file_.bytes());
    files_.SetContents(kIndex, old_);
  }

  // Of memory so small that runs are spilled, from the index that is there.
  static absl::Status Build(SimulatedFileSystem& files) {
    return BuildIndex(files, kData, {.go_on = true, .memory_limit = 0}).status();
  }

  uint64_t Operations() {
    const auto copy = files_.Clone();
    EXPECT_TRUE(Build(*copy).ok());
    EXPECT_EQ(copy->Contents(kIndex), new_);
    return copy->operations();
  }

  void ExpectHealed(SimulatedFileSystem& files) {
    EXPECT_TRUE(Build(files).ok());
    EXPECT_EQ(files.Contents(kIndex), new_);
    EXPECT_THAT(*files.List("/db"), ElementsAre("Data.fs", "Data.fs.index"));
  }

  const FileBuilder file_ = FileBuilder().AddMany(40, 50);
  const std::string old_ = ReferenceIndexOf(file_.bytes().substr(0, file_.boundaries()[10].offset));
  const std::string new_ = ReferenceIndexOf(file_.bytes());
  SimulatedFileSystem files_;
};

TEST_F(IndexFaultsTest, EachOperationThatFails) {
  const uint64_t operations = Operations();
  ASSERT_GT(operations, 20u);
  for (uint64_t failing = 1; failing <= operations; ++failing) {
    const auto copy = files_.Clone();
    bool was_removal = false;
    copy->SetHook([&](const SimulatedOperation& operation) {
      if (operation.number != failing) return absl::OkStatus();
      was_removal = operation.kind == SimulatedOperation::Kind::kRemove;
      return absl::DataLossError("injected");
    });
    const absl::Status built = Build(*copy);
    copy->SetHook(nullptr);
    const std::string index = copy->Contents(kIndex);
    EXPECT_TRUE(index == new_ || (index == old_ && !built.ok())) << failing << " " << built;
    EXPECT_FALSE(copy->Exists(kTemporary)) << failing;
    if (!was_removal) {
      EXPECT_EQ(copy->List("/db")->size(), 2u) << failing;
    }
    ExpectHealed(*copy);
  }
}

TEST_F(IndexFaultsTest, ADiskThatIsFull) {
  for (uint64_t room = 0; room < 2000; room += 100) {
    const auto copy = files_.Clone();
    copy->SetCapacity(file_.size() + old_.size() + room);
    const absl::Status built = Build(*copy);
    EXPECT_TRUE(built.ok() || absl::IsResourceExhausted(built)) << built;
    EXPECT_EQ(copy->Contents(kIndex), built.ok() ? new_ : old_);
    EXPECT_THAT(*copy->List("/db"), ElementsAre("Data.fs", "Data.fs.index"));
  }
}

TEST_F(IndexFaultsTest, ACrashAtEachOperation) {
  const uint64_t operations = Operations();
  for (uint64_t at = 1; at <= operations; ++at) {
    for (uint64_t seed = 1; seed <= 8; ++seed) {
      const auto copy = files_.Clone();
      tests::SeededChooser chooser(seed * 1000 + at);
      copy->SetHook([&](const SimulatedOperation& operation) {
        if (operation.number == at) copy->Crash(chooser);
        return absl::OkStatus();
      });
      Build(*copy).IgnoreError();
      copy->SetHook(nullptr);
      const std::string index = copy->Contents(kIndex);
      EXPECT_TRUE(index == old_ || index == new_) << at;
      ExpectHealed(*copy);
    }
  }
}

// An index that tells of transactions that the file has lost may fit those that come in their place.
TEST_F(IndexFaultsTest, TheDataIsAsDurableAsTheIndex) {
  bool data_synced = false;
  files_.SetHook([&](const SimulatedOperation& operation) {
    if (operation.kind == SimulatedOperation::Kind::kSync && operation.path == kData) data_synced = true;
    if (operation.kind == SimulatedOperation::Kind::kRename) {
      EXPECT_TRUE(data_synced);
    }
    return absl::OkStatus();
  });
  EXPECT_TRUE(Build(files_).ok());
  EXPECT_TRUE(data_synced);
}

TEST_F(IndexFaultsTest, ItHasThePermissionsOfTheDataFile) {
  ASSERT_TRUE((*files_.OpenForWriting(kData))->SetAccess({.mode = 06755}).ok());
  ASSERT_TRUE(Build(files_).ok());
  EXPECT_EQ(files_.Stat(kIndex)->mode, 0644u);
}

TEST_F(IndexFaultsTest, TwoAtOnceExcludeEachOther) {
  const auto other = ReplacementFile::Create(files_, kIndex, {.mode = 0644});
  ASSERT_TRUE(other.ok()) << other.status();
  const absl::Status second = Build(files_);
  EXPECT_TRUE(absl::IsUnavailable(second)) << second;
  EXPECT_THAT(second.message(), HasSubstr("at this moment"));
  EXPECT_EQ(files_.Contents(kIndex), old_);
  EXPECT_TRUE(files_.Exists(kTemporary));
}

// Another one that comes between creating and locking takes the file for left over.
TEST_F(IndexFaultsTest, TwoThatBeginAtTheSameInstant) {
  for (uint64_t at = 1; at <= 25; ++at) {
    const auto copy = files_.Clone();
    absl::Status inner = absl::UnknownError("");
    bool begun = false;
    copy->SetHook([&](const SimulatedOperation& operation) {
      if (operation.number < at || begun) return absl::OkStatus();
      begun = true;
      inner = Build(*copy);
      return absl::OkStatus();
    });
    const absl::Status outer = Build(*copy);
    copy->SetHook(nullptr);
    EXPECT_TRUE(outer.ok() || inner.ok()) << at;
    EXPECT_EQ(copy->Contents(kIndex), new_) << at << outer << inner;
    EXPECT_THAT(*copy->List("/db"), ElementsAre("Data.fs", "Data.fs.index"));
  }
}

TEST_F(IndexFaultsTest, LinksAreNotFollowed) {
  files_.SetContents("/db/mine", "mine");
  files_.SetLink(kTemporary, "/db/mine");
  const absl::Status refused = Build(files_);
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_EQ(files_.Contents("/db/mine"), "mine");
  ASSERT_TRUE(files_.Remove(kTemporary).ok());
  // The index's own name: the link goes, and what it led to stays.
  ASSERT_TRUE(files_.Remove(kIndex).ok());
  files_.SetLink(kIndex, "/db/mine");
  ASSERT_TRUE(Build(files_).ok());
  EXPECT_EQ(files_.LinkTarget(kIndex), "");
  EXPECT_EQ(files_.Contents(kIndex), new_);
  EXPECT_EQ(files_.Contents("/db/mine"), "mine");
}

TEST_F(IndexFaultsTest, WhatIsLeftOverIsNotWrittenInto) {
  files_.SetContents("/db/mine", "mine");
  ASSERT_TRUE(files_.Link("/db/mine", kTemporary).ok());
  ASSERT_TRUE(files_.Link("/db/mine", "/db/Data.fs.index.zrs-sort").ok());
  ASSERT_TRUE(Build(files_).ok());
  EXPECT_EQ(files_.Contents("/db/mine"), "mine");
  EXPECT_THAT(*files_.List("/db"), ElementsAre("Data.fs", "Data.fs.index", "mine"));
}

}  // namespace
}  // namespace zrs::filestorage
