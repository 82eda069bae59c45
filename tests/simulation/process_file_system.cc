#include "tests/simulation/process_file_system.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "filestorage/format.h"

namespace zrs::simulation {
namespace {

using filestorage::File;
using filestorage::FileInfo;
using Kind = FileOperation::Kind;

FileOperation OnName(Kind kind, const std::string& path, const std::string& to = "") {
  return {.kind = kind, .path = path, .to = to, .offset = 0, .size = 0, .number = 0};
}

constexpr uint64_t kLateOperations = 5;

// A lock file has the id of its process. That of the process which runs the simulation has as many digits as it has: a
// disk that is almost full would be full a byte earlier or later.
constexpr absl::string_view kLockSuffix = ".lock";
constexpr absl::string_view kLockContents = " 12345\n";

absl::Status DeadStatus() { return absl::UnavailableError("the process was killed (simulated)"); }

// Or the beginning of one, status included.
bool IsUncommittedHeader(absl::string_view data) {
  return data.size() > filestorage::kTransactionStatusOffset && data.size() <= filestorage::kTransactionHeaderSize &&
         data[filestorage::kTransactionStatusOffset] == filestorage::kStatusInProgress;
}

}  // namespace

class ProcessFile : public File {
 public:
  ProcessFile(ProcessFileSystem& owner, std::unique_ptr<File> base)
      : owner_(owner), base_(std::move(base)), path_(base_->path()) {
    owner_.files_.insert(this);
  }
  ~ProcessFile() override { owner_.files_.erase(this); }

  void CloseForDeadProcess() { base_.reset(); }

  absl::StatusOr<size_t> ReadAt(uint64_t offset, absl::Span<char> out) override {
    if (auto status = Begin(Kind::kRead, offset, out.size()); !status.ok()) return status;
    auto size = base_->ReadAt(offset, out);
    if (size.ok()) LieAboutVotes(out.subspan(0, *size));
    if (size.ok()) KeepVotes(offset, out.subspan(0, *size));
    return size;
  }

  absl::Status WriteAt(uint64_t offset, absl::string_view data) override {
    if (is_lock()) data = kLockContents;
    if (auto status = Begin(Kind::kWrite, offset, data.size(), data); !status.ok()) return status;
    only_header_unsynced_ = !other_unsynced_ && IsUncommittedHeader(data);
    other_unsynced_ = !only_header_unsynced_;
    return base_->WriteAt(offset, data);
  }

  absl::Status Truncate(uint64_t size) override {
    if (is_lock()) size = kLockContents.size();
    if (auto status = Begin(Kind::kTruncate, 0, size); !status.ok()) return status;
    if (owner_.lies_.ignore_cuts && owner_.lies_.path == path_) return absl::OkStatus();
    return base_->Truncate(size);
  }

  absl::Status Sync() override {
    if (owner_.lies_.path == path_) {
      if (owner_.lies_.ignore_file_syncs) return absl::OkStatus();
      if (owner_.lies_.ignore_header_syncs && std::exchange(only_header_unsynced_, false)) return absl::OkStatus();
    }
    other_unsynced_ = false;
    const absl::Status status = Begin(Kind::kSync, 0, 0);
    if (status.ok()) return base_->Sync();
    if (absl::IsDataLoss(status)) FailBaseSync(status);
    return owner_.lies_.hide_failed_syncs && absl::IsDataLoss(status) ? absl::OkStatus() : status;
  }

  absl::StatusOr<FileInfo> Stat() override {
    if (auto status = Begin(Kind::kStat, 0, 0); !status.ok()) return status;
    return base_->Stat();
  }

  absl::Status SetAccess(const filestorage::FileAccess& access) override {
    return base_ ? base_->SetAccess(access) : DeadStatus();
  }

  absl::Status LockExclusively() override {
    if (auto status = Begin(Kind::kLock, 0, 0); !status.ok()) return status;
    return base_->LockExclusively();
  }

  const std::string& path() const override { return path_; }

 private:
  bool is_lock() const { return absl::EndsWith(path_, kLockSuffix); }

  absl::Status Begin(Kind kind, uint64_t offset, uint64_t size, absl::string_view data = {}) {
    return owner_.Begin({.kind = kind, .path = path_, .to = "", .offset = offset, .size = size, .number = 0},
                        base_.get(), data);
  }

  // What the kernel does at a write-back error: the file's pages count as clean.
  void FailBaseSync(const absl::Status& status) {
    owner_.base_.SetHook([status](const FileOperation&) { return status; });
    base_->Sync().IgnoreError();
    owner_.base_.SetHook(nullptr);
  }

  void LieAboutVotes(absl::Span<char> read) {
    if (!owner_.lies_.show_votes_as_committed || owner_.lies_.path != path_) return;
    if (read.size() == 1 && read[0] == filestorage::kStatusInProgress) read[0] = filestorage::kStatusComplete;
    if (read.size() <= filestorage::kTransactionStatusOffset) return;
    char& status = read[filestorage::kTransactionStatusOffset];
    if (status == filestorage::kStatusInProgress) status = filestorage::kStatusComplete;
  }

  void KeepVotes(uint64_t offset, absl::Span<char> read) {
    if (!owner_.lies_.keep_votes || owner_.lies_.path != path_) return;
    if (IsUncommittedHeader({read.data(), read.size()}) && read.size() == filestorage::kTransactionHeaderSize) {
      const auto header = filestorage::DecodeTransactionHeader({read.data(), read.size()});
      vote_.resize(std::min<uint64_t>(header.length, 1 << 20) + filestorage::kLengthSize);
      const auto size = base_->ReadAt(offset, absl::MakeSpan(vote_));
      vote_at_ = offset;
      if (!size.ok() || *size < vote_.size()) vote_.clear();
      return;
    }
    if (vote_.empty()) return;
    const uint64_t end = std::min(offset + read.size(), vote_at_ + vote_.size());
    char status = filestorage::kStatusInProgress;
    const auto size = base_->ReadAt(vote_at_ + filestorage::kTransactionStatusOffset, absl::MakeSpan(&status, 1));
    if (end <= offset || !size.ok() || *size == 0 || status != filestorage::kStatusComplete) return;
    vote_[filestorage::kTransactionStatusOffset] = status;
    for (uint64_t at = std::max(offset, vote_at_); at < end; ++at) read[at - offset] = vote_[at - vote_at_];
  }

  ProcessFileSystem& owner_;
  std::unique_ptr<File> base_;  // null once the process is dead
  const std::string path_;
  // What was written since the last sync that happened.
  bool only_header_unsynced_ = false;
  bool other_unsynced_ = false;
  std::string vote_;  // that was seen last
  uint64_t vote_at_ = 0;
};

ProcessFileSystem::ProcessFileSystem(tests::SimulatedFileSystem& base, ProcessFate& fate, SeededRandom& random,
                                     FileSystemLies lies)
    : base_(base), fate_(fate), random_(random), lies_(std::move(lies)) {}

ProcessFileSystem::~ProcessFileSystem() { Kill(); }

void ProcessFileSystem::Kill() {
  dead_ = true;
  for (ProcessFile* file : files_) file->CloseForDeadProcess();
}

absl::Status ProcessFileSystem::Begin(const FileOperation& operation, File* written, absl::string_view data) {
  if (dead_) return DeadStatus();
  CountDown();
  const Fate fate = fate_.Before(operation);
  if (dead_) return DeadStatus();
  switch (fate) {
    case Fate::kGo:
      return absl::OkStatus();
    case Fate::kFail:
      if (const size_t done = PartOfWrite(operation.offset, data.size()); done > 0) {
        written->WriteAt(operation.offset, data.substr(0, done)).IgnoreError();
      }
      return absl::DataLossError(absl::StrCat(operation.path, " at ", operation.offset, ": I/O error (simulated)"));
    case Fate::kDie:
      break;
  }
  const size_t done = PartOfWrite(operation.offset, data.size());
  if (done > 0) written->WriteAt(operation.offset, data.substr(0, done)).IgnoreError();
  Kill();
  fate_.OnDied();
  return DeadStatus();
}

void ProcessFileSystem::CountDown() {
  if (state_countdown_ > 0 && --state_countdown_ == 0) LetStateCome();
  if (sync_countdown_ > 0 && --sync_countdown_ == 0) base_.SyncDirectory(std::exchange(swapped_in_, "")).IgnoreError();
}

// A kernel copies a write page by page, and a kill comes between two of them.
size_t ProcessFileSystem::PartOfWrite(uint64_t offset, size_t size) {
  constexpr uint64_t kPage = tests::SimulatedFileSystem::kPageSize;
  const uint64_t pages = (offset + size - 1) / kPage - offset / kPage + 1;
  const uint64_t done = size == 0 ? 0 : random_.Below(pages + 1);
  if (done == 0) return 0;
  return static_cast<size_t>(std::min<uint64_t>(size, (offset / kPage + done) * kPage - offset));
}

absl::StatusOr<std::unique_ptr<File>> ProcessFileSystem::Wrap(absl::StatusOr<std::unique_ptr<File>> file) {
  if (!file.ok()) return file.status();
  return std::make_unique<ProcessFile>(*this, *std::move(file));
}

absl::StatusOr<std::unique_ptr<File>> ProcessFileSystem::OpenForReading(const std::string& path) {
  if (auto status = Begin(OnName(Kind::kOpen, path)); !status.ok()) return status;
  return Wrap(base_.OpenForReading(path));
}

absl::StatusOr<std::unique_ptr<File>> ProcessFileSystem::OpenForWriting(const std::string& path) {
  if (auto status = Begin(OnName(Kind::kCreate, path)); !status.ok()) return status;
  return Wrap(base_.OpenForWriting(path));
}

absl::StatusOr<std::unique_ptr<File>> ProcessFileSystem::OpenOrCreate(const std::string& path, uint32_t mode) {
  if (auto status = Begin(OnName(Kind::kCreate, path)); !status.ok()) return status;
  if (path == waiting_state_) LetStateCome();
  return Wrap(base_.OpenOrCreate(path, mode));
}

absl::StatusOr<std::unique_ptr<File>> ProcessFileSystem::CreateExclusively(const std::string& path, uint32_t mode) {
  if (auto status = Begin(OnName(Kind::kCreate, path)); !status.ok()) return status;
  if (path == waiting_state_) LetStateCome();
  if (lies_.overwrite_saved && absl::StartsWith(path, absl::StrCat(lies_.path, ".tr"))) {
    base_.Remove(path).IgnoreError();
  }
  return Wrap(base_.CreateExclusively(path, mode));
}

absl::StatusOr<FileInfo> ProcessFileSystem::Stat(const std::string& path) {
  if (auto status = Begin(OnName(Kind::kStat, path)); !status.ok()) return status;
  return base_.Stat(path);
}

absl::StatusOr<FileInfo> ProcessFileSystem::StatName(const std::string& path) {
  if (auto status = Begin(OnName(Kind::kStat, path)); !status.ok()) return status;
  return base_.StatName(path);
}

absl::Status ProcessFileSystem::Rename(const std::string& from, const std::string& to) {
  if (auto status = Begin(OnName(Kind::kRename, from, to)); !status.ok()) return status;
  if (IsLateState(from, to)) {
    waiting_state_ = from;
    return absl::OkStatus();
  }
  if ((lies_.ignore_swap_syncs || lies_.late_swap_syncs) && to == lies_.path && base_.Exists(to)) {
    swapped_in_ = filestorage::DirectoryOf(to);
  }
  absl::Status renamed = base_.Rename(from, to);
  if (to == lies_.path && !waiting_state_.empty()) state_countdown_ = kLateOperations;
  return renamed;
}

bool ProcessFileSystem::IsLateState(const std::string& from, const std::string& to) const {
  return !lies_.late_state.empty() && to == lies_.late_state && absl::StrContains(base_.Contents(from), "\"swapTo\"");
}

void ProcessFileSystem::LetStateCome() {
  if (waiting_state_.empty()) return;
  base_.Rename(std::exchange(waiting_state_, ""), lies_.late_state).IgnoreError();
  base_.SyncDirectory(filestorage::DirectoryOf(lies_.late_state)).IgnoreError();
}

absl::Status ProcessFileSystem::Link(const std::string& from, const std::string& to) {
  if (auto status = Begin(OnName(Kind::kLink, from, to)); !status.ok()) return status;
  return base_.Link(from, to);
}

absl::Status ProcessFileSystem::Remove(const std::string& path) {
  if (auto status = Begin(OnName(Kind::kRemove, path)); !status.ok()) return status;
  return base_.Remove(path);
}

absl::Status ProcessFileSystem::SyncDirectory(const std::string& directory) {
  if (lies_.ignore_directory_syncs) return absl::OkStatus();
  if (directory == swapped_in_) {
    if (lies_.ignore_swap_syncs) swapped_in_.clear();
    return absl::OkStatus();
  }
  if (auto status = Begin(OnName(Kind::kSyncDirectory, directory)); !status.ok()) return status;
  if (!swapped_in_.empty()) sync_countdown_ = kLateOperations;
  return base_.SyncDirectory(directory);
}

absl::Status ProcessFileSystem::CreateDirectories(const std::string& directory, uint32_t mode) {
  if (auto status = Begin(OnName(Kind::kCreateDirectories, directory)); !status.ok()) return status;
  return base_.CreateDirectories(directory, mode);
}

absl::StatusOr<std::vector<std::string>> ProcessFileSystem::List(const std::string& directory) {
  if (auto status = Begin(OnName(Kind::kList, directory)); !status.ok()) return status;
  return base_.List(directory);
}

absl::StatusOr<uint64_t> ProcessFileSystem::FreeBytes(const std::string& directory) {
  if (auto status = Begin(OnName(Kind::kFreeBytes, directory)); !status.ok()) return status;
  return base_.FreeBytes(directory);
}

}  // namespace zrs::simulation
