// How a primary's file is superseded, promoted again, and given up.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/storage/primary/primary_file.h"

namespace zrs::storage {

absl::Status PrimaryFile::NoteRival(uint64_t generation, const std::string& message) {
  if (!state_) return absl::OkStatus();
  state_->rival_generation = std::max(state_->rival_generation, generation);
  state_->rival = message;
  return Save(*state_);
}

absl::StatusOr<v1::Lineage> PrimaryFile::BeginGeneration(const std::string& id) {
  if (!state_) return absl::FailedPreconditionError(absl::StrCat(options_.path, " is not open; zrs status tells why"));
  if (tail_ && !left_) {
    // Also where another file has taken its place: followers may have all of this one.
    if (absl::Status read = PollUnnamed().status(); !read.ok()) return read;
  }
  const filestorage::Boundary end = left_ ? *left_ : tail_ ? tail_->end() : state_->lower_bound;
  State state = *state_;
  absl::Status begun = replication::AddFork(id, end, state.rival_generation, &state.lineage);
  if (!begun.ok()) return begun;
  state.rival.clear();
  if (absl::Status saved = Save(state); !saved.ok()) return saved;
  state_ = std::move(state);
  return state_->lineage;
}

absl::Status PrimaryFile::GiveUp() {
  // The file may be damaged behind what the state tells of: who opens it as a copy saves that, and cuts it.
  if (!state_) return absl::FailedPreconditionError(absl::StrCat(options_.path, " is not open; zrs status tells why"));
  auto lock = filestorage::DataFileLock::Take(file_system_, options_.path, options_.access);
  if (absl::IsUnavailable(lock.status())) {
    return absl::Status(lock.status().code(), absl::StrCat("stop the database first: ", lock.status().message()));
  }
  if (!lock.ok()) return lock.status();
  State state = *state_;
  state.promoted_from.clear();
  if (absl::Status saved = Save(state); !saved.ok()) return saved;
  state_ = std::move(state);
  lock_ = *std::move(lock);
  return absl::OkStatus();
}

}  // namespace zrs::storage
