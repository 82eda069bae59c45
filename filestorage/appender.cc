#include "filestorage/appender.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "filestorage/boundary_probe.h"
#include "filestorage/data_file_names.h"
#include "filestorage/read_magic.h"

namespace zrs::filestorage {
namespace {

absl::StatusOr<Magic> MagicToAppendTo(File& file) {
  absl::StatusOr<FirstBytes> first = ReadMagic(file);
  if (!first.ok()) return first.status();
  if (first->magic.ok()) return first->magic;
  return absl::DataLossError(absl::StrCat("opening ", file.path(), " at 0: ", first->magic.status().message(),
                                          "; nothing was changed. Move it away, to have everything copied afresh"));
}

// What a crash during a creation left behind.
absl::Status RemoveLeftover(FileSystem& file_system, const std::string& path, const std::string& new_path) {
  const absl::StatusOr<FileInfo> info = file_system.Stat(new_path);
  if (absl::IsNotFound(info.status())) return absl::OkStatus();
  if (!info.ok()) return info.status();
  if (info->size <= kMagicSize) {
    if (absl::Status removed = file_system.Remove(new_path); !removed.ok()) return removed;
    // Else a power loss could bring it back beside the file that is made, where it would be in the way for ever.
    return SyncName(file_system, new_path);
  }
  return absl::AlreadyExistsError(absl::StrCat("creating ", path, ": ", new_path, " is in the way and has ", info->size,
                                               " bytes; look at it, and move it away"));
}

}  // namespace

absl::Status Appender::Create(FileSystem& file_system, const std::string& path, Magic magic, const FileAccess& access) {
  const absl::StatusOr<FileInfo> existing = file_system.Stat(path);
  if (existing.ok()) return absl::AlreadyExistsError(absl::StrCat("creating ", path, ": there is one already"));
  if (!absl::IsNotFound(existing.status())) return existing.status();
  const std::string new_path = NewPath(path);
  if (absl::Status status = RemoveLeftover(file_system, path, new_path); !status.ok()) return status;
  {
    absl::StatusOr<std::unique_ptr<File>> file = CreateWithAccess(file_system, new_path, access);
    if (!file.ok()) return file.status();
    if (absl::Status status = (*file)->WriteAt(0, MagicBytes(magic)); !status.ok()) return status;
    if (absl::Status status = (*file)->Sync(); !status.ok()) return status;
  }
  if (absl::Status status = file_system.Rename(new_path, path); !status.ok()) return status;
  return SyncName(file_system, path);
}

absl::StatusOr<std::unique_ptr<Appender>> Appender::Open(FileSystem& file_system, const std::string& path,
                                                         const Boundary& lower_bound, Recovery* recovery,
                                                         WrittenBy writer) {
  absl::StatusOr<std::unique_ptr<File>> file = file_system.OpenForWriting(path);
  if (!file.ok()) return file.status();
  if (absl::Status status = (*file)->LockExclusively(); !status.ok()) return status;
  const absl::StatusOr<Magic> magic = MagicToAppendTo(**file);
  if (!magic.ok()) return magic.status();
  const Boundary from = lower_bound.offset == 0 ? FirstBoundary(*magic) : lower_bound;
  if (absl::Status status = Recover(file_system, **file, *magic, from, writer, recovery); !status.ok()) {
    return status;
  }
  return std::unique_ptr<Appender>(new Appender(*std::move(file), *magic, recovery->end));
}

Appender::Appender(std::unique_ptr<File> file, Magic magic, const Boundary& committed)
    : file_(std::move(file)), magic_(magic), committed_(committed), tail_end_(committed.offset) {}

Appender::~Appender() {
  if (broken_.ok() && !leave_tail_) Cut().IgnoreError();
}

absl::Status Appender::CheckInPlace(FileSystem& file_system) const {
  const absl::StatusOr<FileInfo> open = file_->Stat();
  if (!open.ok()) return open.status();
  const absl::StatusOr<FileInfo> named = file_system.Stat(file_->path());
  if (!named.ok() && !absl::IsNotFound(named.status())) return named.status();
  const uint64_t written = tail_end_ - held_.size();
  if (named.ok() && named->SameFile(*open)) {
    if (open->size >= written) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(file_->path(), ": somebody has cut it off: it has ", open->size,
                                                      " bytes, and ", written, " were written"));
  }
  return absl::FailedPreconditionError(absl::StrCat(
      file_->path(), ": somebody has ", named.ok() ? "put another file in its place" : "taken it away or renamed it",
      " while it is being written; put it back under its name"));
}

absl::Status Appender::StayInPlace(FileSystem& file_system) {
  absl::Status in_place = CheckInPlace(file_system);
  return absl::IsFailedPrecondition(in_place) ? Break(in_place) : in_place;
}

absl::Status Appender::CheckUsable() const {
  if (broken_.ok()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(file_->path(), ": stopped by an earlier error: ", broken_.message(),
                                                    "; see to the disk, then start this storage again"));
}

absl::Status Appender::CheckAppendable() const {
  if (absl::Status usable = CheckUsable(); !usable.ok()) return usable;
  if (!must_cut_) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(file_->path(), ": the disk was full; what was not committed has to be cut first"));
}

absl::Status Appender::Append(absl::string_view bytes) {
  if (absl::Status appendable = CheckAppendable(); !appendable.ok()) return appendable;
  if (bytes.empty()) return absl::OkStatus();
  if (began_) {
    if (absl::Status status = file_->WriteAt(tail_end_, bytes); !status.ok()) return AfterFailedWrite(status);
    tail_end_ += bytes.size();
    return absl::OkStatus();
  }
  if (held_.size() + bytes.size() < kTransactionHeaderSize) {
    held_.append(bytes.data(), bytes.size());
    tail_end_ += bytes.size();
    return absl::OkStatus();
  }
  if (held_.empty()) return BeginGroup(bytes);
  return BeginGroup(absl::StrCat(held_, bytes));
}

// Step 1, and step 2 for the bytes that are there.
absl::Status Appender::BeginGroup(absl::string_view first) {
  if (first[kTransactionStatusOffset] == kStatusInProgress) {
    return absl::InvalidArgumentError(
        absl::StrCat("appending to ", file_->path(), " at ", committed_.offset, ": the transaction is not committed"));
  }
  const absl::string_view announcement = first.substr(0, kAnnouncementSize);
  if (blank_) {
    announced_ = std::string(announcement);
    blank_ = false;
  } else if (announced_.empty()) {
    untidy_ = true;
    absl::Status status = Write(AnnouncementWrite(committed_.offset, announcement, committed_.tid));
    if (!status.ok()) return AfterFailedWrite(status);
    if (status = SyncFile(*file_); !status.ok()) return Break(status);
    announced_ = std::string(announcement);
  } else if (announced_ != announcement) {
    return absl::FailedPreconditionError(absl::StrCat("appending to ", file_->path(), " at ", committed_.offset,
                                                      ": another transaction than was announced; cut first"));
  }
  const absl::Status status = file_->WriteAt(committed_.offset + kAnnouncementSize, first.substr(kAnnouncementSize));
  if (!status.ok()) return AfterFailedWrite(status);
  began_ = true;
  tid_behind_ = NeedsTidBehind(committed_.offset, first);
  held_.clear();
  tail_end_ = committed_.offset + first.size();
  return absl::OkStatus();
}

absl::Status Appender::Write(const HeaderWrite& write) { return file_->WriteAt(write.offset, write.bytes); }

absl::Status Appender::Commit(const Boundary& end, absl::string_view following, bool more_expected) {
  if (absl::Status appendable = CheckAppendable(); !appendable.ok()) return appendable;
  if (end == committed_ && tail_end_ == committed_.offset) return absl::OkStatus();
  if (end.offset != tail_end_ || !began_) {
    return absl::FailedPreconditionError(absl::StrCat("committing to ", file_->path(), " up to ", end.offset,
                                                      ": but the bytes appended end at ", tail_end_));
  }
  const absl::StatusOr<Next> next = AnnounceNext(end, following, more_expected);
  if (!next.ok()) return AfterFailedWrite(next.status());
  if (tid_behind_) {
    const absl::Status status = file_->WriteAt(end.offset, absl::string_view(announced_).substr(0, sizeof(Tid)));
    if (!status.ok()) return AfterFailedWrite(status);
  }
  if (absl::Status status = SyncFile(*file_); !status.ok()) return Break(status);
  return FinishTurn(end, *next, following);
}

// Writes the group's real first bytes; the last of them is not durable yet.
absl::Status Appender::Turn() {
  const std::vector<HeaderWrite> writes = TurnWrites(committed_.offset, announced_);
  for (size_t i = 0; i < writes.size(); ++i) {
    if (i > 0) {
      if (absl::Status status = SyncFile(*file_); !status.ok()) return Break(status);
    }
    if (absl::Status status = Write(writes[i]); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// Nobody knows whether the group's status on the disk has turned. It must not read as committed, or the next opener
// would vouch for a group that a power loss may still take back.
void Appender::TurnBack() { Write(TurnBackWrite(committed_.offset, announced_, committed_.tid)).IgnoreError(); }

// Step 3.
absl::Status Appender::FinishTurn(const Boundary& end, Next next, absl::string_view following) {
  if (absl::Status turned = Turn(); !turned.ok()) {
    if (!broken_.ok()) TurnBack();
    return AfterFailedWrite(turned);
  }
  if (absl::Status status = SyncFile(*file_); !status.ok()) {
    TurnBack();
    return Break(status);
  }
  committed_ = end;
  const bool tid_behind = tid_behind_;
  ForgetGroup();
  untidy_ = tid_behind || next != Next::kNothing;
  if (tid_behind) return Cut();
  if (next == Next::kKnown) announced_ = std::string(following.substr(0, kAnnouncementSize));
  if (next == Next::kBlank) FillBlankHeader();
  return absl::OkStatus();
}

// With the group's own bytes, so that it is durable before the group turns: whoever finds this one there finds the file
// as it is going to be until the next one comes, or until Tidy(). Zeros behind a group that has turned, with nothing
// that hides them, would be damage for ZODB.
absl::StatusOr<Appender::Next> Appender::AnnounceNext(const Boundary& end, absl::string_view following,
                                                      bool more_expected) {
  const bool known = following.size() >= kTransactionHeaderSize;
  std::optional<HeaderWrite> announcement;
  // Openers look at more than the tid behind it.
  if (!tid_behind_ && known && following[kTransactionStatusOffset] != kStatusInProgress) {
    announcement = AnnouncementWrite(end.offset, following.substr(0, kAnnouncementSize), end.tid);
  }
  if (!tid_behind_ && !known && more_expected) announcement = BlankAnnouncementWrite(end.offset, end.tid);
  if (announcement) {
    const absl::Status status = Write(*announcement);
    if (status.ok()) return known ? Next::kKnown : Next::kBlank;
    if (!absl::IsResourceExhausted(status)) return status;
    // It can wait; but a part of it may be there.
    room_end_ = std::max(room_end_, end.offset + kAnnouncementSize);
  }
  if (room_end_ > end.offset) {
    if (absl::Status status = file_->Truncate(end.offset); !status.ok()) return status;
    room_end_ = 0;
  }
  return Next::kNothing;
}

// For those who read the file, which may be before this is durable: the announcement is.
void Appender::FillBlankHeader() {
  blank_ = true;
  if (room_end_ >= committed_.offset + kTransactionHeaderSize) return;
  const std::string rest(kTransactionHeaderSize - kAnnouncementSize, '\0');
  file_->WriteAt(committed_.offset + kAnnouncementSize, rest).IgnoreError();
}

absl::Status Appender::MakeRoom(uint64_t bytes) {
  if (absl::Status usable = CheckUsable(); !usable.ok()) return usable;
  const uint64_t begin = std::max(room_end_, committed_.offset + kAnnouncementSize);
  const uint64_t end = committed_.offset + bytes;
  if (!blank_ || tail_end_ != committed_.offset || end <= begin) return absl::OkStatus();
  // Also where only a part of it can be written.
  room_end_ = end;
  const absl::Status written = file_->WriteAt(begin, std::string(static_cast<size_t>(end - begin), '\0'));
  if (absl::IsResourceExhausted(written)) return absl::OkStatus();
  if (!written.ok()) return Break(written);
  if (absl::Status synced = SyncFile(*file_); !synced.ok()) return Break(synced);
  return absl::OkStatus();
}

absl::Status Appender::Tidy() {
  if (absl::Status usable = CheckUsable(); !usable.ok()) return usable;
  return tail_end_ == committed_.offset ? Cut() : absl::OkStatus();
}

absl::Status Appender::Cut() {
  if (absl::Status usable = CheckUsable(); !usable.ok()) return usable;
  if (untidy_) {
    if (absl::Status status = CutTail(*file_, committed_.offset); !status.ok()) return AfterFailedWrite(status);
    room_end_ = 0;
  }
  ForgetGroup();
  return absl::OkStatus();
}

absl::StatusOr<std::string> Appender::CutBack(FileSystem& file_system, const Boundary& end,
                                              const std::function<absl::Status()>& before_cut) {
  if (absl::Status cut = Cut(); !cut.ok()) return cut;
  const absl::StatusOr<bool> has = HasBoundary(*file_, magic_, end);
  if (!has.ok()) return has.status();
  if (!*has || end.offset > committed_.offset) {
    return absl::FailedPreconditionError(
        absl::StrCat("cutting ", file_->path(), " at ", end.offset, ": no transaction of it ends there"));
  }
  absl::StatusOr<std::string> saved = std::string();
  if (end.offset < committed_.offset) saved = SaveTail(file_system, *file_, end.offset);
  if (!saved.ok()) return saved;
  if (absl::Status may = before_cut(); !may.ok()) return may;
  if (end.offset == committed_.offset) return saved;
  if (absl::Status cut = CutTail(*file_, end.offset); !cut.ok()) return Break(cut);
  committed_ = end;
  ForgetGroup();
  return saved;
}

absl::StatusOr<size_t> Appender::Read(uint64_t offset, absl::Span<char> out) {
  if (absl::Status usable = CheckUsable(); !usable.ok()) return usable;
  if (offset >= committed_.offset) return 0;
  return file_->ReadAt(offset,
                       out.subspan(0, static_cast<size_t>(std::min<uint64_t>(out.size(), committed_.offset - offset))));
}

absl::Status Appender::AfterFailedWrite(const absl::Status& status) {
  if (!absl::IsResourceExhausted(status)) return Break(status);
  must_cut_ = true;
  return status;
}

absl::Status Appender::Break(const absl::Status& status) {
  if (broken_.ok()) broken_ = status;
  return status;
}

void Appender::ForgetGroup() {
  tail_end_ = committed_.offset;
  held_.clear();
  announced_.clear();
  blank_ = false;
  began_ = false;
  tid_behind_ = false;
  untidy_ = false;
  must_cut_ = false;
}

}  // namespace zrs::filestorage
