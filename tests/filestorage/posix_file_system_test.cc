#include "filestorage/posix_file_system.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "tests/filestorage/temporary_directory.h"

namespace zrs::filestorage {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class PosixFileSystemTest : public testing::Test {
 protected:
  std::unique_ptr<File> Create(const std::string& name, absl::string_view contents) {
    auto file = posix_.CreateExclusively(directory_ / name, 0644);
    EXPECT_TRUE(file.ok()) << file.status();
    EXPECT_TRUE((*file)->WriteAt(0, contents).ok());
    return *std::move(file);
  }
  static std::string Read(File& file, uint64_t offset, size_t size) {
    std::string out(size, '?');
    const absl::StatusOr<size_t> read = file.ReadAt(offset, absl::MakeSpan(out));
    EXPECT_TRUE(read.ok()) << read.status();
    out.resize(read.value_or(0));
    return out;
  }

  TemporaryDirectory directory_;
  FileSystem& posix_ = PosixFileSystem();
};

TEST_F(PosixFileSystemTest, WritesAndReadsAtOffsets) {
  const auto file = Create("f", "0123456789");
  EXPECT_TRUE(file->WriteAt(4, "ab").ok());
  EXPECT_EQ(Read(*file, 3, 4), "3ab6");
  EXPECT_EQ(Read(*file, 0, 100), "0123ab6789");
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_EQ(file->path(), directory_ / "f");
}

TEST_F(PosixFileSystemTest, ReadsFewerAtTheEndOnly) {
  const auto file = Create("f", "0123456789");
  EXPECT_EQ(Read(*file, 8, 10), "89");
  EXPECT_EQ(Read(*file, 10, 10), "");
  EXPECT_EQ(Read(*file, 1000, 10), "");
  EXPECT_EQ(Read(*file, 0, 0), "");
}

TEST_F(PosixFileSystemTest, WritePastTheEndLeavesZeros) {
  const auto file = Create("f", "ab");
  EXPECT_TRUE(file->WriteAt(4, "c").ok());
  EXPECT_EQ(Read(*file, 0, 10), std::string("ab\0\0c", 5));
}

TEST_F(PosixFileSystemTest, OffsetsPast32Bits) {
  const auto file = Create("f", "x");
  const uint64_t far = (uint64_t{9} << 30) + 1;
  EXPECT_TRUE(file->WriteAt(far, "far").ok());
  EXPECT_EQ(file->Stat()->size, far + 3);
  EXPECT_EQ(Read(*file, far - 1, 10), std::string("\0far", 4));
  EXPECT_TRUE(file->Truncate(far + 1).ok());
  EXPECT_EQ(Read(*file, far, 10), "f");
}

TEST_F(PosixFileSystemTest, OffsetsThatNoFileCanHaveAreErrors) {
  const auto file = Create("f", "x");
  char byte = 0;
  EXPECT_TRUE(absl::IsDataLoss(file->ReadAt(~uint64_t{0}, absl::MakeSpan(&byte, 1)).status()));
  EXPECT_TRUE(absl::IsDataLoss(file->WriteAt(~uint64_t{0}, "x")));
  EXPECT_TRUE(absl::IsDataLoss(file->Truncate(~uint64_t{0})));
}

TEST_F(PosixFileSystemTest, TruncatesBothWays) {
  const auto file = Create("f", "0123456789");
  EXPECT_TRUE(file->Truncate(3).ok());
  EXPECT_EQ(Read(*file, 0, 10), "012");
  EXPECT_TRUE(file->Truncate(5).ok());
  EXPECT_EQ(Read(*file, 0, 10), std::string("012\0\0", 5));
}

TEST_F(PosixFileSystemTest, StatTellsOneFileFromAnother) {
  const auto file = Create("f", "0123456789");
  Create("g", "");
  const FileInfo by_name = posix_.Stat(directory_ / "f").value();
  const FileInfo by_file = file->Stat().value();
  EXPECT_TRUE(by_name.SameFile(by_file));
  EXPECT_FALSE(by_name.SameFile(posix_.Stat(directory_ / "g").value()));
  EXPECT_EQ(by_file.size, 10u);
  EXPECT_EQ(by_file.mode & 0700, 0600u);
  EXPECT_TRUE(by_file.is_regular);
  EXPECT_FALSE(posix_.Stat(directory_.path())->is_regular);
}

TEST_F(PosixFileSystemTest, ModeIsGivenToNewFilesLessTheUmask) {
  const mode_t before = ::umask(0027);
  EXPECT_TRUE(posix_.OpenOrCreate(directory_ / "f", 0666).ok());
  EXPECT_TRUE(posix_.CreateDirectories(directory_ / "d", 0777).ok());
  ::umask(before);
  EXPECT_EQ(posix_.Stat(directory_ / "f")->mode, 0640u);
  EXPECT_EQ(posix_.Stat(directory_ / "d")->mode & 0777, 0750u);
}

TEST_F(PosixFileSystemTest, AccessOfANewFileIsAsSaidWhateverTheUmask) {
  const mode_t before = ::umask(0077);
  EXPECT_TRUE(CreateWithAccess(posix_, directory_ / "f", {.mode = 0664}).ok());
  EXPECT_TRUE(CreateWithAccess(posix_, directory_ / "g", {}).ok());
  ::umask(before);
  EXPECT_EQ(posix_.Stat(directory_ / "f")->mode, 0664u);
  EXPECT_EQ(posix_.Stat(directory_ / "g")->mode, 0600u);
  EXPECT_TRUE(absl::IsAlreadyExists(CreateWithAccess(posix_, directory_ / "f", {.mode = 0600}).status()));
  EXPECT_EQ(posix_.Stat(directory_ / "f")->mode, 0664u);
}

TEST_F(PosixFileSystemTest, OnlyRootGivesFilesToOthers) {
  const FileAccess access = {.mode = 0640, .owner = 12345, .group = 23456};
  const auto file = CreateWithAccess(posix_, directory_ / "f", access);
  struct stat stat = {};
  if (::geteuid() == 0) {
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_EQ(::stat((directory_ / "f").c_str(), &stat), 0);
    EXPECT_EQ(stat.st_uid, 12345u);
    EXPECT_EQ(stat.st_gid, 23456u);
    EXPECT_EQ(stat.st_mode & 07777, 0640u);
  } else {
    EXPECT_TRUE(absl::IsPermissionDenied(file.status())) << file.status();
    EXPECT_THAT(file.status().message(), AllOf(HasSubstr("12345"), HasSubstr(directory_ / "f")));
    EXPECT_NE(::stat((directory_ / "f").c_str(), &stat), 0) << "a file that nobody wanted was left";
  }
}

TEST_F(PosixFileSystemTest, ANameIsToldWithoutFollowingIt) {
  const auto file = Create("f", "0123456789");
  ASSERT_EQ(::symlink("f", (directory_ / "link").c_str()), 0);
  ASSERT_EQ(::symlink("nowhere", (directory_ / "dangling").c_str()), 0);
  const auto named = posix_.StatName(directory_ / "f");
  ASSERT_TRUE(named.ok()) << named.status();
  EXPECT_TRUE(named->is_regular && !named->is_link);
  EXPECT_TRUE(named->SameFile(*posix_.Stat(directory_ / "link")));
  for (const char* name : {"link", "dangling"}) {
    const auto link = posix_.StatName(directory_ / name);
    ASSERT_TRUE(link.ok()) << link.status();
    EXPECT_TRUE(link->is_link && !link->is_regular) << name;
    EXPECT_FALSE(link->SameFile(*named)) << name;
  }
  EXPECT_TRUE(absl::IsNotFound(posix_.Stat(directory_ / "dangling").status()));
  EXPECT_TRUE(absl::IsNotFound(posix_.StatName(directory_ / "none").status()));
}

TEST_F(PosixFileSystemTest, ALinkIsNotFollowedByACreation) {
  Create("target", "kept");
  ASSERT_EQ(::symlink((directory_ / "target").c_str(), (directory_ / "link").c_str()), 0);
  EXPECT_TRUE(absl::IsAlreadyExists(CreateWithAccess(posix_, directory_ / "link", {.mode = 0666}).status()));
}

TEST_F(PosixFileSystemTest, OpenOrCreateKeepsWhatThereIs) {
  Create("f", "kept");
  const auto file = posix_.OpenOrCreate(directory_ / "f", 0644);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(Read(**file, 0, 10), "kept");
  EXPECT_TRUE((*file)->WriteAt(4, "!").ok());
  EXPECT_EQ(Read(**file, 0, 10), "kept!");
}

TEST_F(PosixFileSystemTest, CreateExclusivelyRefusesWhatThereIs) {
  Create("f", "kept");
  const absl::Status status = posix_.CreateExclusively(directory_ / "f", 0644).status();
  EXPECT_TRUE(absl::IsAlreadyExists(status));
  EXPECT_THAT(status.message(), HasSubstr(directory_ / "f"));
}

TEST_F(PosixFileSystemTest, MissingFilesAreNotFound) {
  const std::string missing = directory_ / "missing";
  for (const absl::Status& status :
       {posix_.OpenForReading(missing).status(), posix_.OpenForWriting(missing).status(), posix_.Stat(missing).status(),
        posix_.Remove(missing), posix_.Rename(missing, directory_ / "x"), posix_.List(missing).status(),
        posix_.SyncDirectory(missing)}) {
    EXPECT_TRUE(absl::IsNotFound(status)) << status;
    EXPECT_THAT(status.message(), AllOf(HasSubstr(missing), HasSubstr("No such file"))) << status;
  }
}

TEST_F(PosixFileSystemTest, AFileOpenedForReadingIsNotWritten) {
  Create("f", "kept");
  const auto file = posix_.OpenForReading(directory_ / "f");
  ASSERT_TRUE(file.ok());
  EXPECT_FALSE((*file)->WriteAt(0, "x").ok());
  EXPECT_FALSE((*file)->Truncate(0).ok());
  EXPECT_TRUE((*file)->Sync().ok()) << "what another process wrote can be synced";
  EXPECT_EQ(Read(**file, 0, 10), "kept");
}

TEST_F(PosixFileSystemTest, ForbiddenFilesArePermissionDenied) {
  Create("f", "secret");
  ASSERT_EQ(::chmod((directory_ / "f").c_str(), 0), 0);
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0755), 0);
  if (::geteuid() == 0) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const absl::Status status = posix_.OpenForReading(directory_ / "f").status();
  if (::getuid() == 0) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr("check owner and permissions"));
}

TEST_F(PosixFileSystemTest, AFullDiskIsResourceExhausted) {
  const auto full = posix_.OpenForWriting("/dev/full");
  ASSERT_TRUE(full.ok()) << full.status();
  const absl::Status status = (*full)->WriteAt(7, "x");
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_THAT(status.message(), AllOf(HasSubstr("writing /dev/full at 7"), HasSubstr("No space left")));
}

TEST_F(PosixFileSystemTest, ASyncThatFailsIsDataLoss) {
  const auto device = posix_.OpenForWriting("/dev/full");
  ASSERT_TRUE(device.ok()) << device.status();
  EXPECT_TRUE(absl::IsDataLoss((*device)->Sync()));
}

TEST_F(PosixFileSystemTest, NoDescriptorLeftIsAborted) {
  Create("f", "");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const absl::Status status = posix_.OpenForReading(directory_ / "f").status();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(absl::IsAborted(status)) << status;
}

TEST_F(PosixFileSystemTest, OpeningAFifoDoesNotBlock) {
  ASSERT_EQ(::mkfifo((directory_ / "fifo").c_str(), 0644), 0);
  const auto fifo = posix_.OpenForReading(directory_ / "fifo");
  ASSERT_TRUE(fifo.ok());
  EXPECT_FALSE((*fifo)->Stat()->is_regular);
  char byte = 0;
  EXPECT_TRUE(absl::IsDataLoss((*fifo)->ReadAt(0, absl::MakeSpan(&byte, 1)).status()));
}

TEST_F(PosixFileSystemTest, DescriptorsAreClosedOnExec) {
  const auto file = Create("f", "");
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    if (std::filesystem::read_symlink(entry.path(), ignored) != std::filesystem::path(file->path())) continue;
    ++found;
    EXPECT_TRUE(::fcntl(std::stoi(entry.path().filename()), F_GETFD) & FD_CLOEXEC);
  }
  EXPECT_EQ(found, 1);
}

TEST_F(PosixFileSystemTest, LockExcludesAnotherOpener) {
  Create("f", "");
  auto first = posix_.OpenForReading(directory_ / "f");
  const auto second = posix_.OpenForReading(directory_ / "f");
  ASSERT_TRUE((*first)->LockExclusively().ok());
  EXPECT_TRUE((*first)->LockExclusively().ok()) << "again by the same one";
  const absl::Status status = (*second)->LockExclusively();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr(directory_ / "f"));
  first->reset();
  EXPECT_TRUE((*second)->LockExclusively().ok()) << "closing releases it";
}

TEST_F(PosixFileSystemTest, RenameReplaces) {
  Create("from", "new");
  Create("to", "old");
  EXPECT_TRUE(posix_.Rename(directory_ / "from", directory_ / "to").ok());
  EXPECT_TRUE(posix_.SyncDirectory(directory_.path()).ok());
  EXPECT_EQ(ReadWholeFile(posix_, directory_ / "to", 100).value(), "new");
  EXPECT_THAT(posix_.List(directory_.path()).value(), ElementsAre("to"));
}

TEST_F(PosixFileSystemTest, RemoveRemoves) {
  Create("f", "");
  EXPECT_TRUE(posix_.Remove(directory_ / "f").ok());
  EXPECT_TRUE(absl::IsNotFound(posix_.Stat(directory_ / "f").status()));
}

TEST_F(PosixFileSystemTest, ListIsSorted) {
  for (const char* name : {"b", "c", ".hidden", "a"}) Create(name, "");
  EXPECT_THAT(posix_.List(directory_.path()).value(), ElementsAre(".hidden", "a", "b", "c"));
}

TEST_F(PosixFileSystemTest, DirectoriesAreCreatedWithTheirParents) {
  EXPECT_TRUE(posix_.CreateDirectories(directory_ / "a/b/c", 0755).ok());
  EXPECT_TRUE(posix_.CreateDirectories(directory_ / "a/b/c", 0755).ok()) << "it exists";
  EXPECT_TRUE(posix_.CreateDirectories(directory_ / "a/b/d/", 0755).ok()) << "with a slash behind";
  EXPECT_THAT(posix_.List(directory_ / "a/b").value(), ElementsAre("c", "d"));
}

TEST_F(PosixFileSystemTest, AFileInPlaceOfADirectoryIsAnError) {
  Create("f", "");
  EXPECT_TRUE(absl::IsAlreadyExists(posix_.CreateDirectories(directory_ / "f", 0755)));
  EXPECT_TRUE(absl::IsNotFound(posix_.CreateDirectories(directory_ / "f/g", 0755)));
}

}  // namespace
}  // namespace zrs::filestorage
