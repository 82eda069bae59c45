#include "tests/support/simulated_file_system.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace zrs::tests {
namespace {

using filestorage::File;
using Kind = SimulatedOperation::Kind;

constexpr size_t kPage = SimulatedFileSystem::kPageSize;

std::string Pages(absl::string_view letters) {
  std::string pages;
  for (char letter : letters) pages.append(kPage, letter);
  return pages;
}

std::unique_ptr<File> OpenOrDie(SimulatedFileSystem& disk, const std::string& path) {
  auto file = disk.OpenOrCreate(path, 0644);
  EXPECT_TRUE(file.ok()) << file.status();
  return *std::move(file);
}

// One letter per page, '.' for zeros; a size that is no whole number of pages is told behind.
std::string Sketch(const std::string& contents) {
  std::string sketch;
  for (size_t at = 0; at < contents.size(); at += kPage) sketch += contents[at] == '\0' ? '.' : contents[at];
  const size_t rest = contents.size() % kPage;
  return rest == 0 ? sketch : absl::StrCat(sketch, "+", rest);
}

// Every contents of `path` that a crash now may leave; "none" where the file is gone.
std::set<std::string> Outcomes(const SimulatedFileSystem& disk, const std::string& path) {
  std::set<std::string> outcomes;
  EveryOutcome every;
  do {
    const auto clone = disk.Clone();
    clone->Crash(every);
    outcomes.insert(clone->Exists(path) ? Sketch(clone->Contents(path)) : "none");
  } while (every.Next());
  return outcomes;
}

using Set = std::set<std::string>;

TEST(SimulatedFileSystemTest, ReadsWhatWasWrittenAcrossPages) {
  SimulatedFileSystem disk;
  auto file = OpenOrDie(disk, "f");
  ASSERT_TRUE(file->WriteAt(kPage - 3, "abcdef").ok());
  std::string out(10, 'x');
  EXPECT_EQ(*file->ReadAt(kPage - 5, absl::MakeSpan(out)), 8u);
  EXPECT_EQ(out, std::string("\0\0abcdefxx", 10));
  EXPECT_EQ(*file->ReadAt(kPage + 3, absl::MakeSpan(out)), 0u);
  EXPECT_EQ(file->Stat()->size, kPage + 3);
}

TEST(SimulatedFileSystemTest, SymbolicLinksLeadToFilesAndAreNamesOfTheirOwn) {
  SimulatedFileSystem disk;
  disk.SetContents("/a/f", "of f");
  disk.SetLink("/b/l", "/a/m");
  disk.SetLink("/a/m", "f");
  disk.SetLink("/a/loop", "loop");
  EXPECT_EQ(disk.Contents("/b/l"), "of f");
  EXPECT_TRUE(disk.Stat("/b/l")->SameFile(*disk.StatName("/a/f")));
  EXPECT_TRUE(disk.StatName("/b/l")->is_link);
  EXPECT_FALSE(disk.StatName("/a/f")->is_link);
  EXPECT_TRUE(disk.OpenForReading("/b/l").ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(disk.OpenOrCreate("/b/l", 0644).status()));
  EXPECT_TRUE(absl::IsAlreadyExists(disk.CreateExclusively("/b/l", 0644).status()));
  EXPECT_TRUE(absl::IsNotFound(disk.Stat("/a/loop").status()));
  ASSERT_TRUE(disk.Rename("/b/l", "/b/k").ok());
  EXPECT_EQ(disk.LinkTarget("/b/k"), "/a/m");
  ASSERT_TRUE(disk.Remove("/a/f").ok());
  EXPECT_TRUE(disk.Exists("/b/k"));
  EXPECT_TRUE(absl::IsNotFound(disk.OpenForReading("/b/k").status()));
}

TEST(SimulatedFileSystemTest, SparseFilesBeyond8GigabytesCostNothing) {
  SimulatedFileSystem disk;
  auto file = OpenOrDie(disk, "f");
  const uint64_t far = uint64_t{9} << 30;
  ASSERT_TRUE(file->Truncate(far).ok());
  ASSERT_TRUE(file->WriteAt(far, "end").ok());
  ASSERT_TRUE(file->Sync().ok());
  std::string out(5, 'x');
  EXPECT_EQ(*file->ReadAt(far - 2, absl::MakeSpan(out)), 5u);
  EXPECT_EQ(out, std::string("\0\0end", 5));
}

TEST(SimulatedFileSystemTest, TruncatedBytesReadAsZerosWhenTheFileGrowsAgain) {
  SimulatedFileSystem disk;
  auto file = OpenOrDie(disk, "f");
  ASSERT_TRUE(file->WriteAt(0, Pages("ab")).ok());
  ASSERT_TRUE(file->Truncate(1).ok());
  ASSERT_TRUE(file->Truncate(2 * kPage).ok());
  const std::string expected = "a" + std::string(2 * kPage - 1, '\0');
  EXPECT_EQ(disk.Contents("f"), expected);
  EXPECT_TRUE(disk.HasContents("f", expected));
  EXPECT_FALSE(disk.HasContents("f", "a" + std::string(2 * kPage - 2, '\0') + "b"));
}

TEST(SimulatedFileSystemTest, UnsyncedPagesAndSizeSurviveInAnyCombination) {
  SimulatedFileSystem disk;
  disk.SetContents("f", Pages("a"));
  auto file = OpenOrDie(disk, "f");
  ASSERT_TRUE(file->WriteAt(0, Pages("bcd")).ok());
  EXPECT_EQ(Outcomes(disk, "f"),
            (Set{"a", "b", "a.", "ac", "b.", "bc", "a..", "a.d", "ac.", "acd", "b..", "b.d", "bc.", "bcd"}));
  EXPECT_GE(disk.CrashOutcomes(), 14u);
}

TEST(SimulatedFileSystemTest, SyncedBytesSurvive) {
  SimulatedFileSystem disk;
  disk.SetContents("f", Pages("a"));
  auto file = OpenOrDie(disk, "f");
  ASSERT_TRUE(file->WriteAt(0, Pages("bc")).ok());
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_EQ(disk.CrashOutcomes(), 1u);
  EXPECT_EQ(Outcomes(disk, "f"), Set{"bc"});
}

TEST(SimulatedFileSystemTest, AHandleForReadingSyncsTheFile) {
  SimulatedFileSystem disk;
  disk.SetContents("f", Pages("a"));
  auto file = OpenOrDie(disk, "f");
  ASSERT_TRUE(file->WriteAt(0, Pages("b")).ok());
  auto reader = disk.OpenForReading("f");
  ASSERT_TRUE(reader.ok());
  EXPECT_FALSE((*reader)->WriteAt(0, "x").ok());
  ASSERT_TRUE((*reader)->Sync().ok());
  EXPECT_EQ(Outcomes(disk, "f"), Set{"b"});
}

TEST(SimulatedFileSystemTest, EveryStateOfAPageSinceItsLastSyncMaySurvive) {
  SimulatedFileSystem disk;
  disk.SetContents("f", Pages("a"));
  auto file = OpenOrDie(disk, "f");
  ASSERT_TRUE(file->WriteAt(0, "b").ok());
  ASSERT_TRUE(file->WriteAt(0, "c").ok());
  EXPECT_EQ(Outcomes(disk, "f"), (Set{"a", "b", "c"}));
}

TEST(SimulatedFileSystemTest, UnsyncedTruncationMayOrMayNotSurvive) {
  SimulatedFileSystem disk;
  disk.SetContents("f", Pages("abc"));
  auto file = OpenOrDie(disk, "f");
  ASSERT_TRUE(file->Truncate(kPage).ok());
  EXPECT_EQ(Outcomes(disk, "f"), (Set{"a", "abc", "ab.", "a.c", "a.."}));
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_EQ(Outcomes(disk, "f"), Set{"a"});
}

TEST(SimulatedFileSystemTest, ShorterBytesOverAnUnsyncedTruncationMayExposeTheOldTail) {
  SimulatedFileSystem disk;
  disk.SetContents("f", Pages("abc"));
  auto file = OpenOrDie(disk, "f");
  ASSERT_TRUE(file->Truncate(kPage).ok());
  ASSERT_TRUE(file->WriteAt(kPage, Pages("x")).ok());
  EXPECT_TRUE(Outcomes(disk, "f").contains("axc"));
}

TEST(SimulatedFileSystemTest, AfterAFailedSyncALaterOneDoesNotSaveThePages) {
  SimulatedFileSystem disk;
  disk.SetContents("f", Pages("a"));
  auto file = OpenOrDie(disk, "f");
  ASSERT_TRUE(file->WriteAt(0, Pages("b")).ok());
  disk.SetHook([](const SimulatedOperation& operation) {
    return operation.kind == Kind::kSync ? absl::DataLossError("EIO") : absl::OkStatus();
  });
  EXPECT_EQ(file->Sync().code(), absl::StatusCode::kDataLoss);
  disk.SetHook(nullptr);
  EXPECT_EQ(Sketch(disk.Contents("f")), "b");
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_EQ(Outcomes(disk, "f"), (Set{"a", "b"}));
  ASSERT_TRUE(file->WriteAt(0, "c").ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_EQ(Outcomes(disk, "f"), Set{"c"});
}

TEST(SimulatedFileSystemTest, NamesNeedTheirDirectorySynced) {
  SimulatedFileSystem disk;
  ASSERT_TRUE(disk.CreateDirectories("/d/e", 0755).ok());
  auto file = OpenOrDie(disk, "/d/e/f");
  ASSERT_TRUE(file->WriteAt(0, Pages("a")).ok());
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_EQ(Outcomes(disk, "/d/e/f"), (Set{"none", "a"}));
  ASSERT_TRUE(disk.SyncDirectory("/d/e").ok());
  EXPECT_EQ(Outcomes(disk, "/d/e/f"), Set{"a"});
}

TEST(SimulatedFileSystemTest, RenameReplacesAtOnceAndDurablyWithTheDirectory) {
  SimulatedFileSystem disk;
  disk.SetContents("f", Pages("a"));
  auto file = OpenOrDie(disk, "f.new");
  ASSERT_TRUE(file->WriteAt(0, Pages("b")).ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(disk.Rename("f.new", "f").ok());
  EXPECT_FALSE(disk.Exists("f.new"));
  EXPECT_EQ(Sketch(disk.Contents("f")), "b");
  EXPECT_EQ(Outcomes(disk, "f"), (Set{"a", "b"}));
  ASSERT_TRUE(disk.SyncDirectory(".").ok());
  EXPECT_EQ(Outcomes(disk, "f"), Set{"b"});
  EXPECT_EQ(Outcomes(disk, "f.new"), Set{"none"});
}

TEST(SimulatedFileSystemTest, RenamedButUnsyncedContentsMayBeLost) {
  SimulatedFileSystem disk;
  auto file = OpenOrDie(disk, "f.new");
  ASSERT_TRUE(file->WriteAt(0, Pages("b")).ok());
  ASSERT_TRUE(disk.Rename("f.new", "f").ok());
  ASSERT_TRUE(disk.SyncDirectory(".").ok());
  EXPECT_EQ(Outcomes(disk, "f"), (Set{"", ".", "b"}));
}

TEST(SimulatedFileSystemTest, RemovedNamesMayComeBack) {
  SimulatedFileSystem disk;
  disk.SetContents("f", Pages("a"));
  ASSERT_TRUE(disk.Remove("f").ok());
  EXPECT_EQ(disk.OpenForReading("f").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Outcomes(disk, "f"), (Set{"none", "a"}));
}

TEST(SimulatedFileSystemTest, HandlesAreDeadAndLocksFreeAfterACrash) {
  SimulatedFileSystem disk;
  disk.SetContents("f", "a");
  auto file = OpenOrDie(disk, "f");
  ASSERT_TRUE(file->LockExclusively().ok());
  KeepEverything keep;
  disk.Crash(keep);
  std::string out(1, 'x');
  EXPECT_EQ(file->ReadAt(0, absl::MakeSpan(out)).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(file->WriteAt(0, "x").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(file->Sync().code(), absl::StatusCode::kUnavailable);
  auto again = OpenOrDie(disk, "f");
  EXPECT_TRUE(again->LockExclusively().ok());
  file.reset();
  EXPECT_EQ(OpenOrDie(disk, "f")->LockExclusively().code(), absl::StatusCode::kUnavailable);
}

TEST(SimulatedFileSystemTest, LocksExcludeOtherHandlesUntilClosed) {
  SimulatedFileSystem disk;
  disk.SetContents("f", "a");
  auto first = OpenOrDie(disk, "f");
  auto second = disk.OpenForReading("f");
  ASSERT_TRUE(first->LockExclusively().ok());
  EXPECT_TRUE(first->LockExclusively().ok());
  EXPECT_EQ((*second)->LockExclusively().code(), absl::StatusCode::kUnavailable);
  first.reset();
  EXPECT_TRUE((*second)->LockExclusively().ok());
}

TEST(SimulatedFileSystemTest, AFullDiskTakesWhatFits) {
  SimulatedFileSystem disk;
  disk.SetContents("other", "12345");
  auto file = OpenOrDie(disk, "f");
  disk.SetCapacity(8);
  EXPECT_EQ(file->WriteAt(0, "abcde").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(disk.Contents("f"), "abc");
  EXPECT_TRUE(file->WriteAt(0, "ABC").ok());
  EXPECT_EQ(file->Truncate(4).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(disk.Remove("other").ok());
  EXPECT_TRUE(file->WriteAt(0, "abcde").ok());
}

TEST(SimulatedFileSystemTest, TheHookSeesEachOperationAndFailsExactlyOne) {
  SimulatedFileSystem disk;
  std::vector<Kind> kinds;
  disk.SetHook([&](const SimulatedOperation& operation) {
    kinds.push_back(operation.kind);
    EXPECT_EQ(operation.number, kinds.size());
    return operation.number == 3 ? absl::DataLossError("third") : absl::OkStatus();
  });
  auto file = OpenOrDie(disk, "f");
  EXPECT_TRUE(file->WriteAt(0, "a").ok());
  EXPECT_EQ(file->WriteAt(0, "b").code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_EQ(disk.Contents("f"), "a");
  EXPECT_EQ(kinds, (std::vector<Kind>{Kind::kCreate, Kind::kWrite, Kind::kWrite, Kind::kSync}));
}

TEST(SimulatedFileSystemTest, TheHookMayCrashTheMachine) {
  SimulatedFileSystem disk;
  disk.SetContents("f", "a");
  auto file = OpenOrDie(disk, "f");
  ASSERT_TRUE(file->WriteAt(0, "b").ok());
  disk.SetHook([&](const SimulatedOperation&) {
    LoseEverything lose;
    disk.Crash(lose);
    return absl::OkStatus();
  });
  EXPECT_EQ(file->Sync().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(disk.Contents("f"), "a");
}

TEST(SimulatedFileSystemTest, DurableContentsAreWhatACrashLeavesThatTakesEverything) {
  SimulatedFileSystem disk;
  disk.SetContents("f", Pages("abc"));
  auto file = OpenOrDie(disk, "f");
  ASSERT_TRUE(file->WriteAt(kPage, Pages("xyz")).ok());
  EXPECT_EQ(disk.DurableContents("f", 0, UINT64_MAX), Pages("abc"));
  EXPECT_EQ(disk.DurableContents("f", kPage - 1, kPage + 1), "ab");
  EXPECT_EQ(disk.DurableContents("f", 4 * kPage, 5 * kPage), "");
}

TEST(SimulatedFileSystemTest, AClonesChangesAreItsOwn) {
  SimulatedFileSystem disk;
  disk.SetContents("f", "a");
  auto file = OpenOrDie(disk, "f");
  ASSERT_TRUE(file->LockExclusively().ok());
  const auto clone = disk.Clone();
  auto cloned = OpenOrDie(*clone, "f");
  EXPECT_TRUE(cloned->LockExclusively().ok());
  EXPECT_TRUE(cloned->WriteAt(0, "b").ok());
  EXPECT_EQ(disk.Contents("f"), "a");
  EXPECT_EQ(clone->Contents("f"), "b");
}

TEST(SimulatedFileSystemTest, ASeedGivesTheSameCrashAgain) {
  SimulatedFileSystem disk;
  auto file = OpenOrDie(disk, "f");
  ASSERT_TRUE(disk.SyncDirectory(".").ok());
  ASSERT_TRUE(file->WriteAt(0, Pages("abcdefgh")).ok());
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    std::string contents[2];
    for (std::string& each : contents) {
      SeededChooser chooser(seed);
      const auto clone = disk.Clone();
      clone->Crash(chooser);
      each = clone->Contents("f");
    }
    EXPECT_EQ(contents[0], contents[1]);
    seen.insert(Sketch(contents[0]));
  }
  EXPECT_GT(seen.size(), 10u);
}

TEST(SimulatedFileSystemTest, ListsFilesAndDirectories) {
  SimulatedFileSystem disk;
  disk.SetContents("/d/b", "");
  disk.SetContents("/d/a", "");
  disk.SetContents("/d/e/x", "");
  disk.SetContents("top", "");
  EXPECT_EQ(*disk.List("/d"), (std::vector<std::string>{"a", "b", "e"}));
  EXPECT_EQ(*disk.List("."), (std::vector<std::string>{"top"}));
  EXPECT_EQ(disk.List("/nowhere").status().code(), absl::StatusCode::kNotFound);
}

TEST(SimulatedFileSystemTest, AnswersAsTheSystemDoesForNamesThatAreNotThereOrAre) {
  SimulatedFileSystem disk;
  disk.SetContents("f", "a");
  EXPECT_EQ(disk.CreateExclusively("f", 0644).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(disk.CreateExclusively("no/f", 0644).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(disk.OpenForWriting("g").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(disk.Rename("g", "h").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(disk.Remove("g").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(disk.Stat("g").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(disk.SyncDirectory("g").code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(disk.Stat(".")->is_regular);
  EXPECT_EQ(disk.Stat("f")->size, 1u);
}

TEST(SimulatedFileSystemTest, AFileThatIsOpenOutlivesItsName) {
  SimulatedFileSystem disk;
  disk.SetContents("f", "a");
  auto file = OpenOrDie(disk, "f");
  ASSERT_TRUE(disk.Remove("f").ok());
  ASSERT_TRUE(disk.SyncDirectory(".").ok());
  std::string out(1, 'x');
  EXPECT_EQ(*file->ReadAt(0, absl::MakeSpan(out)), 1u);
  EXPECT_EQ(out, "a");
}

TEST(SimulatedFileSystemTest, ThreadsMayUseTheirOwnHandles) {
  SimulatedFileSystem disk;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&disk, t] {
      auto file = OpenOrDie(disk, absl::StrCat("f", t));
      for (uint64_t i = 0; i < 100; ++i) {
        EXPECT_TRUE(file->WriteAt(i * 10, "0123456789").ok());
        EXPECT_TRUE(file->Sync().ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int t = 0; t < 4; ++t) EXPECT_EQ(disk.Contents(absl::StrCat("f", t)).size(), 1000u);
}

}  // namespace
}  // namespace zrs::tests
