#include "sidecar/storage/secondary/copy_file.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/data_file_names.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/storage/old_file.h"
#include "sidecar/storage/secondary/swap.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {

namespace {

// Room for some seconds of commits that come often; made anew when a quarter is left.
constexpr uint64_t kRoom = 256 << 10;
constexpr uint64_t kLeastRoom = kRoom / 4;

}  // namespace

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
  return loaded;
}

// An old primary that is told to follow. Its file is what it is: the upstream lets it go on from there where it has
// nothing that the upstream has not.
absl::Status CopyFile::BecomeSecondary() {
  spdlog::info("storage {}: {} was a primary's own file; from now on it follows {}", options_.name, options_.path,
               options_.UpstreamText());
  state_->role = "secondary";
  state_->yielded_epoch = replication::CurrentEpoch(state_->lineage)->id();
  state_->rival.clear();
  state_->takes_identity = v1::End::TAKES_IDENTITY_NO;
  state_->inode = 0;
  state_->complete = true;
  return SaveState();
}

absl::StatusOr<CopyFile::Found> CopyFile::Open() {
  ++file_number_;
  // Of an earlier attempt, whose locks would keep this one off.
  appender_.reset();
  rebuild_.reset();
  unproved_.reset();
  auto state = LoadState();
  if (!state.ok()) return state.status();
  state_ = *std::move(state);
  if (state_ && state_->role == "primary" && !state_->promoted_from.empty()) {
    return absl::FailedPreconditionError(absl::StrCat("state file ", state_file_.path(), " says that ", options_.path,
                                                      " is a primary's since its promotion; restart zrs: it serves "
                                                      "it as that, until zrs demote"));
  }
  // Not before it is known to be no primary's: its database has the lock, or may want it.
  if (!lock_) {
    auto lock = filestorage::DataFileLock::Take(file_system_, options_.path, options_.access);
    if (absl::IsUnavailable(lock.status()) && !state_) {
      return absl::UnavailableError(
          absl::StrCat(lock.status().message(),
                       "; or, where this is a primary's own file (it was promoted, and its state file is lost), "
                       "remove replicate-from from its configuration: it takes its identity from a secondary then"));
    }
    if (!lock.ok()) return lock.status();
    lock_ = *std::move(lock);
  }
  Found found;
  if (absl::Status finished = FinishSwap(); !finished.ok()) return finished;
  if (state_) {
    found.copy.lineage = state_->lineage;
    found.copy.yields = state_->yielded_epoch == replication::CurrentEpoch(state_->lineage)->id();
    found.swap_to_tell = state_->swap_to_tell;
    found.upstream = state_->upstream;
    found.upstream_is_secondary = state_->upstream_is_secondary;
    found.difference = state_->difference;
    found.scrub = state_->scrub;
  }
  auto info = file_system_.Stat(options_.path);
  if (absl::IsNotFound(info.status())) {
    if (absl::Status empty = CheckPlaceIsEmpty(); !empty.ok()) return empty;
    return found;
  }
  if (!info.ok()) return info.status();
  if (!state_) {
    if (absl::Status opened = OpenUnproved(&found); !opened.ok()) return opened;
    return found;
  }
  if (absl::Status opened = OpenLive(&found); !opened.ok()) return opened;
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

// A new copy would be put in the place of a link, by its name, and on another disk than the one it was to be on.
absl::Status CopyFile::CheckPlaceIsEmpty() {
  const absl::StatusOr<filestorage::FileInfo> link = file_system_.StatName(options_.path);
  if (link.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("opening ", options_.path,
                     ": it is a symbolic link that leads to nothing; mount what it leads to, or remove the link for a "
                     "new copy in its place"));
  }
  if (!absl::IsNotFound(link.status())) return link.status();
  if (state_ && state_->lower_bound.last_offset > 0) {
    spdlog::warn("storage {}: the copy {}, which had come up to {}, is not there any more: a new one is begun",
                 options_.name, options_.path, replication::DescribePosition(state_->lower_bound));
  }
  return absl::OkStatus();
}

absl::Status CopyFile::OpenLive(Found* found) {
  const bool was_primary = state_->role == "primary";
  absl::Status opened = OpenAppender(
      state_->lower_bound, was_primary ? filestorage::WrittenBy::kDatabase : filestorage::WrittenBy::kAppender,
      &found->recovery);
  if (was_primary && absl::IsDataLoss(opened)) {
    return absl::FailedPreconditionError(absl::StrCat(
        options_.path,
        " was the primary's, and is not the file that zrs saw there last: it was packed or replaced since, ",
        "or is damaged (", opened.message(),
        "). A copy cannot go on from there: for a new one, move it and the state file ", state_file_.path(), " away"));
  }
  if (!opened.ok()) return opened;
  if (was_primary) {
    if (absl::Status noted = BecomeSecondary(); !noted.ok()) return noted;
    found->copy.yields = true;
  }
  found->complete = state_->complete;
  return absl::OkStatus();
}

// Without a state nobody knows what it is, as where a person has moved a copy away and forgotten this, or the state was
// lost: it would be in the way of the next one.
absl::Status CopyFile::MoveUnknownRebuildAway() {
  const std::string path = NewPath(options_.path);
  const absl::StatusOr<filestorage::FileInfo> there = file_system_.StatName(path);
  if (absl::IsNotFound(there.status())) return absl::OkStatus();
  if (!there.ok()) return there.status();
  if (there->is_regular && there->size <= filestorage::kMagicSize) {
    const absl::Status removed = file_system_.Remove(path);
    return removed.ok() ? filestorage::SyncName(file_system_, options_.path) : removed;
  }
  spdlog::warn("storage {}: {} was being built for a copy that is not here any more: it is moved to another name",
               options_.name, path);
  return filestorage::MoveToFreeName(file_system_, path).status();
}

absl::Status CopyFile::OpenAppender(const filestorage::Boundary& lower_bound, filestorage::WrittenBy writer,
                                    filestorage::Recovery* recovery) {
  auto appender = filestorage::Appender::Open(file_system_, options_.path, lower_bound, recovery, writer);
  if (!appender.ok()) return appender.status();
  appender_ = *std::move(appender);
  return absl::OkStatus();
}

State CopyFile::NewState(const v1::Lineage& lineage) const {
  State state;
  state.path = options_.path;
  state.machine_id = options_.machine_id;
  state.role = "secondary";
  state.lineage = lineage;
  if (!state_) return state;
  state.upstream = state_->upstream;
  state.upstream_is_secondary = state_->upstream_is_secondary;
  return state;
}

absl::Status CopyFile::Create(const replication::CreateCopy& create) {
  // What was being built beside a copy that somebody has taken away since.
  absl::Status cleared = state_ ? RemoveRebuild() : MoveUnknownRebuildAway();
  // Before the state forgets whose it was.
  if (cleared.ok()) cleared = filestorage::SyncName(file_system_, options_.path);
  if (!cleared.ok()) return cleared;
  // One that was left behind by a file of before would be taken for the new one's.
  if (absl::Status removed = RemoveIndex(); !removed.ok()) return removed;
  State state = NewState(create.lineage);
  state.lower_bound = filestorage::FirstBoundary(create.magic);
  if (state_) {
    state.followers = std::move(state_->followers);
    state.rival_generation = state_->rival_generation;
  }
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
  return OpenAppender(state_->lower_bound, filestorage::WrittenBy::kAppender, &recovery);
}

absl::Status CopyFile::WriteTo(filestorage::Appender& appender, replication::WriteGroup group, bool more_expected) {
  for (std::string& piece : group.pieces) {
    if (absl::Status appended = appender.Append(piece); !appended.ok()) return appended;
    // The syncs are what takes long, and as much as this is received meanwhile.
    std::string().swap(piece);
  }
  return group.commit ? appender.Commit(*group.commit, group.following, more_expected) : absl::OkStatus();
}

absl::StatusOr<size_t> CopyFile::ReadFrom(filestorage::Appender* appender, const std::string& path, uint64_t offset,
                                          absl::Span<char> out) {
  if (appender == nullptr) return absl::FailedPreconditionError(absl::StrCat("read ", path, ": it is not open"));
  return appender->Read(offset, out);
}

absl::Status CopyFile::Write(replication::WriteGroup group, bool more_expected) {
  absl::Status ready = CheckOpen(/*beside=*/false);
  // What would be acknowledged is to be found under the file's name; and a file that was cut off has a hole once
  // anything is written behind its old end.
  if (ready.ok()) ready = CheckPlace();
  return ready.ok() ? WriteTo(*appender_, std::move(group), more_expected) : ready;
}

absl::Status CopyFile::MakeRoom() {
  if (!appender_ || appender_->room() >= kLeastRoom) return absl::OkStatus();
  const absl::Status ready = CheckPlace();
  return ready.ok() ? appender_->MakeRoom(kRoom) : ready;
}

absl::Status CopyFile::Tidy() { return appender_ ? appender_->Tidy() : absl::OkStatus(); }

absl::Status CopyFile::Cut() {
  absl::Status cut = appender_ ? appender_->Cut() : absl::OkStatus();
  if (rebuild_) cut.Update(rebuild_->Cut());
  return cut;
}

absl::Status CopyFile::Adopt(const v1::Lineage& lineage) {
  if (absl::Status open = CheckOpen(/*beside=*/false); !open.ok()) return open;
  // What was compared was compared with somebody else's file.
  state_->scrub.position = {};
  v1::Lineage before = std::exchange(state_->lineage, lineage);
  absl::Status saved = SaveState();
  if (!saved.ok()) state_->lineage = std::move(before);
  return saved;
}

absl::Status CopyFile::NoteComplete() {
  if (state_) state_->complete = true;
  return SaveState();
}

absl::Status CopyFile::SaveState() {
  if (!state_ || !appender_) return absl::OkStatus();
  state_->lower_bound = appender_->committed();
  if (rebuild_ && state_->rebuild) state_->rebuild->lower_bound = rebuild_->committed();
  return state_file_.Save(*state_);
}

void CopyFile::Close() {
  ++file_number_;
  // A state that was not saved costs a longer scan at the next start, no more.
  (void)SaveState();
  appender_.reset();
  rebuild_.reset();
  old_.reset();
  unproved_.reset();
  lock_.reset();
}

absl::StatusOr<size_t> CopyFile::Read(uint64_t offset, absl::Span<char> out) {
  return ReadFrom(appender_.get(), options_.path, offset, out);
}

void CopyFile::Remember(replication::KnownFollower follower) {
  if (state_) replication::Remember(std::move(follower), &state_->followers);
}

bool CopyFile::RemembersPosition(const replication::OldPosition& position) const {
  return state_ && replication::WasThere(state_->followers, position);
}

bool CopyFile::OldFileIsOf(const replication::OldPosition& position) const {
  if (position.just_before) return true;
  if (old_) return RemembersPosition({old_->committed(), position.epochs});
  if (!state_ || !state_->kept || !RemembersPosition({*state_->kept, position.epochs})) return false;
  // Somebody may have put another one under its name.
  const auto there = file_system_.Stat(OldPath(options_.path));
  return there.ok() && there->size == state_->kept->offset;
}

absl::StatusOr<size_t> CopyFile::ReadOld(uint64_t offset, absl::Span<char> out) {
  if (old_) return old_->Read(offset, out);
  return ReadFileIfThere(file_system_, OldPath(options_.path), offset, out);
}

}  // namespace zrs::storage
