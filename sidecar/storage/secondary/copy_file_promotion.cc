// How a copy becomes a primary's file.
#include <algorithm>
#include <utility>

#include "sidecar/replication/lineage.h"
#include "sidecar/storage/secondary/copy_file.h"

namespace zrs::storage {

absl::Status CopyFile::RehearsePromotion() {
  if (absl::Status open = CheckOpen(/*beside=*/false); !open.ok()) return open;
  if (absl::Status in_place = appender_->CheckInPlace(file_system_); !in_place.ok()) return in_place;
  v1::Lineage lineage = state_->lineage;
  absl::Status begun = replication::AddFork({}, appender_->committed(), state_->rival_generation, &lineage);
  if (!begun.ok()) return begun;
  return state_file_.Save(*state_, /*anew=*/true);
}

absl::StatusOr<CopyFile::Promoted> CopyFile::Promote(const std::string& epoch_id,
                                                     const filestorage::ScanProgress& go_on) {
  if (absl::Status open = CheckOpen(/*beside=*/false); !open.ok()) return open;
  if (absl::Status in_place = appender_->CheckInPlace(file_system_); !in_place.ok()) return in_place;
  if (absl::Status cut = Cut(); !cut.ok()) return cut;
  // A pack that comes before the first look at it as a primary's file is known by that.
  const absl::StatusOr<filestorage::FileInfo> info = file_system_.Stat(options_.path);
  if (!info.ok()) return info.status();
  // Whoever takes over may put another file in its place.
  ++file_number_;
  Promoted promoted;
  if (state_->rebuild) {
    promoted.notes.push_back(
        "the old primary's file had been replaced, by a pack most likely: what had arrived of the new one is dropped, "
        "and this one is from before that");
  }
  if (absl::Status dropped = DropRebuild(); !dropped.ok()) return dropped;
  State state = *state_;
  absl::Status begun = replication::AddFork(epoch_id, appender_->committed(), state.rival_generation, &state.lineage);
  if (!begun.ok()) return begun;
  state.role = "primary";
  state.promoted_from = options_.UpstreamText();
  state.yielded_epoch.clear();
  state.difference.clear();
  state.scrub = {};
  state.lower_bound = appender_->committed();
  state.inode = info->inode;
  if (absl::Status saved = state_file_.Save(state); !saved.ok()) return saved;
  state_ = std::move(state);
  promoted.lineage = state_->lineage;
  if (std::string note = UpdateIndex(go_on); !note.empty()) promoted.notes.push_back(std::move(note));
  appender_.reset();
  old_.reset();
  lock_.reset();
  return promoted;
}

absl::Status CopyFile::NoteGeneration(uint64_t generation) {
  if (state_) state_->rival_generation = std::max(state_->rival_generation, generation);
  return SaveState();
}

absl::Status CopyFile::NoteUpstream(const std::string& address, bool is_secondary) {
  if (!state_) return absl::OkStatus();
  state_->upstream = address;
  state_->upstream_is_secondary = is_secondary;
  return SaveState();
}

}  // namespace zrs::storage
