#include "sidecar/storage/copy_file.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/boundary_probe.h"

namespace zrs::storage {

CopyFile::CopyFile(const StorageOptions& options, filestorage::FileSystem& file_system)
    : options_(options), file_system_(file_system), state_file_(file_system, options.state_path) {}

absl::StatusOr<std::optional<State>> CopyFile::LoadState() {
  auto loaded = state_file_.Load();
  if (!loaded.ok() || !loaded->has_value()) return loaded;
  absl::Status belongs = CheckStateBelongs(**loaded, state_file_.path(), options_.path, options_.machine_id);
  if (!belongs.ok()) return belongs;
  if ((*loaded)->role != "secondary") {
    return absl::FailedPreconditionError(absl::StrCat(
        "state file ", state_file_.path(), " says that ", options_.path,
        " is a primary's own file; a secondary would replace its future by another's: configure it as a primary, or "
        "move the data file and the state file away for a new copy"));
  }
  return loaded;
}

absl::StatusOr<CopyFile::Found> CopyFile::Open() {
  if (!lock_) {
    auto lock = filestorage::DataFileLock::Take(file_system_, options_.path, options_.access);
    if (!lock.ok()) return lock.status();
    lock_ = *std::move(lock);
  }
  auto state = LoadState();
  if (!state.ok()) return state.status();
  state_ = *std::move(state);
  Found found;
  if (state_) found.copy.lineage = state_->lineage;
  auto info = file_system_.Stat(options_.path);
  if (absl::IsNotFound(info.status())) return found;
  if (!info.ok()) return info.status();
  if (!state_) {
    return absl::FailedPreconditionError(absl::StrCat(
        "open ", options_.path, ": there is a file (", info->size, " bytes) but no state file ", state_file_.path(),
        " that says which database it is a copy of; nothing was changed; move the "
        "file away for a new copy, or put the state file back"));
  }
  absl::Status opened = OpenAppender(state_->lower_bound, &found.recovery);
  if (!opened.ok()) return opened;
  // A process that was killed while it created the copy may have left a name that is not durable.
  absl::Status named = file_system_.SyncDirectory(filestorage::DirectoryOf(options_.path));
  if (!named.ok()) return named;
  found.copy.magic = appender_->magic();
  found.copy.committed = appender_->committed();
  found.copy.file_mode = info->mode & 0777;
  return found;
}

absl::Status CopyFile::OpenAppender(const filestorage::Boundary& lower_bound, filestorage::Recovery* recovery) {
  auto appender = filestorage::Appender::Open(file_system_, options_.path, lower_bound, recovery);
  if (!appender.ok()) return appender.status();
  appender_ = *std::move(appender);
  return absl::OkStatus();
}

absl::Status CopyFile::Create(const replication::CreateCopy& create) {
  State state;
  state.path = options_.path;
  state.machine_id = options_.machine_id;
  state.role = "secondary";
  state.lineage = create.lineage;
  state.lower_bound = filestorage::FirstBoundary(create.magic);
  absl::Status saved = state_file_.Save(state);
  if (!saved.ok()) return saved;
  state_ = std::move(state);
  filestorage::FileAccess access = options_.access;
  access.mode = create.file_mode;
  absl::Status created = filestorage::Appender::Create(file_system_, options_.path, create.magic, access);
  if (!created.ok()) return created;
  // The lock was there before the primary's mode was known, or even before this zrs was; whoever may write the file has
  // to be able to lock it.
  const bool said = options_.access.mode || options_.access.owner || options_.access.group;
  if (lock_->created() || said) {
    if (absl::Status set = lock_->SetAccess(access); !set.ok()) return set;
  }
  filestorage::Recovery recovery;
  return OpenAppender(state_->lower_bound, &recovery);
}

absl::Status CopyFile::Write(const replication::WriteGroup& group) {
  for (const std::string& piece : group.pieces) {
    absl::Status appended = appender_->Append(piece);
    if (!appended.ok()) return appended;
  }
  if (!group.commit) return absl::OkStatus();
  return appender_->Commit(*group.commit, group.following);
}

absl::Status CopyFile::Cut() { return appender_ ? appender_->Cut() : absl::OkStatus(); }

absl::Status CopyFile::SaveState() {
  if (!state_ || !appender_) return absl::OkStatus();
  state_->lower_bound = appender_->committed();
  return state_file_.Save(*state_);
}

void CopyFile::Close() {
  // A state that was not saved costs a longer scan at the next start, no more.
  (void)SaveState();
  appender_.reset();
  lock_.reset();
}

absl::StatusOr<size_t> CopyFile::Read(uint64_t offset, absl::Span<char> out) {
  if (!appender_) return absl::FailedPreconditionError(absl::StrCat("read ", options_.path, ": it is not open"));
  return appender_->Read(offset, out);
}

absl::StatusOr<bool> CopyFile::HasBoundary(const filestorage::Boundary& boundary) {
  if (!appender_) return absl::FailedPreconditionError(absl::StrCat("read ", options_.path, ": it is not open"));
  return filestorage::HasBoundary(
      [this](uint64_t offset, absl::Span<char> out) { return appender_->Read(offset, out); }, appender_->magic(),
      boundary);
}

}  // namespace zrs::storage
