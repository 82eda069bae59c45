// A copy whose bytes are judged by its upstream's: one that nobody knows is adopted, what the upstream does not have is
// given up.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/data_file_names.h"
#include "filestorage/in_progress.h"
#include "filestorage/read_magic.h"
#include "filestorage/recovery.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/storage/secondary/copy_file.h"
#include "sidecar/storage/secondary/swap.h"

namespace zrs::storage {
namespace {

using filestorage::Boundary;
using filestorage::FirstBytes;

constexpr int kMostNames = 10000;

absl::StatusOr<std::string> NextSavedTail(filestorage::FileSystem& file_system, const std::string& data_path) {
  for (int n = 0; n < kMostNames; ++n) {
    std::string free = filestorage::SavedTailPath(data_path, n);
    const auto taken = file_system.StatName(free);
    if (absl::IsNotFound(taken.status())) return free;
    if (!taken.ok()) return taken.status();
  }
  return absl::FailedPreconditionError(absl::StrCat("there are ", kMostNames, " files ",
                                                    filestorage::SavedTailPath(data_path, 0),
                                                    " and following; look at them, and move them away"));
}

}  // namespace

absl::Status CopyFile::OpenUnproved(Found* found) {
  auto file = file_system_.OpenForReading(options_.path);
  if (!file.ok()) return file.status();
  const auto info = (*file)->Stat();
  if (!info.ok()) return info.status();
  const absl::StatusOr<FirstBytes> first = filestorage::ReadMagic(**file);
  if (!first.ok()) return first.status();
  if (!first->magic.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("open ", options_.path, ": there is a file of ", info->size, " bytes that is no FileStorage (",
                     first->magic.status().message(), "); nothing was changed; move it away for a new copy"));
  }
  unproved_ = *std::move(file);
  found->unproved = Found::Unproved{*first->magic, info->size};
  return absl::OkStatus();
}

absl::StatusOr<size_t> CopyFile::ReadUnproved(uint64_t offset, absl::Span<char> out) {
  if (unproved_) return unproved_->ReadAt(offset, out);
  return absl::FailedPreconditionError(absl::StrCat("read ", options_.path, ": it is not open"));
}

absl::StatusOr<bool> CopyFile::UnprovedEndsUnfinished(uint64_t offset) {
  if (!unproved_) return absl::FailedPreconditionError(absl::StrCat("read ", options_.path, ": it is not open"));
  const auto info = unproved_->Stat();
  if (!info.ok()) return info.status();
  std::string bytes(filestorage::kTransactionHeaderSize, '\0');
  const absl::StatusOr<size_t> read = unproved_->ReadAt(offset, absl::MakeSpan(bytes));
  if (!read.ok()) return read.status();
  if (*read < bytes.size()) return true;
  const filestorage::TransactionHeader header = filestorage::DecodeTransactionHeader(bytes);
  return header.status == filestorage::kStatusInProgress &&
         filestorage::BytesBehindInProgress(offset, header.length, info->size).empty();
}

// What was compared is to be what is there, durably: whoever put it there need not have synced it.
absl::Status CopyFile::SettleUnproved(uint64_t size) {
  if (!unproved_) return absl::FailedPreconditionError(absl::StrCat("adopt ", options_.path, ": it is not open"));
  const auto compared = unproved_->Stat();
  if (!compared.ok()) return compared.status();
  const auto there = file_system_.Stat(options_.path);
  if (!there.ok()) return there.status();
  if (!there->SameFile(*compared) || there->size != size) {
    return absl::UnavailableError(absl::StrCat(options_.path, " was changed while it was compared"));
  }
  const absl::Status synced = filestorage::SyncFile(*unproved_);
  if (synced.ok()) return synced;
  // No state remembers it.
  return absl::Status(synced.code(), absl::StrCat(synced.message(),
                                                  "; what is read of it need not be on the disk, though a later sync "
                                                  "succeeds: restart the host before zrs, or move the file away"));
}

absl::Status CopyFile::AdoptUnproved(const v1::Lineage& lineage, const Boundary& same, uint64_t size) {
  if (absl::Status settled = SettleUnproved(size); !settled.ok()) return settled;
  if (absl::Status cleared = MoveUnknownRebuildAway(); !cleared.ok()) return cleared;
  // Nobody knows what the index is of. With its name the file's own becomes durable.
  if (absl::Status removed = RemoveIndex(); !removed.ok()) return removed;
  State state = NewState(lineage);
  state.lower_bound = same;
  if (absl::Status saved = state_file_.Save(state); !saved.ok()) return saved;
  state_ = std::move(state);
  return absl::OkStatus();
}

absl::StatusOr<CopyFile::Surplus> CopyFile::Survey(const Boundary& same, size_t most) {
  const auto read = [this](uint64_t offset, absl::Span<char> out) {
    return appender_ ? appender_->Read(offset, out) : ReadUnproved(offset, out);
  };
  uint64_t end = 0;
  if (appender_) {
    end = appender_->committed().offset;
  } else {
    const auto info = file_system_.Stat(options_.path);
    if (!info.ok()) return info.status();
    end = info->size;
  }
  Surplus surplus;
  surplus.bytes = end - std::min(end, same.offset);
  for (uint64_t at = same.offset; at < end; ++surplus.transactions) {
    absl::StatusOr<filestorage::ProbedTransaction> one = filestorage::ProbeTransaction(read, at);
    if (absl::IsDataLoss(one.status())) {
      surplus.uncounted = end - at;
      break;
    }
    if (!one.ok()) return one.status();
    at = one->end;
    if (surplus.first.size() < most) surplus.first.push_back(*std::move(one));
  }
  auto cut_to = NextSavedTail(file_system_, options_.path);
  if (!cut_to.ok()) return cut_to.status();
  if (surplus.bytes > 0) surplus.cut_to = *std::move(cut_to);
  auto moved_to = filestorage::FreeName(file_system_, options_.path);
  if (!moved_to.ok()) return moved_to.status();
  surplus.moved_to = *std::move(moved_to);
  return surplus;
}

// A file that is made and removed again tells what permissions do not: immutable, or mounted read-only.
absl::Status CopyFile::RehearseGivingUp(uint64_t bytes) {
  if (absl::Status room = CheckRoom(bytes, "saving beside"); !room.ok()) return room;
  const absl::StatusOr<std::string> name = NextSavedTail(file_system_, options_.path);
  if (!name.ok()) return name.status();
  if (auto made = file_system_.CreateExclusively(*name, /*mode=*/0600); !made.ok()) return made.status();
  if (absl::Status removed = file_system_.Remove(*name); !removed.ok()) return removed;
  if (auto file = file_system_.OpenForWriting(options_.path); !file.ok()) return file.status();
  return state_ ? state_file_.Save(*state_, /*anew=*/true) : state_file_.Rehearse();
}

absl::Status CopyFile::NoteGivingUp(const GiveUp& what) {
  if (absl::Status cleared = state_ ? absl::OkStatus() : MoveUnknownRebuildAway(); !cleared.ok()) return cleared;
  State state = NewState(what.lineage);
  if (state_) {
    state.followers = state_->followers;
    state.kept = state_->kept;
    const uint64_t own = replication::CurrentGeneration(state_->lineage);
    state.rival_generation = std::max(state_->rival_generation, own);
  }
  state.lower_bound = what.same;
  state.swap_to_tell = what.time;
  // What is behind may be nothing that the upstream sees by the file's end.
  state.difference =
      "a zrs resync of this copy was begun and is not finished: what it was to give up may be here still; type it "
      "again";
  if (absl::Status saved = state_file_.Save(state); !saved.ok()) return saved;
  state_ = std::move(state);
  return absl::OkStatus();
}

absl::StatusOr<std::string> CopyFile::CutBack(const GiveUp& what) {
  if (absl::Status settled = unproved_ ? SettleUnproved(what.size) : CheckOpen(/*beside=*/false); !settled.ok()) {
    return settled;
  }
  if (appender_) {
    if (absl::Status cut = Cut(); !cut.ok()) return cut;
    if (absl::Status dropped = DropRebuild(); !dropped.ok()) return dropped;
  }
  if (absl::Status removed = RemoveIndex(); !removed.ok()) return removed;
  // Before it is cut, so that no file is ever shorter than its state says; and after it was saved, so that it is what
  // it was where that cannot be done.
  const auto note = [this, &what] { return NoteGivingUp(what); };
  absl::StatusOr<std::string> saved =
      appender_ ? appender_->CutBack(file_system_, what.same, note) : CutUnproved(what.same, note);
  if (!saved.ok()) return saved;
  state_->difference.clear();
  state_->complete = what.complete;
  if (absl::Status noted = state_file_.Save(*state_); !noted.ok()) return noted;
  return saved;
}

absl::StatusOr<std::string> CopyFile::CutUnproved(const Boundary& same,
                                                  const std::function<absl::Status()>& before_cut) {
  auto file = file_system_.OpenForWriting(options_.path);
  if (!file.ok()) return file.status();
  if (absl::Status locked = (*file)->LockExclusively(); !locked.ok()) return locked;
  unproved_.reset();
  const auto info = (*file)->Stat();
  if (!info.ok()) return info.status();
  absl::StatusOr<std::string> saved = std::string();
  if (info->size > same.offset) saved = filestorage::SaveTail(file_system_, **file, same.offset);
  if (!saved.ok()) return saved;
  if (absl::Status may = before_cut(); !may.ok()) return may;
  if (info->size <= same.offset) return saved;
  if (absl::Status cut = filestorage::CutTail(**file, same.offset); !cut.ok()) return cut;
  return saved;
}

absl::StatusOr<std::string> CopyFile::MoveAway(const GiveUp& what) {
  if (absl::Status settled = unproved_ ? SettleUnproved(what.size) : absl::OkStatus(); !settled.ok()) return settled;
  if (absl::Status dropped = appender_ ? DropRebuild() : absl::OkStatus(); !dropped.ok()) return dropped;
  if (absl::Status removed = RemoveIndex(); !removed.ok()) return removed;
  auto free = filestorage::FreeName(file_system_, options_.path);
  if (!free.ok()) return free;
  GiveUp all = what;
  all.same = filestorage::FirstBoundary(appender_ ? appender_->magic() : filestorage::Magic::kFs30);
  if (absl::Status noted = NoteGivingUp(all); !noted.ok()) return noted;
  appender_.reset();
  unproved_.reset();
  if (absl::Status moved = file_system_.Rename(options_.path, *free); !moved.ok()) return moved;
  if (absl::Status synced = filestorage::SyncName(file_system_, options_.path); !synced.ok()) return synced;
  return free;
}

absl::Status CopyFile::NoteDifference(const std::string& difference) {
  if (state_) state_->difference = difference;
  return SaveState();
}

void CopyFile::NoteScrub(const State::Scrub& scrub) {
  if (state_) state_->scrub = scrub;
}

}  // namespace zrs::storage
