#include "filestorage/index/replacement_file.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace zrs::filestorage {
namespace {

constexpr uint32_t kPrivate = 0600;
constexpr uint32_t kReadAndWrite = 0666;
constexpr int kMostAttempts = 10;

std::string TemporaryPath(const std::string& path) { return absl::StrCat(path, ".zrs-new"); }
std::string ScratchPath(const std::string& path) { return absl::StrCat(path, ".zrs-sort"); }

absl::Status AnotherAtWork(const std::string& path) {
  return absl::UnavailableError(
      absl::StrCat("creating ", TemporaryPath(path), ": another zrs makes ", path, " at this moment; wait for it"));
}

// A directory cannot be replaced; a pipe or the like is somebody else's. (Of a link the name goes alone.)
absl::Status CheckReplaceable(FileSystem& file_system, const std::string& path) {
  const absl::StatusOr<FileInfo> name = file_system.StatName(path);
  if (!name.ok()) return absl::IsNotFound(name.status()) ? absl::OkStatus() : name.status();
  if (name->is_regular || name->is_link) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("creating ", path, ": what has that name is no regular file; move it away"));
}

// Removes what a process that was killed left under the temporary name.
absl::Status RemoveLeftOver(FileSystem& file_system, const std::string& path) {
  const std::string temporary = TemporaryPath(path);
  const absl::StatusOr<FileInfo> name = file_system.StatName(temporary);
  if (!name.ok()) return absl::IsNotFound(name.status()) ? absl::OkStatus() : name.status();
  if (!name->is_regular || name->is_link) {
    return absl::FailedPreconditionError(
        absl::StrCat("creating ", temporary, ": what has that name is no file of zrs; move it away"));
  }
  const absl::StatusOr<std::unique_ptr<File>> left = file_system.OpenForReading(temporary);
  if (!left.ok()) return absl::IsNotFound(left.status()) ? absl::OkStatus() : left.status();
  const absl::StatusOr<FileInfo> info = (*left)->Stat();
  if (!info.ok()) return info.status();
  const absl::Status locked = (*left)->LockExclusively();
  if (absl::IsUnavailable(locked)) return AnotherAtWork(path);
  if (!locked.ok()) return locked;
  // Who has the lock of the file with this name alone may rename or remove it; it may have been renamed before.
  const absl::StatusOr<FileInfo> again = file_system.StatName(temporary);
  if (!again.ok()) return absl::IsNotFound(again.status()) ? absl::OkStatus() : again.status();
  return again->SameFile(*info) ? RemoveIfThere(file_system, temporary) : absl::OkStatus();
}

// As far as this user may: root and the owner all of it, a member of the group the group, others none of it.
absl::Status GiveTo(File& file, const FileInfo& like) {
  const uint32_t mode = like.mode & kReadAndWrite;
  absl::Status given = file.SetAccess({.mode = mode, .owner = like.owner, .group = like.group});
  if (absl::IsPermissionDenied(given)) given = file.SetAccess({.mode = mode, .group = like.group});
  if (absl::IsPermissionDenied(given)) given = file.SetAccess({.mode = mode});
  return given;
}

}  // namespace

ReplacementFile::ReplacementFile(FileSystem& file_system, const std::string& path, std::unique_ptr<File> file)
    : file_system_(file_system), path_(path), file_(std::move(file)) {}

absl::StatusOr<std::unique_ptr<ReplacementFile>> ReplacementFile::Create(FileSystem& file_system,
                                                                         const std::string& path,
                                                                         const FileInfo& like) {
  if (absl::Status replaceable = CheckReplaceable(file_system, path); !replaceable.ok()) return replaceable;
  absl::StatusOr<std::unique_ptr<File>> file = absl::UnknownError("");
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    file = file_system.CreateExclusively(TemporaryPath(path), kPrivate);
    if (!absl::IsAlreadyExists(file.status())) break;
    if (absl::Status removed = RemoveLeftOver(file_system, path); !removed.ok()) return removed;
  }
  if (absl::IsAlreadyExists(file.status())) return AnotherAtWork(path);
  if (!file.ok()) return file.status();
  const absl::Status locked = (*file)->LockExclusively();
  // Another one took it for left over before it was locked, and removes it.
  if (absl::IsUnavailable(locked)) return AnotherAtWork(path);
  std::unique_ptr<ReplacementFile> replacement(new ReplacementFile(file_system, path, *std::move(file)));
  if (!locked.ok()) return locked;
  // Whoever left one of these had the lock that this one has now.
  if (absl::Status removed = RemoveIfThere(file_system, ScratchPath(path)); !removed.ok()) return removed;
  if (absl::Status given = GiveTo(replacement->file(), like); !given.ok()) return given;
  return replacement;
}

ReplacementFile::~ReplacementFile() {
  if (!committed_) file_system_.Remove(TemporaryPath(path_)).IgnoreError();
}

absl::StatusOr<std::unique_ptr<File>> ReplacementFile::CreateScratch() {
  const std::string scratch = ScratchPath(path_);
  absl::StatusOr<std::unique_ptr<File>> file = file_system_.CreateExclusively(scratch, kPrivate);
  if (!file.ok()) return file;
  absl::Status removed = file_system_.Remove(scratch);
  if (removed.ok()) return file;
  file_system_.Remove(scratch).IgnoreError();
  return removed;
}

absl::Status ReplacementFile::Sync() { return SyncFile(*file_); }

absl::Status ReplacementFile::Commit() {
  if (absl::Status renamed = file_system_.Rename(TemporaryPath(path_), path_); !renamed.ok()) return renamed;
  committed_ = true;
  return SyncName(file_system_, path_);
}

absl::Status ReplacementFile::TakeBack() {
  const absl::StatusOr<FileInfo> ours = file_->Stat();
  if (!ours.ok()) return ours.status();
  const absl::StatusOr<FileInfo> named = file_system_.StatName(path_);
  if (!named.ok()) return absl::IsNotFound(named.status()) ? absl::OkStatus() : named.status();
  return named->SameFile(*ours) ? RemoveIfThere(file_system_, path_) : absl::OkStatus();
}

}  // namespace zrs::filestorage
