#include "sidecar/storage/secondary/copy_file.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/boundary_probe.h"
#include "filestorage/data_file_names.h"
#include "sidecar/storage/old_file.h"
#include "sidecar/storage/secondary/swap.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {

using filestorage::NewPath;
using filestorage::OldPath;

void LogRecovery(const std::string& storage, const std::string& path, const filestorage::Recovery& recovery) {
  if (recovery.finished_bytes > 0) {
    spdlog::info("storage {}: finished the commit of the last {} bytes of {}", storage, recovery.finished_bytes, path);
  }
  if (recovery.cut_bytes > 0) {
    spdlog::info("storage {}: cut {} bytes that were not committed behind offset {} of {}{}{}", storage,
                 recovery.cut_bytes, recovery.end.offset, path, recovery.saved_to.empty() ? "" : ", saved to ",
                 recovery.saved_to);
  }
}

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
  if (absl::Status finished = FinishSwap(); !finished.ok()) return finished;
  if (state_) {
    found.copy.lineage = state_->lineage;
    found.swap_to_tell = state_->swap_to_tell;
  }
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
  absl::Status named = filestorage::SyncName(file_system_, options_.path);
  if (!named.ok()) return named;
  found.copy.magic = appender_->magic();
  found.copy.committed = appender_->committed();
  found.copy.file_mode = info->mode & 0777;
  if (absl::Status reopened = ReopenRebuild(); !reopened.ok()) return reopened;
  found.copy.rebuild = rebuild();
  return found;
}

absl::Status CopyFile::OpenAppender(const filestorage::Boundary& lower_bound, filestorage::Recovery* recovery) {
  auto appender = filestorage::Appender::Open(file_system_, options_.path, lower_bound, recovery);
  if (!appender.ok()) return appender.status();
  appender_ = *std::move(appender);
  return absl::OkStatus();
}

absl::Status CopyFile::Create(const replication::CreateCopy& create) {
  // What was being built beside a copy that somebody has taken away since.
  if (state_) {
    if (absl::Status removed = RemoveRebuild(); !removed.ok()) return removed;
  }
  State state;
  state.path = options_.path;
  state.machine_id = options_.machine_id;
  state.role = "secondary";
  state.lineage = create.lineage;
  state.lower_bound = filestorage::FirstBoundary(create.magic);
  if (state_) state.followers = std::move(state_->followers);
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

namespace {

absl::Status WriteTo(filestorage::Appender& appender, replication::WriteGroup group, bool more_expected) {
  for (std::string& piece : group.pieces) {
    if (absl::Status appended = appender.Append(piece); !appended.ok()) return appended;
    // The syncs are what takes long, and as much as this is received meanwhile.
    std::string().swap(piece);
  }
  return group.commit ? appender.Commit(*group.commit, group.following, more_expected) : absl::OkStatus();
}

absl::StatusOr<size_t> ReadFrom(filestorage::Appender* appender, const std::string& path, uint64_t offset,
                                absl::Span<char> out) {
  if (appender == nullptr) return absl::FailedPreconditionError(absl::StrCat("read ", path, ": it is not open"));
  return appender->Read(offset, out);
}

absl::StatusOr<bool> AppenderHasBoundary(filestorage::Appender& appender, const filestorage::Boundary& boundary) {
  return filestorage::HasBoundary(
      [&appender](uint64_t offset, absl::Span<char> out) { return appender.Read(offset, out); }, appender.magic(),
      boundary);
}

}  // namespace

absl::Status CopyFile::Write(replication::WriteGroup group, bool more_expected) {
  absl::Status open = CheckOpen(/*beside=*/false);
  return open.ok() ? WriteTo(*appender_, std::move(group), more_expected) : open;
}

absl::Status CopyFile::Tidy() { return appender_ ? appender_->Tidy() : absl::OkStatus(); }

absl::Status CopyFile::Cut() {
  absl::Status cut = appender_ ? appender_->Cut() : absl::OkStatus();
  if (rebuild_) cut.Update(rebuild_->Cut());
  return cut;
}

absl::Status CopyFile::SaveState() {
  if (!state_ || !appender_) return absl::OkStatus();
  state_->lower_bound = appender_->committed();
  if (rebuild_ && state_->rebuild) state_->rebuild->lower_bound = rebuild_->committed();
  return state_file_.Save(*state_);
}

void CopyFile::Close() {
  // A state that was not saved costs a longer scan at the next start, no more.
  (void)SaveState();
  appender_.reset();
  rebuild_.reset();
  old_.reset();
  lock_.reset();
}

absl::StatusOr<size_t> CopyFile::Read(uint64_t offset, absl::Span<char> out) {
  return ReadFrom(appender_.get(), options_.path, offset, out);
}

absl::StatusOr<bool> CopyFile::HasBoundary(const filestorage::Boundary& boundary) {
  if (!appender_) return absl::FailedPreconditionError(absl::StrCat("read ", options_.path, ": it is not open"));
  return AppenderHasBoundary(*appender_, boundary);
}

void CopyFile::Remember(replication::KnownFollower follower) {
  if (state_) replication::Remember(std::move(follower), &state_->followers);
}

absl::StatusOr<bool> CopyFile::HadPosition(const replication::OldPosition& position) {
  if (state_ && replication::WasThere(state_->followers, position)) return true;
  if (!position.just_before) return false;
  if (old_) return AppenderHasBoundary(*old_, position.boundary);
  return FileHasBoundary(file_system_, OldPath(options_.path), position.boundary);
}

// ---- The file beside

absl::Status CopyFile::CheckRoom(uint64_t size) {
  const std::string directory = filestorage::DirectoryOf(options_.path);
  const absl::StatusOr<uint64_t> room = file_system_.FreeBytes(directory);
  if (!room.ok()) return room.status();
  if (*room >= size) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("building the packed file beside ", options_.path, ": it needs ",
                                                   size, " more bytes, and ", directory, " has ", *room,
                                                   " free; the copy is kept as it was before the pack"));
}

absl::Status CopyFile::CreateRebuild(filestorage::Magic magic) {
  const auto live = file_system_.Stat(options_.path);
  if (!live.ok()) return live.status();
  filestorage::FileAccess access = options_.access;
  if (!access.mode) access.mode = live->mode & 07777;
  auto file = filestorage::CreateWithAccess(file_system_, NewPath(options_.path), access);
  if (!file.ok()) return file.status();
  // Who was given the live file, by hand perhaps, is to have the new one. Only root can do that.
  const auto created = (*file)->Stat();
  if (created.ok() && (created->owner != live->owner || created->group != live->group)) {
    (*file)->SetAccess({.mode = access.mode, .owner = live->owner, .group = live->group}).IgnoreError();
  }
  if (absl::Status written = (*file)->WriteAt(0, filestorage::MagicBytes(magic)); !written.ok()) return written;
  if (absl::Status synced = (*file)->Sync(); !synced.ok()) return synced;
  return filestorage::SyncName(file_system_, options_.path);
}

absl::Status CopyFile::OpenRebuild() {
  filestorage::Recovery recovery;
  auto opened =
      filestorage::Appender::Open(file_system_, NewPath(options_.path), state_->rebuild->lower_bound, &recovery);
  if (opened.ok()) rebuild_ = *std::move(opened);
  return opened.status();
}

// One that is missing, or is not what the state says, is built anew: it is worth nothing by itself.
absl::Status CopyFile::ReopenRebuild() {
  if (!state_->rebuild || rebuild_) return absl::OkStatus();
  absl::Status opened = OpenRebuild();
  return absl::IsNotFound(opened) || absl::IsDataLoss(opened) ? absl::OkStatus() : opened;
}

absl::Status CopyFile::PrepareRebuild(const replication::PrepareRebuild& prepare) {
  if (absl::Status open = CheckOpen(/*beside=*/false); !open.ok()) return open;
  const uint64_t have = prepare.start.offset;
  const bool goes_on = rebuild_ && rebuild_->committed() == prepare.start && have > filestorage::kMagicSize;
  if (!goes_on) {
    // Before room is looked for: what was built for an earlier pack takes up some.
    if (absl::Status removed = RemoveRebuild(); !removed.ok()) return removed;
    const auto in_the_way = file_system_.StatName(NewPath(options_.path));
    if (in_the_way.ok()) {
      return absl::FailedPreconditionError(absl::StrCat("building the packed file beside ", options_.path, ": ",
                                                        NewPath(options_.path), " is in the way, of ", in_the_way->size,
                                                        " bytes; look at it, and move it away"));
    }
  }
  if (absl::Status room = CheckRoom(prepare.size > have ? prepare.size - have : 0); !room.ok()) return room;
  state_->rebuild = State::Rebuild{prepare.lineage, prepare.start, std::nullopt};
  if (absl::Status saved = SaveState(); !saved.ok() || goes_on) return saved;
  absl::Status created = CreateRebuild(prepare.magic);
  return created.ok() ? OpenRebuild() : created;
}

absl::Status CopyFile::WriteRebuild(replication::WriteGroup group) {
  absl::Status open = CheckOpen(/*beside=*/true);
  return open.ok() ? WriteTo(*rebuild_, std::move(group), /*more_expected=*/false) : open;
}

absl::StatusOr<size_t> CopyFile::ReadRebuild(uint64_t offset, absl::Span<char> out) {
  return ReadFrom(rebuild_.get(), NewPath(options_.path), offset, out);
}

absl::StatusOr<filestorage::PackProof> CopyFile::ProveRebuild() {
  if (absl::Status open = CheckOpen(/*beside=*/true); !open.ok()) return open;
  const auto read_new = [this](uint64_t offset, absl::Span<char> out) { return rebuild_->Read(offset, out); };
  const auto read_live = [this](uint64_t offset, absl::Span<char> out) { return appender_->Read(offset, out); };
  const filestorage::ReadFunction live_function = read_live;
  return filestorage::ProvePack(read_new, rebuild_->magic(), rebuild_->committed(), appender_->committed(),
                                &live_function);
}

absl::Status CopyFile::RemoveRebuild() {
  rebuild_.reset();
  // What nobody began here is somebody else's.
  if (!state_->rebuild) return absl::OkStatus();
  return filestorage::RemoveIfThere(file_system_, NewPath(options_.path));
}

absl::Status CopyFile::DropRebuild() {
  if (absl::Status removed = RemoveRebuild(); !removed.ok()) return removed;
  // Before the state forgets whose it is: one that came back after a power loss would be in the way for ever.
  absl::Status named = filestorage::SyncName(file_system_, options_.path);
  if (!named.ok()) return named;
  state_->rebuild.reset();
  return SaveState();
}

std::optional<replication::RebuildCopy> CopyFile::rebuild() const {
  if (!state_ || !state_->rebuild) return std::nullopt;
  return replication::RebuildCopy{state_->rebuild->lineage, rebuild_ ? rebuild_->committed() : filestorage::Boundary{}};
}

// ---- The swap

absl::Status CopyFile::CheckOpen(bool beside) const {
  if (appender_ && (rebuild_ || !beside)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("write ", beside ? NewPath(options_.path) : options_.path, ": it is not open"));
}

absl::Status CopyFile::Swap(const replication::SwapCopy& swap, const std::string& time) {
  if (absl::Status open = CheckOpen(/*beside=*/true); !open.ok()) return open;
  if (absl::Status cut = Cut(); !cut.ok()) return cut;
  if (rebuild_->committed() != swap.end) {
    return absl::FailedPreconditionError(absl::StrCat("replacing ", options_.path, ": the new file is at ",
                                                      rebuild_->committed().offset, ", not at ", swap.end.offset));
  }
  state_->rebuild->swap = State::Swap{appender_->committed(), swap.end, time};
  if (absl::Status saved = SaveState(); !saved.ok()) return saved;
  absl::Status swapped = SwapFiles(file_system_, options_.path, options_.keep_old, state_->kept);
  if (!swapped.ok()) return swapped;
  old_ = std::move(appender_);
  rebuild_.reset();
  if (absl::Status noted = NoteSwapped(); !noted.ok()) return noted;
  filestorage::Recovery recovery;
  const absl::Status opened = OpenAppender(state_->lower_bound, &recovery);
  // The live file is another one now, which is what a full disk would deny.
  return absl::IsResourceExhausted(opened) ? absl::DataLossError(opened.message()) : opened;
}

absl::Status CopyFile::NoteSwapped() {
  if (options_.keep_old) state_->kept = state_->rebuild->swap->from;
  state_->lower_bound = state_->rebuild->swap->to;
  state_->swap_to_tell = std::move(state_->rebuild->swap->time);
  state_->lineage = std::move(state_->rebuild->lineage);
  state_->rebuild.reset();
  const absl::Status saved = state_file_.Save(*state_);
  // Without room the file goes on to tell that the swap was decided, from which the next Open finds the same.
  return absl::IsResourceExhausted(saved) ? absl::OkStatus() : saved;
}

absl::Status CopyFile::OnSwapTold(const std::string& time) {
  // One whose time nobody knows was made by an earlier zrs: so it is that one.
  if (!state_ || !state_->swap_to_tell) return absl::OkStatus();
  if (!state_->swap_to_tell->empty() && *state_->swap_to_tell != time) return absl::OkStatus();
  state_->swap_to_tell.reset();
  return SaveState();
}

absl::Status CopyFile::FinishSwap() {
  if (!state_ || !state_->rebuild || !state_->rebuild->swap) return absl::OkStatus();
  const State::Swap swap = *state_->rebuild->swap;
  const auto beside = FileHasBoundary(file_system_, NewPath(options_.path), swap.to);
  if (!beside.ok()) return beside.status();
  const auto before = FileHasBoundary(file_system_, options_.path, swap.from);
  if (!before.ok()) return before.status();
  // The old file may have the new one's end too, where a pack dropped its last transaction and nothing else: both files
  // in their old places are what tells.
  if (*beside && *before) {
    const auto live = file_system_.Stat(options_.path);
    if (!live.ok()) return live.status();
    if (live->size != swap.from.offset) {
      // The swap was put off, and an upstream that still had the old file wrote more: what was proved does not hold.
      state_->rebuild->swap.reset();
      return absl::OkStatus();
    }
    absl::Status swapped = SwapFiles(file_system_, options_.path, options_.keep_old, state_->kept);
    if (!swapped.ok()) return swapped;
    return NoteSwapped();
  }
  const auto after = FileHasBoundary(file_system_, options_.path, swap.to);
  if (!after.ok()) return after.status();
  if (!*after) {
    // What is wrong with the live file is found when it is opened.
    state_->rebuild->swap.reset();
    return absl::OkStatus();
  }
  absl::Status named = filestorage::SyncName(file_system_, options_.path);
  if (!named.ok()) return named;
  return NoteSwapped();
}

}  // namespace zrs::storage
