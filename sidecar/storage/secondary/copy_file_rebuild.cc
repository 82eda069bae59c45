// The file that is built beside a copy, and takes its place.
#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/boundary_probe.h"
#include "filestorage/data_file_names.h"
#include "sidecar/replication/known_followers.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/storage/old_file.h"
#include "sidecar/storage/secondary/copy_file.h"
#include "sidecar/storage/secondary/swap.h"

namespace zrs::storage {

using filestorage::Boundary;
using filestorage::NewPath;

absl::Status CopyFile::CheckRoom(uint64_t bytes, absl::string_view what) {
  const std::string directory = filestorage::DirectoryOf(options_.path);
  const absl::StatusOr<uint64_t> room = file_system_.FreeBytes(directory);
  if (!room.ok()) return room.status();
  if (*room >= bytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(what, " ", options_.path, ": it needs ", bytes, " more bytes, and ",
                                                   directory, " has ", *room, " free"));
}

absl::Status CopyFile::CheckRoomForRebuild(uint64_t bytes) {
  constexpr absl::string_view kWhat = "building the packed file beside";
  absl::Status room = CheckRoom(bytes, kWhat);
  const bool removed = absl::IsNotFound(file_system_.StatName(filestorage::OldPath(options_.path)).status());
  if (absl::IsResourceExhausted(room) && options_.keep_old && removed) {
    // Who removed it wants its room, which it takes up for as long as it is open.
    old_.reset();
    room = CheckRoom(bytes, kWhat);
  }
  if (!absl::IsResourceExhausted(room)) return room;
  return absl::Status(room.code(),
                      absl::StrCat(room.message(), "; the copy is kept as it was before the pack", RoomOfOldFile()));
}

std::string CopyFile::RoomOfOldFile() {
  if (!options_.keep_old && old_) {
    return absl::StrCat("; what the pack before replaced, ", old_->committed().offset,
                        " bytes, is held for followers that have not had that pack: for an hour, or until a restart");
  }
  const std::string path = filestorage::OldPath(options_.path);
  const auto old = file_system_.StatName(path);
  if (!options_.keep_old || !state_->kept || !old.ok() || !old->is_regular) return "";
  const absl::StatusOr<bool> ours = FileHasBoundary(file_system_, path, *state_->kept);
  if (!ours.ok() || !*ours) return "";
  return absl::StrCat("; ", path, ", of ", old->size, " bytes, is what the pack before left, and goes once the packed ",
                      "file is in place: where nobody needs it, and all that follow this copy have had that pack, ",
                      "remove it now");
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
  absl::Status room = CheckRoomForRebuild(prepare.size > have ? prepare.size - have : 0);
  if (!room.ok()) return room;
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
  const Boundary& end = appender_->committed();
  auto proof = filestorage::ProvePack(read_new, rebuild_->magic(), rebuild_->committed(), end, &live_function);
  if (!proof.ok() || proof->proved()) return proof;
  // What came behind the live file's end may have made it so: an undo that refers to a revision of an object which was
  // garbage when the file was packed keeps that one, and a later one that the copy ends with goes.
  const v1::Lineage& theirs = state_->rebuild->lineage;
  const bool yields = state_->yielded_epoch == replication::CurrentEpoch(state_->lineage)->id();
  for (const Boundary& left : replication::LeftsToProveBy(state_->lineage, yields, end, theirs)) {
    auto later = filestorage::ProvePack(read_new, rebuild_->magic(), rebuild_->committed(), left, nullptr);
    if (!later.ok() || later->proved()) return later;
  }
  return proof;
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
  ++file_number_;
  absl::Status swapped = SwapFiles(file_system_, options_.path, options_.keep_old, state_->kept);
  if (!swapped.ok()) return swapped;
  old_ = std::move(appender_);
  rebuild_.reset();
  if (absl::Status noted = NoteSwapped(); !noted.ok()) return noted;
  filestorage::Recovery recovery;
  const absl::Status opened = OpenAppender(state_->lower_bound, filestorage::WrittenBy::kAppender, &recovery);
  // The live file is another one now, which is what a full disk would deny.
  return absl::IsResourceExhausted(opened) ? absl::DataLossError(opened.message()) : opened;
}

// Where the primary was packed more than once since, nothing else tells what the old file was: the followers that have
// it may not have been seen since this process started.
void CopyFile::RememberOldEnd() {
  const Boundary& end = state_->rebuild->swap->from;
  const bool yields = state_->yielded_epoch == replication::CurrentEpoch(state_->lineage)->id();
  const v1::Lineage lineage = replication::LineageToGoOnFrom(state_->lineage, yields, end, state_->rebuild->lineage);
  const v1::Epoch* epoch = replication::CurrentEpoch(lineage);
  if (epoch == nullptr) return;
  replication::RememberToo(options_.node_id, replication::MarkOf(epoch->id(), end), &state_->followers);
}

absl::Status CopyFile::NoteSwapped() {
  RememberOldEnd();
  if (options_.keep_old) state_->kept = state_->rebuild->swap->from;
  state_->lower_bound = state_->rebuild->swap->to;
  state_->swap_to_tell = std::move(state_->rebuild->swap->time);
  state_->lineage = std::move(state_->rebuild->lineage);
  state_->scrub.position = {};
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
