#include "sidecar/storage/secondary/swap.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "filestorage/data_file_names.h"
#include "sidecar/storage/old_file.h"

namespace zrs::storage {
namespace {

using filestorage::FileSystem;
using filestorage::IndexPath;
using filestorage::MoveToFreeName;
using filestorage::NewPath;
using filestorage::OldPath;
using filestorage::RemoveIfThere;
using filestorage::SyncName;

// What is under the old file's name, `old`, makes room for another.
absl::Status MoveAway(FileSystem& file_system, const std::string& old_path, const filestorage::FileInfo& old,
                      const std::optional<filestorage::Boundary>& kept) {
  // A link is never removed: it may be all that knows the way to a file elsewhere.
  if (kept && old.is_regular) {
    const absl::StatusOr<bool> ours = FileHasBoundary(file_system, old_path, *kept);
    if (!ours.ok()) return ours.status();
    if (*ours) return file_system.Remove(old_path);
  }
  return MoveToFreeName(file_system, old_path).status();
}

absl::Status KeepOld(FileSystem& file_system, const std::string& data_path,
                     const std::optional<filestorage::Boundary>& kept) {
  const std::string old_path = OldPath(data_path);
  // Of the names: one that is a link to the live file keeps nothing once that is replaced.
  const absl::StatusOr<filestorage::FileInfo> live = file_system.StatName(data_path);
  if (!live.ok()) return live.status();
  const absl::StatusOr<filestorage::FileInfo> old = file_system.StatName(old_path);
  if (old.ok() && old->SameFile(*live)) return absl::OkStatus();  // done before a crash
  if (old.ok()) {
    if (absl::Status moved = MoveAway(file_system, old_path, *old, kept); !moved.ok()) return moved;
    if (absl::Status synced = SyncName(file_system, data_path); !synced.ok()) return synced;
  } else if (!absl::IsNotFound(old.status())) {
    return old.status();
  }
  const absl::Status linked = file_system.Link(data_path, old_path);
  if (linked.ok()) return SyncName(file_system, data_path);
  return absl::Status(linked.code(), absl::StrCat(linked.message(),
                                                  "; where the disk can have no second name for a file, set keep-old "
                                                  "to false"));
}

}  // namespace

absl::Status SwapFiles(FileSystem& file_system, const std::string& data_path, bool keep_old,
                       const std::optional<filestorage::Boundary>& kept) {
  absl::Status removed = RemoveIfThere(file_system, IndexPath(data_path));
  if (!removed.ok()) return removed;
  if (absl::Status synced = SyncName(file_system, data_path); !synced.ok()) return synced;
  if (keep_old) {
    if (absl::Status done = KeepOld(file_system, data_path, kept); !done.ok()) return done;
  }
  if (absl::Status renamed = file_system.Rename(NewPath(data_path), data_path); !renamed.ok()) return renamed;
  return SyncName(file_system, data_path);
}

}  // namespace zrs::storage
