#include "sidecar/storage/swap.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "sidecar/storage/old_file.h"

namespace zrs::storage {
namespace {

using filestorage::FileSystem;

// A failed sync of a directory is no full disk that could be waited for.
absl::Status SyncNames(FileSystem& file_system, const std::string& data_path) {
  const absl::Status synced = file_system.SyncDirectory(filestorage::DirectoryOf(data_path));
  return absl::IsResourceExhausted(synced) ? absl::DataLossError(synced.message()) : synced;
}

absl::Status RemoveIfThere(FileSystem& file_system, const std::string& path) {
  absl::Status removed = file_system.Remove(path);
  return absl::IsNotFound(removed) ? absl::OkStatus() : removed;
}

absl::Status KeepOld(FileSystem& file_system, const std::string& data_path) {
  const std::string old_path = OldPath(data_path);
  const absl::StatusOr<filestorage::FileInfo> live = file_system.Stat(data_path);
  if (!live.ok()) return live.status();
  const absl::StatusOr<filestorage::FileInfo> old = file_system.Stat(old_path);
  if (old.ok() && old->SameFile(*live)) return absl::OkStatus();  // done before a crash
  if (absl::Status removed = RemoveIfThere(file_system, old_path); !removed.ok()) return removed;
  const absl::Status linked = file_system.Link(data_path, old_path);
  if (linked.ok()) return SyncNames(file_system, data_path);
  return absl::Status(linked.code(), absl::StrCat(linked.message(),
                                                  "; where the disk can have no second name for a file, set keep-old "
                                                  "to false"));
}

}  // namespace

std::string NewPath(const std::string& data_path) { return absl::StrCat(data_path, ".zrs-new"); }

absl::Status SwapFiles(FileSystem& file_system, const std::string& data_path, bool keep_old) {
  absl::Status removed = RemoveIfThere(file_system, absl::StrCat(data_path, ".index"));
  if (!removed.ok()) return removed;
  if (absl::Status synced = SyncNames(file_system, data_path); !synced.ok()) return synced;
  if (keep_old) {
    if (absl::Status kept = KeepOld(file_system, data_path); !kept.ok()) return kept;
  }
  if (absl::Status renamed = file_system.Rename(NewPath(data_path), data_path); !renamed.ok()) return renamed;
  return SyncNames(file_system, data_path);
}

}  // namespace zrs::storage
