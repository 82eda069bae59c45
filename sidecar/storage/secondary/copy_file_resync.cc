// A copy whose bytes are judged by its upstream's: one that nobody knows is adopted, what the upstream does not have is
// given up.
#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/data_file_names.h"
#include "filestorage/read_magic.h"
#include "sidecar/storage/secondary/copy_file.h"
#include "sidecar/storage/secondary/swap.h"

namespace zrs::storage {
namespace {

using filestorage::Boundary;
using filestorage::FirstBytes;

constexpr int kMostNames = 10000;

absl::StatusOr<std::string> FirstFree(filestorage::FileSystem& file_system, int from,
                                      const std::function<std::string(int)>& name) {
  for (int n = from; n < kMostNames; ++n) {
    const auto taken = file_system.StatName(name(n));
    if (absl::IsNotFound(taken.status())) return name(n);
    if (!taken.ok()) return taken.status();
  }
  return absl::FailedPreconditionError(absl::StrCat("there are ", kMostNames, " files ", name(from),
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
         header.length >= info->size - offset - filestorage::kLengthSize;
}

absl::Status CopyFile::AdoptUnproved(const v1::Lineage& lineage, const Boundary& same) {
  if (!unproved_) return absl::FailedPreconditionError(absl::StrCat("adopt ", options_.path, ": it is not open"));
  // Whoever put it there need not have synced it.
  if (absl::Status synced = filestorage::SyncFile(*unproved_); !synced.ok()) return synced;
  // Nobody knows what it is of.
  absl::Status removed = filestorage::RemoveIfThere(file_system_, filestorage::IndexPath(options_.path));
  if (removed.ok()) removed = filestorage::SyncName(file_system_, options_.path);
  if (!removed.ok()) return removed;
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
    if (absl::IsDataLoss(one.status())) break;
    if (!one.ok()) return one.status();
    at = one->end;
    if (surplus.first.size() < most) surplus.first.push_back(*std::move(one));
  }
  auto cut_to = FirstFree(file_system_, 0, [this](int n) { return filestorage::SavedTailPath(options_.path, n); });
  if (!cut_to.ok()) return cut_to.status();
  if (surplus.bytes > 0) surplus.cut_to = *std::move(cut_to);
  auto moved_to = FirstFree(file_system_, 1, [this](int n) { return absl::StrCat(options_.path, n); });
  if (!moved_to.ok()) return moved_to.status();
  surplus.moved_to = *std::move(moved_to);
  return surplus;
}

absl::StatusOr<std::string> CopyFile::CutBack(const v1::Lineage& lineage, const Boundary& same) {
  if (unproved_) {
    if (absl::Status adopted = AdoptUnproved(lineage, same); !adopted.ok()) return adopted;
    unproved_.reset();
    filestorage::Recovery recovery;
    absl::Status opened = OpenAppender(same, filestorage::WrittenBy::kDatabase, &recovery);
    if (!opened.ok()) return opened;
    auto cut = appender_->CutBack(file_system_, same);
    return cut.ok() && cut->empty() ? recovery.saved_to : cut;
  }
  if (absl::Status open = CheckOpen(/*beside=*/false); !open.ok()) return open;
  if (absl::Status cut = Cut(); !cut.ok()) return cut;
  if (absl::Status dropped = DropRebuild(); !dropped.ok()) return dropped;
  absl::Status removed = filestorage::RemoveIfThere(file_system_, filestorage::IndexPath(options_.path));
  if (removed.ok()) removed = filestorage::SyncName(file_system_, options_.path);
  if (!removed.ok()) return removed;
  // First, so that no file is ever shorter than its state says. What is still behind is nothing that the upstream has.
  state_->lineage = lineage;
  state_->lower_bound = same;
  state_->yielded_epoch.clear();
  state_->scrub.position = {};
  if (absl::Status saved = state_file_.Save(*state_); !saved.ok()) return saved;
  auto cut = appender_->CutBack(file_system_, same);
  if (!cut.ok()) return cut;
  // Only now: a difference in the middle is one that the upstream does not see.
  if (absl::Status noted = NoteDifference(""); !noted.ok()) return noted;
  return cut;
}

absl::StatusOr<std::string> CopyFile::MoveAway(const v1::Lineage& lineage) {
  if (absl::Status dropped = state_ ? DropRebuild() : absl::OkStatus(); !dropped.ok()) return dropped;
  absl::Status removed = filestorage::RemoveIfThere(file_system_, filestorage::IndexPath(options_.path));
  if (!removed.ok()) return removed;
  const auto magic = appender_ ? appender_->magic() : filestorage::Magic::kFs30;
  State state = NewState(lineage);
  if (state_) {
    state.followers = state_->followers;
    state.rival_generation = state_->rival_generation;
    state.difference = state_->difference;
  }
  state.lower_bound = filestorage::FirstBoundary(magic);
  auto free = FirstFree(file_system_, 1, [this](int n) { return absl::StrCat(options_.path, n); });
  if (!free.ok()) return free;
  // Until the name is another one the upstream refuses the file as it did before.
  if (absl::Status saved = state_file_.Save(state); !saved.ok()) return saved;
  state_ = std::move(state);
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
