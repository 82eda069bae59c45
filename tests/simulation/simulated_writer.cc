#include "tests/simulation/simulated_writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/simulation/opener.h"
#include "tests/simulation/packed_file.h"

namespace zrs::simulation {
namespace {

constexpr size_t kVoteChunk = 64 << 10;  // ZODB copies a large transaction in such pieces
constexpr uint64_t kOids = 40;

// 2026-01-01 in the minutes of a time stamp, which count 31 days a month.
constexpr uint64_t kFirstMinute = (uint64_t{2026 - 1900} * 12) * 31 * 24 * 60;

}  // namespace

SimulatedWriter::SimulatedWriter(EventQueue& queue, tests::SimulatedFileSystem& disk, FileNotifications& notifications,
                                 EventLog& log, std::string path, WriterOptions options)
    : queue_(queue),
      disk_(&disk),
      notifications_(&notifications),
      log_(log),
      path_(std::move(path)),
      options_(options) {}

void SimulatedWriter::Open() {
  TakeBackRenaming();
  auto file = disk_->OpenOrCreate(path_, 0644);
  if (!file.ok()) return log_.Violation("writer", absl::StrCat("cannot open its file: ", file.status().ToString()));
  file_ = *std::move(file);
  const std::string contents = disk_->Contents(path_);
  if (history_.empty()) {
    log_.Add("writer", absl::StrCat("creates the file (there were ", contents.size(), " bytes without a magic)"));
    if (!contents.empty()) file_->Truncate(0).IgnoreError();
    WriteAt(0, filestorage::MagicBytes(filestorage::Magic::kFs30));
    history_ = std::string(filestorage::MagicBytes(filestorage::Magic::kFs30));
    return;
  }
  log_.Add("writer", absl::StrCat("opens the file: ", history_.size(), " of ", contents.size(), " bytes committed"));
  if (contents.size() == history_.size()) return;
  SaveTail(contents);
  file_->Truncate(history_.size()).IgnoreError();
  notifications_->Changed(path_);
}

void SimulatedWriter::SaveTail(const std::string& contents) {
  for (int n = 0;; ++n) {
    const std::string saved = absl::StrCat(path_, ".tr", n);
    if (disk_->Exists(saved)) continue;
    auto file = disk_->CreateExclusively(saved, 0644);
    if (file.ok()) (*file)->WriteAt(0, absl::string_view(contents).substr(history_.size())).IgnoreError();
    return;
  }
}

void SimulatedWriter::Kill() {
  if (is_open()) log_.Add("writer", busy() ? "is killed inside a transaction" : "is killed");
  steps_.clear();
  file_.reset();
}

void SimulatedWriter::OnHostCrash() {
  Kill();
  TakeBackRenaming();
  const std::string contents = disk_->Contents(path_);
  const Opened opened = OpenAsZodb(contents);
  // Of a pack, which syncs nothing, a power loss may leave anything.
  size_t epoch = past_.size() + 1;
  const absl::string_view sound = absl::string_view(contents).substr(0, opened.end);
  // What was before a fork is of another host's file, whatever little of this one is the same.
  while (epoch > 0 && !IsOfEpoch(sound, epoch - 1)) epoch = IsForked(epoch - 1) ? 0 : epoch - 1;
  // What was not synced may be sound and another all the same: a transaction whose id lies in two pages, of which one
  // is lost. The database takes it as it is.
  const bool garbled = epoch == 0 && synced_ >= PackedSizeOf(past_.size()) && sound.size() >= synced_ &&
                       sound.substr(0, synced_) == absl::string_view(history_).substr(0, synced_);
  if (garbled) epoch = past_.size() + 1;
  if (epoch == 0 && !past_.empty()) {
    log_.Add("writer", absl::StrCat("after the crash a person packs again: ", packed_size_, " bytes"));
    history_.resize(packed_size_);
    disk_->SetContents(path_, history_);
  } else {
    if (epoch > 0 && epoch <= past_.size()) GoBackTo(epoch - 1);
    history_ = contents.substr(0, opened.end);
    log_.Add(
        "writer",
        absl::StrCat("after the crash ", history_.size(), " of ", contents.size(), " bytes are committed in epoch ",
                     past_.size(), opened.refused ? absl::StrCat(", and ZODB refuses the file: ", opened.reason) : ""));
  }
  synced_ = history_.size();
  MendOld();
  std::erase_if(record_positions_, [this](uint64_t position) { return position >= history_.size(); });
}

bool SimulatedWriter::IsOfEpoch(absl::string_view sound, size_t epoch) const {
  const std::string& history = HistoryOf(epoch);
  const uint64_t synced = epoch < past_.size() ? past_[epoch].synced : 0;
  return sound.size() >= std::max({PackedSizeOf(epoch), synced, uint64_t{filestorage::kMagicSize}}) &&
         absl::StartsWith(history, sound);
}

void SimulatedWriter::TakeBackRenaming() {
  if (!std::exchange(renamed_away_, false)) return;
  if (!disk_->Exists(path_)) {
    log_.Add("writer", "a person takes back the renaming of a pack that was killed");
    disk_->Rename(OldPath(), path_).IgnoreError();
    disk_->SyncDirectory(filestorage::DirectoryOf(path_)).IgnoreError();
    notifications_->Changed(path_);
  }
  MendOld();
}

// The journal of a real disk has names in order: a pack's second renaming is never without its first.
void SimulatedWriter::MendOld() {
  if (past_.empty() || forked_ || disk_->Contents(OldPath()) == past_.back().history) return;
  disk_->Remove(OldPath()).IgnoreError();
  disk_->SetContents(OldPath(), past_.back().history);
}

SimulatedWriter::Past SimulatedWriter::Present() {
  return {std::move(history_), packed_size_, synced_, file_number_, forked_, restored_};
}

// The later epochs never were.
void SimulatedWriter::GoBackTo(size_t epoch) {
  log_.Add("writer", absl::StrCat("after the crash the file is that of epoch ", epoch, " again"));
  packed_size_ = past_[epoch].packed_size;
  file_number_ = past_[epoch].file;
  forked_ = past_[epoch].forked;
  restored_ = past_[epoch].restored;
  past_.resize(epoch);
  record_positions_.clear();
}

void SimulatedWriter::MoveTo(tests::SimulatedFileSystem& disk, FileNotifications& notifications, size_t epoch) {
  Kill();
  past_.push_back(Present());
  disk_ = &disk;
  notifications_ = &notifications;
  const std::string contents = disk_->Contents(path_);
  history_ = contents.substr(0, OpenAsZodb(contents).end);
  log_.Add("writer", absl::StrCat("goes on with another host's file, of epoch ", epoch, ": ", history_.size(), " of ",
                                  past_.back().history.size(), " bytes, epoch ", this->epoch()));
  packed_size_ = past_[epoch].packed_size;
  file_number_ = past_[epoch].file;
  forked_ = true;
  restored_ = past_[epoch].restored;
  synced_ = history_.size();
  std::erase_if(record_positions_, [this](uint64_t position) { return position >= history_.size(); });
}

void SimulatedWriter::GoOnFromBackup(size_t epoch, uint64_t end) {
  Kill();
  past_.push_back(Present());
  history_ = past_[epoch].history.substr(0, end);
  log_.Add("writer", absl::StrCat("is to go on from a backup of epoch ", epoch, ": ", end, " of ",
                                  past_.back().history.size(), " bytes, epoch ", this->epoch()));
  packed_size_ = past_[epoch].packed_size;
  file_number_ = ++files_;
  forked_ = true;
  restored_ = this->epoch();
  synced_ = history_.size();
  record_positions_.clear();
}

// ---- Packs

void SimulatedWriter::BeginPack(bool drop_end) {
  if (!is_open() || busy() || history_.size() <= filestorage::kMagicSize) return;
  steps_.push_back([this, drop_end] {
    packed_ = PackedFile(history_, drop_end, queue_.random());
    if (packed_.size() == history_.size()) return steps_.clear();  // ZODB too leaves a file without garbage
    auto file = disk_->OpenOrCreate(absl::StrCat(path_, ".pack"), 0644);
    if (!file.ok()) return log_.Violation("writer", absl::StrCat("cannot pack: ", file.status().ToString()));
    (*file)->Truncate(0).IgnoreError();
    (*file)->WriteAt(0, packed_).IgnoreError();
  });
  steps_.push_back([this] {
    if (disk_->Exists(OldPath())) disk_->Remove(OldPath()).IgnoreError();
  });
  steps_.push_back([this] {
    renamed_away_ = true;
    disk_->Rename(path_, OldPath()).IgnoreError();
    notifications_->Changed(path_);
  });
  steps_.push_back([this] { PutPackedFileInPlace(); });
}

void SimulatedWriter::PutPackedFileInPlace() {
  log_.Add("writer", absl::StrCat("packs ", history_.size(), " bytes to ", packed_.size(), ", epoch ", epoch() + 1));
  past_.push_back(Present());
  synced_ = 0;
  file_number_ = ++files_;
  forked_ = false;
  history_ = std::move(packed_);
  packed_size_ = history_.size();
  record_positions_.clear();
  renamed_away_ = false;
  disk_->Rename(absl::StrCat(path_, ".pack"), path_).IgnoreError();
  auto file = disk_->OpenForWriting(path_);
  if (!file.ok())
    return log_.Violation("writer", absl::StrCat("cannot open what it packed: ", file.status().ToString()));
  file_ = *std::move(file);
  notifications_->Changed(path_);
}

// ---- Transactions

void SimulatedWriter::Step() {
  if (!is_open()) return;
  if (steps_.empty()) return BeginTransaction();
  const std::function<void()> step = std::move(steps_.front());
  steps_.pop_front();
  step();
}

void SimulatedWriter::WriteAt(uint64_t offset, absl::string_view data) {
  const absl::Status status = file_->WriteAt(offset, data);
  if (!status.ok()) log_.Violation("writer", absl::StrCat("cannot write: ", status.ToString()));
  notifications_->Changed(path_);
}

filestorage::Tid SimulatedWriter::NextTid() {
  const int64_t micros = absl::ToInt64Microseconds(queue_.now());
  const uint64_t minutes = kFirstMinute + static_cast<uint64_t>(micros / 60'000'000);
  const uint64_t fraction = (static_cast<uint64_t>(micros % 60'000'000) << 32) / 60'000'000;
  last_tid_ = std::max(last_tid_ + 1, minutes << 32 | fraction);
  return last_tid_;
}

tests::RecordSpec SimulatedWriter::MakeRecord(bool large) {
  SeededRandom& random = queue_.random();
  tests::RecordSpec record{.oid = random.Below(kOids)};
  switch (random.Below(8)) {
    case 0:  // an undo: the data are those of an earlier record
      if (!record_positions_.empty()) record.back_pointer = record_positions_[random.Below(record_positions_.size())];
      break;
    case 1:  // the creation undone, or a deletion: a zero back pointer
      break;
    case 2:
      if (history_.size() > options_.enough) break;
      record.data = random.Bytes(random.Between(1000, 12000));
      break;
    default:
      record.data = random.Bytes(random.Between(1, 300));
  }
  if (large) record.data = random.Bytes(random.Between(options_.largest / 4, options_.largest));
  return record;
}

tests::TransactionSpec SimulatedWriter::MakeTransaction() {
  SeededRandom& random = queue_.random();
  tests::TransactionSpec transaction{.tid = NextTid(), .status = filestorage::kStatusInProgress};
  if (random.OneIn(2)) transaction.user = random.Bytes(random.Below(20));
  if (random.OneIn(2)) transaction.description = random.Bytes(random.Below(60));
  const bool small = history_.size() > options_.enough;
  if (!small && random.OneIn(30)) transaction.extension = random.Bytes(random.Below(65536));
  const bool large = !small && random.OneIn(options_.large_one_in);
  const uint64_t records = large ? 1 : random.Below(5);  // also none
  for (uint64_t i = 0; i < records; ++i) transaction.records.push_back(MakeRecord(large));
  return transaction;
}

void SimulatedWriter::BeginTransaction() {
  const tests::TransactionSpec transaction = MakeTransaction();
  std::string bytes = tests::EncodeTransaction(transaction, history_.size());
  const size_t header_size = filestorage::kTransactionHeaderSize + transaction.user.size() +
                             transaction.description.size() + transaction.extension.size();
  PlanVote(bytes, header_size);
  if (queue_.random().OneIn(options_.abort_one_in)) return PlanAbort();
  bytes[filestorage::kTransactionStatusOffset] = filestorage::kStatusComplete;
  const uint64_t first_record = transaction.records.empty() ? 0 : history_.size() + header_size;
  PlanFinish(std::move(bytes), first_record);
}

void SimulatedWriter::PlanVote(const std::string& voted, size_t header_size) {
  log_.Add("writer", absl::StrCat("votes at ", history_.size(), " with ", voted.size(), " bytes"));
  const uint64_t begin = history_.size();
  const auto plan = [this, begin, &voted](size_t at, size_t size) {
    steps_.push_back([this, begin, at, bytes = voted.substr(at, size)] { WriteAt(begin + at, bytes); });
  };
  if (voted.size() < 4096 && !queue_.random().OneIn(3)) return plan(0, voted.size());
  const size_t body_end = voted.size() - filestorage::kLengthSize;
  plan(0, header_size);
  for (size_t at = header_size; at < body_end; at += kVoteChunk) plan(at, std::min(kVoteChunk, body_end - at));
  plan(body_end, filestorage::kLengthSize);
}

void SimulatedWriter::PlanFinish(std::string committed, uint64_t first_record) {
  const uint64_t begin = history_.size();
  steps_.push_back([this, begin, first_record, committed = std::move(committed)] {
    log_.Add("writer", absl::StrCat("commits up to ", begin + committed.size()));
    history_ += committed;  // first, since whoever is told of the write may look at once
    if (first_record != 0) record_positions_.push_back(first_record);
    ++transactions_;
    WriteAt(begin + filestorage::kTransactionStatusOffset, std::string(1, filestorage::kStatusComplete));
  });
  steps_.push_back([this] {
    if (const absl::Status status = file_->Sync(); !status.ok()) {
      log_.Violation("writer", absl::StrCat("cannot sync: ", status.ToString()));
    }
    synced_ = history_.size();
  });
}

void SimulatedWriter::PlanAbort() {
  steps_.push_back([this] {
    log_.Add("writer", absl::StrCat("aborts after the vote, cuts at ", history_.size()));
    file_->Truncate(history_.size()).IgnoreError();
    notifications_->Changed(path_);
  });
}

}  // namespace zrs::simulation
