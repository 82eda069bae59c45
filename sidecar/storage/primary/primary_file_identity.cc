// Which database a primary's file is, where that is not known, or a person says so.
#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/data_file_names.h"
#include "sidecar/replication/id.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/storage/identity.h"
#include "sidecar/storage/primary/primary_file.h"

namespace zrs::storage {

State PrimaryFile::NewState() {
  State state;
  state.path = options_.path;
  state.machine_id = options_.machine_id;
  state.role = "primary";
  state.lineage = NewLineage(runtime_);
  return state;
}

absl::Status PrimaryFile::TakeIdentity(const v1::Lineage& lineage) {
  if (told_) return absl::FailedPreconditionError("a person has said what it is");
  if (!state_ || !tail_ || left_) {
    return absl::UnavailableError(absl::StrCat("another file is in the place of ", options_.path));
  }
  State state = *state_;
  state.lineage = lineage;
  state.takes_identity = v1::End::TAKES_IDENTITY_NO;
  state.followers.clear();
  state.lower_bound = tail_->end();
  state.inode = inode_;
  if (absl::Status saved = Save(state); !saved.ok()) return saved;
  state_ = std::move(state);
  return absl::OkStatus();
}

absl::Status PrimaryFile::SettleIdentity() {
  if (!state_) return absl::OkStatus();
  state_->takes_identity = v1::End::TAKES_IDENTITY_NO;
  return Save(*state_);
}

absl::Status PrimaryFile::Save(const State& state) { return told_ ? absl::OkStatus() : state_file_.Save(state); }

absl::StatusOr<std::string> PrimaryFile::KeepState() {
  const std::string& path = state_file_.path();
  const absl::StatusOr<std::string> kept = filestorage::FreeName(file_system_, path);
  if (!kept.ok()) return kept;
  // A second name: without a state file the next start would begin a new identity, which any secondary may exchange.
  const absl::Status linked = file_system_.Link(path, *kept);
  if (absl::IsNotFound(linked)) return "";
  if (!linked.ok()) return linked;
  return absl::StrCat("; the state file of before is kept as ", *kept);
}

absl::StatusOr<std::string> PrimaryFile::Adopt(bool new_database) {
  auto loaded = state_file_.Load();
  const bool damaged = absl::IsInvalidArgument(loaded.status());
  if (!loaded.ok() && !damaged) return loaded.status();
  std::optional<State> state = damaged ? std::nullopt : *std::move(loaded);
  if (state && (state->role != "primary" || !state->rival.empty())) {
    return absl::FailedPreconditionError(absl::StrCat(
        "state file ", state_file_.path(),
        state->role != "primary" ? " says that it is a secondary's copy: configure it as one, and type zrs promote"
                                 : " says that there is another primary: zrs promote --force makes this one the right "
                                   "one, and zrs demote, or replicate-from, its secondary"));
  }
  const bool foreign = state && !CheckStateBelongs(*state, state_file_.path(), options_.path, options_.machine_id).ok();
  const bool unshared = state && !foreign && state->takes_identity == v1::End::TAKES_IDENTITY_WHILE_NEW;
  absl::StatusOr<std::string> kept = "";
  if (!state || foreign || (new_database && !unshared)) kept = KeepState();
  if (!kept.ok()) return kept;
  if (!state || (new_database && !unshared)) {
    State begun = NewState();
    // Whom it was promoted from, its configuration tells still.
    if (state) begun.promoted_from = state->promoted_from;
    state = std::move(begun);
  }
  const std::string id = replication::DescribeId(state->lineage.database_id());
  state->path = options_.path;
  state->machine_id = options_.machine_id;
  state->takes_identity = foreign || new_database ? v1::End::TAKES_IDENTITY_NO : v1::End::TAKES_IDENTITY_AS_TOLD;
  if (absl::Status saved = state_file_.Save(*state, /*anew=*/true); !saved.ok()) {
    return absl::Status(saved.code(), absl::StrCat(saved.message(), *kept));
  }
  told_ = true;
  if (new_database) return absl::StrCat("is a database of its own, ", id, *kept);
  if (foreign) return absl::StrCat("is the primary of database ", id, " on this host from now on", *kept);
  return absl::StrCat(
      "takes the identity of the first secondary that finds all of its own file in this one; until then "
      "it is database ",
      id, *kept);
}

absl::StatusOr<std::string> PrimaryFile::AdoptRestored(const std::string& id) {
  if (!state_ || !tail_ || !left_) {
    return absl::UnavailableError(absl::StrCat("the file in the place of ", options_.path, " is not open"));
  }
  if (absl::Status named = filestorage::SyncName(file_system_, options_.path); !named.ok()) return named;
  if (absl::Status there = CheckStillThere(); !there.ok()) return there;
  State state = *state_;
  // What a copy has in common with it a comparison finds; here nobody knows.
  absl::Status begun =
      replication::AddFork(id, filestorage::FirstBoundary(tail_->magic()), state.rival_generation, &state.lineage);
  if (!begun.ok()) return begun;
  state.lower_bound = tail_->end();
  state.inode = inode_;
  state.doubted = false;
  state.takes_identity = v1::End::TAKES_IDENTITY_NO;
  // Where they were is in no file any more.
  state.followers.clear();
  absl::StatusOr<std::string> kept = KeepState();
  if (!kept.ok()) return kept;
  if (absl::Status saved = Save(state); !saved.ok()) {
    return absl::Status(saved.code(), absl::StrCat(saved.message(), *kept));
  }
  told_ = true;
  return absl::StrCat("goes on from the file that is there now, of ", tail_->end().offset, " bytes, as generation ",
                      replication::CurrentGeneration(state.lineage),
                      ". Its secondaries are diverged until zrs resync there, which saves beside what only they have",
                      *kept);
}

}  // namespace zrs::storage
