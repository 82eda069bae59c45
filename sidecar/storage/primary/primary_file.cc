#include "sidecar/storage/primary/primary_file.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/boundary_probe.h"
#include "filestorage/data_file_names.h"
#include "filestorage/format.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/storage/identity.h"
#include "sidecar/storage/old_file.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {
namespace {

using filestorage::Boundary;
using filestorage::OldPath;
using filestorage::Tail;
using filestorage::TailEvent;
using filestorage::TailReport;

absl::StatusOr<size_t> ReadTail(Tail* tail, const std::string& path, uint64_t offset, absl::Span<char> out) {
  if (tail == nullptr) return absl::FailedPreconditionError(absl::StrCat("read ", path, ": it is closed"));
  return tail->Read(offset, out);
}

absl::StatusOr<bool> TailHasBoundary(Tail& tail, const Boundary& boundary) {
  return filestorage::HasBoundary([&tail](uint64_t offset, absl::Span<char> out) { return tail.Read(offset, out); },
                                  tail.magic(), boundary);
}

void AddReplacedEpoch(const std::string& id, const Boundary& left, v1::Lineage* lineage) {
  v1::Epoch epoch;
  epoch.set_id(id);
  epoch.set_origin(v1::Epoch::ORIGIN_REPLACED);
  epoch.set_generation(replication::CurrentGeneration(*lineage));
  *epoch.mutable_left() = replication::ToProto(left);
  replication::AddEpoch(std::move(epoch), lineage);
}

}  // namespace

void LogDecreasingTids(const StorageOptions& options, uint64_t from, const TailReport& report) {
  if (report.decreasing_tids == 0) return;
  spdlog::warn(
      "storage {}: {}: {} transaction(s) between offsets {} and {} have an id not above the one before, as after a "
      "clock "
      "that was set back; they are followed, as ZODB takes them; look at the clock of this host",
      options.name, options.path, report.decreasing_tids, from, report.end.offset);
}

PrimaryFile::PrimaryFile(const StorageOptions& options, filestorage::FileSystem& file_system, runtime::Runtime& runtime)
    : options_(options),
      file_system_(file_system),
      runtime_(runtime),
      state_file_(file_system, options.state_path),
      chain_(file_system, options.path) {}

absl::Status PrimaryFile::LoadOrCreateState(bool* new_identity) {
  auto loaded = state_file_.Load();
  if (!loaded.ok()) return loaded.status();
  *new_identity = !loaded->has_value();
  if (*new_identity) {
    // It may be a known database all the same, whose state was lost.
    state_ = NewState();
    state_->takes_identity = v1::End::TAKES_IDENTITY_WHILE_NEW;
    return absl::OkStatus();
  }
  state_ = **std::move(loaded);
  absl::Status belongs = CheckStateBelongs(*state_, state_file_.path(), options_.path, options_.machine_id);
  // A promotion is history once the configuration tells the same.
  if (options_.upstreams.empty()) state_->promoted_from.clear();
  return belongs.ok() ? CheckStateIsPrimarys(*state_, state_file_.path()) : belongs;
}

// A writer that creates the file writes its magic a moment later: both are "not there yet".
absl::Status PrimaryFile::CheckFileIsThere() {
  auto info = file_system_.Stat(options_.path);
  if (!info.ok()) return info.status();
  if (!info->is_regular || info->size >= filestorage::kMagicSize) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat("open ", options_.path, ": the file is empty so far"));
}

absl::StatusOr<PrimaryFile::Opened> PrimaryFile::OpenTail(const Boundary& known) {
  const absl::StatusOr<filestorage::FileInfo> info = file_system_.Stat(options_.path);
  auto tail = Tail::Open(file_system_, options_.path, options_.tail, known);
  if (!tail.ok()) {
    // It may have become empty since, which heals; another sidecar that holds it does not.
    absl::Status there = CheckFileIsThere();
    return there.ok() ? tail.status() : there;
  }
  // A writer syncs the file, never its name: without that, a power loss could take away all that was sent.
  absl::Status named = filestorage::SyncName(file_system_, options_.path);
  if (!named.ok()) return named;
  tail_ = *std::move(tail);
  Opened opened;
  if (info.ok()) {
    opened.file_mode = info->mode & 0777;
    inode_ = info->inode;
  }
  opened.state = *state_;
  opened.magic = tail_->magic();
  opened.end = tail_->end();
  return opened;
}

absl::StatusOr<PrimaryFile::Opened> PrimaryFile::Open() {
  // Of an earlier attempt, whose locks would keep this one off.
  tail_.reset();
  chain_.Clear();
  left_.reset();
  unsure_ = false;
  if (absl::Status there = CheckFileIsThere(); !there.ok()) return there;
  bool new_identity = false;
  if (absl::Status loaded = LoadOrCreateState(&new_identity); !loaded.ok()) return loaded;
  auto opened = OpenTail(state_->lower_bound);
  if (absl::IsFailedPrecondition(opened.status())) {
    const std::string why(opened.status().message());
    if (absl::Status looked = LookForOldFile(); !looked.ok()) return looked;
    return OpenPending(why);
  }
  if (!opened.ok()) return opened;
  state_->doubted = false;
  if (!new_identity) {
    const absl::StatusOr<bool> same = HasTheSameEnd();
    if (!same.ok()) return same.status();
    return *same ? std::move(opened) : OpenPending("another file is in its place");
  }
  opened->new_identity = true;
  state_->lower_bound = opened->end;
  state_->inode = inode_;
  if (absl::Status saved = Save(*state_); !saved.ok()) return saved;
  opened->state = *state_;
  return opened;
}

absl::StatusOr<PrimaryFile::Opened> PrimaryFile::OpenPending(const std::string& why) {
  tail_.reset();
  auto opened = OpenTail(Boundary{});
  if (opened.ok()) opened->pending = absl::StrCat(options_.path, ": ", why);
  return opened;
}

// A pack may leave the beginning of the file as it was, up to where the state knows it. What was committed and told
// after that is found in the old file, if that is still there.
absl::StatusOr<bool> PrimaryFile::HasTheSameEnd() {
  if (state_->inode == 0 || state_->inode == inode_) return true;
  if (absl::Status looked = LookForOldFile(); !looked.ok()) return looked;
  if (left_->offset > state_->lower_bound.offset) {
    const absl::StatusOr<bool> same = FileHasBoundary(file_system_, options_.path, *left_);
    unsure_ = chain_.followed_inode() != state_->inode;
    if (same.ok() && !*same) return false;
  }
  left_.reset();
  chain_.Clear();
  return true;
}

// While nobody looked, the old file may have grown after the state was saved: its own end is where it was left.
absl::Status PrimaryFile::LookForOldFile() {
  if (absl::Status found = chain_.BeginUnseen(state_->lower_bound); !found.ok()) return found;
  left_ = chain_.followed() != nullptr ? chain_.followed()->end() : state_->lower_bound;
  return absl::OkStatus();
}

absl::StatusOr<PrimaryFile::Opened> PrimaryFile::OpenReplacement(TailEvent event) {
  if (std::exchange(unsure_, false)) left_.reset();
  if (!left_) {
    left_ = tail_->end();
    if (event == TailEvent::kReplaced) {
      chain_.BeginWith(std::move(tail_), inode_);
    } else {
      chain_.BeginLost();
    }
    // What was committed last may not have been looked at, and followers may have it from an earlier life.
    if (chain_.followed() != nullptr) left_ = chain_.followed()->end();
  } else if (tail_ && event == TailEvent::kReplaced) {
    chain_.Add(std::move(tail_), inode_);
  }
  tail_.reset();
  if (absl::Status there = CheckFileIsThere(); !there.ok()) return there;
  const auto info = file_system_.Stat(options_.path);
  if (info.ok()) chain_.LetGo(info->inode);
  auto opened = OpenTail(*left_);
  if (absl::IsFailedPrecondition(opened.status())) return OpenPending("another file is in its place");
  if (!opened.ok()) return opened;
  left_.reset();
  chain_.Clear();
  state_->doubted = false;
  return opened;
}

absl::StatusOr<TailReport> PrimaryFile::Poll() {
  if (!tail_) return absl::FailedPreconditionError(absl::StrCat("look at ", options_.path, ": it is not open"));
  polled_from_ = tail_->end().offset;
  return tail_->Poll();
}

absl::StatusOr<TailReport> PrimaryFile::PollUnnamed() {
  if (!tail_) return absl::FailedPreconditionError(absl::StrCat("look at ", options_.path, ": it is not open"));
  tail_->Unname();
  return filestorage::PollToEnd(*tail_);
}

const char* PrimaryFile::Fresh::Find(uint64_t wanted, uint64_t size) const {
  if (wanted < offset || wanted - offset >= bytes.size()) return nullptr;
  return size <= bytes.size() - (wanted - offset) ? bytes.data() + (wanted - offset) : nullptr;
}

PrimaryFile::Fresh PrimaryFile::ReadFresh(size_t most) {
  if (!tail_ || tail_->end().offset - polled_from_ > most) return {};
  Fresh fresh{polled_from_, std::string(static_cast<size_t>(tail_->end().offset - polled_from_), '\0')};
  // Whoever wants them and does not find them here reads them, and is told the error.
  const auto read = tail_->Read(fresh.offset, absl::MakeSpan(fresh.bytes));
  return read.ok() && *read == fresh.bytes.size() ? fresh : Fresh{};
}

absl::Status PrimaryFile::CheckStillThere() {
  const absl::StatusOr<TailReport> report = tail_->Poll();
  if (!report.ok()) return report.status();
  return report->as_before() ? absl::OkStatus() : absl::UnavailableError(report->reason);
}

absl::StatusOr<filestorage::PackProof> PrimaryFile::Prove() {
  if (told_) return absl::UnavailableError("a person has said what it is");
  auto proof = chain_.Prove(*tail_, *left_, state_->doubted, &between_);
  if (!proof.ok()) {
    return absl::Status(proof.status().code(), absl::StrCat("looking for transaction ", filestorage::TidHex(left_->tid),
                                                            " in ", options_.path, ": ", proof.status().message()));
  }
  if (proof->proved()) return proof;
  if (unsure_ && !state_->doubted) {
    // The file is what the state tells of, and goes on in another way than an older one that lies beside it.
    left_ = state_->lower_bound;
    return filestorage::PackProof{filestorage::PackProof::By::kSameTransaction, ""};
  }
  // What is beside it may tell of a later pack already, of which this file knows nothing.
  if (absl::Status there = CheckStillThere(); !there.ok()) return there;
  if (!state_->doubted || state_->lower_bound != *left_) {
    State state = *state_;
    state.doubted = true;
    // The bound that was saved last may be in a backup too, which the next start would take for the right file.
    state.lower_bound = *left_;
    if (absl::Status saved = Save(state); !saved.ok()) return saved;
    state_ = std::move(state);
  }
  return proof;
}

absl::StatusOr<PrimaryFile::Opened> PrimaryFile::BeginEpoch(const std::string& id) {
  if (told_) return absl::UnavailableError("a person has said what it is");
  absl::Status named = filestorage::SyncName(file_system_, options_.path);
  if (!named.ok()) return named;
  // The name is looked at again now that it is durable.
  if (absl::Status there = CheckStillThere(); !there.ok()) return there;
  State state = *state_;
  const absl::StatusOr<bool> same = TailHasBoundary(*tail_, *left_);
  if (!same.ok()) return same.status();
  if (!*same) {
    // Nobody followed the file between; by what it ended with a follower proves that this one came of it.
    AddReplacedEpoch(between_ ? RandomId(runtime_) : id, *left_, &state.lineage);
    if (between_) AddReplacedEpoch(id, *between_, &state.lineage);
  }
  state.lower_bound = tail_->end();
  state.doubted = false;
  state.inode = inode_;
  if (absl::Status saved = Save(state); !saved.ok()) return saved;
  state_ = std::move(state);
  left_.reset();
  if (*same) chain_.Clear();
  Opened begun;
  begun.state = *state_;
  begun.magic = tail_->magic();
  begun.end = tail_->end();
  return begun;
}

absl::Status PrimaryFile::SaveState() {
  if (!state_ || !tail_ || left_) return absl::OkStatus();
  state_->lower_bound = tail_->end();
  state_->inode = inode_;
  return Save(*state_);
}

void PrimaryFile::Close() {
  tail_.reset();
  chain_.Clear();
  lock_.reset();
}

absl::StatusOr<size_t> PrimaryFile::Read(uint64_t offset, absl::Span<char> out) {
  return ReadTail(tail_.get(), options_.path, offset, out);
}

void PrimaryFile::Remember(replication::KnownFollower follower) {
  if (state_) replication::Remember(std::move(follower), &state_->followers);
}

bool PrimaryFile::RemembersPosition(const replication::OldPosition& position) const {
  return state_ && replication::WasThere(state_->followers, position);
}

absl::StatusOr<size_t> PrimaryFile::ReadOld(uint64_t offset, absl::Span<char> out) {
  if (chain_.followed() != nullptr) return chain_.followed()->Read(offset, out);
  return ReadFileIfThere(file_system_, OldPath(options_.path), offset, out);
}

}  // namespace zrs::storage
