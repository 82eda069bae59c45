#include "filestorage/file_system.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"

namespace zrs::filestorage {

absl::StatusOr<std::unique_ptr<File>> CreateWithAccess(FileSystem& file_system, const std::string& path,
                                                       const FileAccess& access) {
  constexpr uint32_t kAsZodb = 0666;
  absl::StatusOr<std::unique_ptr<File>> file = file_system.CreateExclusively(path, access.mode.value_or(kAsZodb));
  if (!file.ok()) return file;
  absl::Status set = (*file)->SetAccess(access);
  if (set.ok()) return file;
  file->reset();
  file_system.Remove(path).IgnoreError();
  return set;
}

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  const size_t last = path.find_last_not_of('/', slash);
  return last == std::string::npos ? "/" : path.substr(0, last + 1);
}

namespace {

constexpr int kMostFreeNames = 1000;

absl::Status NotForWantOfRoom(const absl::Status& synced) {
  return absl::IsResourceExhausted(synced) ? absl::DataLossError(synced.message()) : synced;
}

}  // namespace

absl::Status SyncFile(File& file) { return NotForWantOfRoom(file.Sync()); }

absl::Status SyncName(FileSystem& file_system, const std::string& path) {
  return NotForWantOfRoom(file_system.SyncDirectory(DirectoryOf(path)));
}

absl::Status RemoveIfThere(FileSystem& file_system, const std::string& path) {
  absl::Status removed = file_system.Remove(path);
  return absl::IsNotFound(removed) ? absl::OkStatus() : removed;
}

absl::StatusOr<std::string> FreeName(FileSystem& file_system, const std::string& path) {
  for (int n = 1; n < kMostFreeNames; ++n) {
    std::string free = absl::StrCat(path, n);
    const absl::StatusOr<FileInfo> taken = file_system.StatName(free);
    if (absl::IsNotFound(taken.status())) return free;
    if (!taken.ok()) return taken.status();
  }
  return absl::FailedPreconditionError(absl::StrCat("keeping what is at ", path, ": there are ", kMostFreeNames,
                                                    " files ", path,
                                                    "1 and following; look at them, and move them away"));
}

absl::StatusOr<std::string> MoveToFreeName(FileSystem& file_system, const std::string& path) {
  absl::StatusOr<std::string> free = FreeName(file_system, path);
  if (!free.ok()) return free;
  if (absl::Status renamed = file_system.Rename(path, *free); !renamed.ok()) return renamed;
  return free;
}

absl::Status ReplaceFile(FileSystem& file_system, const std::string& path, absl::string_view contents, uint32_t mode) {
  const std::string new_path = absl::StrCat(path, ".new");
  {
    // One that a crash left behind is used again: it was never renamed, so nothing refers to it.
    absl::StatusOr<std::unique_ptr<File>> file = file_system.OpenOrCreate(new_path, mode);
    if (!file.ok()) return file.status();
    if (absl::Status status = (*file)->Truncate(0); !status.ok()) return status;
    if (absl::Status status = (*file)->WriteAt(0, contents); !status.ok()) return status;
    if (absl::Status status = (*file)->Sync(); !status.ok()) return status;
  }
  if (absl::Status status = file_system.Rename(new_path, path); !status.ok()) return status;
  return SyncName(file_system, path);
}

absl::StatusOr<std::string> ReadWholeFile(FileSystem& file_system, const std::string& path, uint64_t limit) {
  absl::StatusOr<std::unique_ptr<File>> file = file_system.OpenForReading(path);
  if (!file.ok()) return file.status();
  absl::StatusOr<FileInfo> info = (*file)->Stat();
  if (!info.ok()) return info.status();
  limit = std::min(limit, std::numeric_limits<uint64_t>::max() - 1);
  // One byte more than the limit is asked for, so that a file that grows meanwhile is noticed too.
  std::string contents;
  while (info->size <= limit && contents.size() <= limit) {
    const size_t begin = contents.size();
    contents.resize(std::min<uint64_t>(limit + 1, std::max<uint64_t>(info->size + 1, begin + 4096)));
    const absl::StatusOr<size_t> read = (*file)->ReadAt(begin, absl::MakeSpan(contents).subspan(begin));
    if (!read.ok()) return read.status();
    const bool at_end = begin + *read < contents.size();
    contents.resize(begin + *read);
    if (at_end) return contents;
  }
  return absl::ResourceExhaustedError(absl::StrCat("reading ", path, ": it is larger than the ", limit,
                                                   " bytes that such a file may have; check the path"));
}

}  // namespace zrs::filestorage
