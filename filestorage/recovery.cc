#include "filestorage/recovery.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "filestorage/announcement.h"
#include "filestorage/boundary_probe.h"
#include "filestorage/data_file_names.h"
#include "filestorage/scanner.h"

namespace zrs::filestorage {
namespace {

constexpr size_t kReadSize = 1 << 20;
constexpr int kMostSavedTails = 10000;

// Calls `visit` with the bytes of [begin, end) in pieces until it returns an error or false.
absl::Status ForEachPiece(File& file, uint64_t begin, uint64_t end,
                          absl::FunctionRef<absl::StatusOr<bool>(uint64_t offset, absl::string_view piece)> visit) {
  std::vector<char> buffer(static_cast<size_t>(std::min<uint64_t>(kReadSize, end - begin)));
  while (begin < end) {
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(buffer.size(), end - begin));
    const absl::StatusOr<size_t> read = file.ReadAt(begin, absl::MakeSpan(buffer).subspan(0, wanted));
    if (!read.ok()) return read.status();
    if (*read == 0) {
      return absl::DataLossError(absl::StrCat("reading ", file.path(), " at ", begin, ": the file, which had ", end,
                                              " bytes, has become shorter; another program writes to it: stop that"));
    }
    const absl::StatusOr<bool> go_on = visit(begin, absl::string_view(buffer.data(), *read));
    if (!go_on.ok()) return go_on.status();
    if (!*go_on) return absl::OkStatus();
    begin += *read;
  }
  return absl::OkStatus();
}

absl::Status CheckLowerBound(File& file, uint64_t size, Magic magic, const Boundary& lower_bound) {
  const absl::StatusOr<bool> holds = HasBoundary(file, magic, lower_bound);
  if (!holds.ok()) return holds.status();
  if (*holds) return absl::OkStatus();
  const std::string found =
      size < lower_bound.offset ? absl::StrCat("the file ends at ", size) : std::string("the bytes there are others");
  return absl::DataLossError(absl::StrCat(
      "opening ", file.path(), ": the transaction at ", lower_bound.last_offset, " to ", lower_bound.offset,
      " was durable and is damaged or missing: ", found,
      "; nothing was changed. Check the disk and who else writes to this file; then move the file and the storage's "
      "state file away, to have everything copied afresh, or put a sound copy of the file in its place"));
}

// The boundary behind the last complete transaction above `from`, where the bytes are `first` and then the file's.
absl::StatusOr<Boundary> FindEnd(File& file, uint64_t size, Magic magic, const Boundary& from,
                                 absl::string_view first = {}) {
  Scanner scanner(magic, from);
  if (!first.empty()) scanner.Feed(first);
  const absl::Status read = ForEachPiece(file, from.offset + first.size(), size,
                                         [&](uint64_t, absl::string_view piece) -> absl::StatusOr<bool> {
                                           return scanner.Feed(piece).outcome == ScanOutcome::kMore;
                                         });
  if (!read.ok()) return read;
  return scanner.last();
}

absl::StatusOr<std::string> ReadFirstBytes(File& file, uint64_t transaction) {
  std::string bytes(kAnnouncementSize, '\0');
  const absl::StatusOr<size_t> read = file.ReadAt(transaction, absl::MakeSpan(bytes));
  if (!read.ok()) return read.status();
  return bytes;
}

// Whether what lies behind `end` is what the appender leaves of an uncommitted group (see announcement.h), or too
// little to be anything.
absl::StatusOr<bool> IsUncommittedGroup(File& file, uint64_t end, uint64_t size) {
  if (size - end < kTransactionHeaderSize) return true;
  const absl::StatusOr<std::string> first = ReadFirstBytes(file, end);
  if (!first.ok()) return first.status();
  return IsAnnouncement(*first);
}

// Whether what lies behind `end` can be cut without being saved: it is that, or nothing but zeros.
absl::StatusOr<bool> IsOurs(File& file, uint64_t end, uint64_t size) {
  const absl::StatusOr<bool> group = IsUncommittedGroup(file, end, size);
  if (!group.ok() || *group) return group;
  bool zeros = true;
  const absl::Status read =
      ForEachPiece(file, end, size, [&](uint64_t, absl::string_view piece) -> absl::StatusOr<bool> {
        return zeros = piece.find_first_not_of('\0') == absl::string_view::npos;
      });
  if (!read.ok()) return read;
  return zeros;
}

absl::StatusOr<std::unique_ptr<File>> CreateTailFile(FileSystem& file_system, const std::string& path, uint32_t mode) {
  for (int n = 0; n < kMostSavedTails; ++n) {
    absl::StatusOr<std::unique_ptr<File>> file = file_system.CreateExclusively(SavedTailPath(path, n), mode);
    if (!absl::IsAlreadyExists(file.status())) return file;
  }
  return absl::FailedPreconditionError(absl::StrCat("saving the tail of ", path, ": there are ", kMostSavedTails,
                                                    " saved ones, ", SavedTailPath(path, 0),
                                                    " and following; look at them, and move them away"));
}

// After a sync that failed the kernel takes the pages for clean, though they may never have reached the disk. Writing
// them once more makes the next sync that succeeds mean what it says.
void MakeDirtyAgain(File& file, uint64_t begin, uint64_t end) {
  ForEachPiece(file, begin, end, [&](uint64_t offset, absl::string_view piece) -> absl::StatusOr<bool> {
    if (absl::Status written = file.WriteAt(offset, piece); !written.ok()) return written;
    return true;
  }).IgnoreError();
}

// The tid of the first data record of the transaction at `position`, whatever its length says; nothing where there is
// no record.
absl::StatusOr<std::optional<Tid>> ReadRecordTid(File& file, uint64_t position, absl::string_view header) {
  std::string record(kDataHeaderSize, '\0');
  const uint64_t record_position = position + DecodeTransactionHeader(header).HeaderAndStringsSize();
  const absl::StatusOr<size_t> read = file.ReadAt(record_position, absl::MakeSpan(record));
  if (!read.ok()) return read.status();
  if (*read < record.size()) return std::nullopt;
  const DataHeader decoded = DecodeDataHeader(record);
  if (decoded.transaction_position != position) return std::nullopt;
  return decoded.tid;
}

// The tid behind the group, where it has none of its own: the file's last bytes.
absl::StatusOr<std::optional<Tid>> ReadTidBehind(File& file, uint64_t position, uint64_t size,
                                                 absl::string_view header) {
  std::string open_gate(header);
  open_gate[sizeof(Tid)] = '\0';
  if (!NeedsTidBehind(position, open_gate)) return std::nullopt;
  std::string tid(sizeof(Tid), '\0');
  const absl::StatusOr<size_t> read = file.ReadAt(size - tid.size(), absl::MakeSpan(tid));
  if (!read.ok()) return read.status();
  return DecodeUint64(tid);
}

// Commits the group behind `*end` whose turn a killed process left unfinished, if there is one, and moves `*end` to its
// end: its tid has been shown to openers of the file. All of the group was durable before the turn began; the first
// bytes are written anew, since they need not be.
absl::Status FinishInterruptedTurn(File& file, uint64_t size, Magic magic, Boundary* end) {
  if (size - end->offset < kTransactionHeaderSize) return absl::OkStatus();
  std::string header(kTransactionHeaderSize, '\0');
  if (const auto read = file.ReadAt(end->offset, absl::MakeSpan(header)); !read.ok()) return read.status();
  absl::StatusOr<std::optional<Tid>> told_tid = ReadTidBehind(file, end->offset, size, header);
  if (told_tid.ok() && !told_tid->has_value()) told_tid = ReadRecordTid(file, end->offset, header);
  if (!told_tid.ok()) return told_tid.status();
  const std::optional<std::string> real = UnfinishedTurn(end->offset, header, end->tid, *told_tid);
  if (!real.has_value()) return absl::OkStatus();
  const absl::StatusOr<Boundary> group_end = FindEnd(file, size, magic, *end, *real);
  if (!group_end.ok()) return group_end.status();
  // The file ends with the group, or the next one is announced behind it; else this is nobody's turn.
  if (group_end->offset == end->offset) return absl::OkStatus();
  const absl::StatusOr<bool> next = IsUncommittedGroup(file, group_end->offset, size);
  if (!next.ok() || !*next) return next.status();
  for (const HeaderWrite& write : TurnWrites(end->offset, *real)) {
    if (absl::Status written = file.WriteAt(write.offset, write.bytes); !written.ok()) return written;
    if (absl::Status synced = SyncFile(file); !synced.ok()) return synced;
  }
  *end = *group_end;
  return absl::OkStatus();
}

}  // namespace

absl::Status Recover(FileSystem& file_system, File& file, Magic magic, const Boundary& lower_bound, WrittenBy writer,
                     Recovery* recovery) {
  const absl::StatusOr<FileInfo> info = file.Stat();
  if (!info.ok()) return info.status();
  if (absl::Status holds = CheckLowerBound(file, info->size, magic, lower_bound); !holds.ok()) return holds;
  absl::StatusOr<Boundary> end = FindEnd(file, info->size, magic, lower_bound);
  if (!end.ok()) return end.status();
  // What is found may have been written, but not synced, by a process that was killed.
  if (absl::Status synced = SyncFile(file); !synced.ok()) {
    MakeDirtyAgain(file, lower_bound.offset, info->size);
    return synced;
  }
  const uint64_t turned = end->offset;
  if (absl::Status finished = FinishInterruptedTurn(file, info->size, magic, &*end); !finished.ok()) return finished;
  *recovery = {
      .end = *end, .cut_bytes = info->size - end->offset, .finished_bytes = end->offset - turned, .saved_to = ""};
  if (recovery->cut_bytes == 0) return absl::OkStatus();
  const absl::StatusOr<bool> ours = IsOurs(file, end->offset, info->size);
  if (!ours.ok()) return ours.status();
  if (!*ours || writer == WrittenBy::kDatabase) {
    absl::StatusOr<std::string> saved = SaveTail(file_system, file, end->offset);
    if (!saved.ok()) return saved.status();
    recovery->saved_to = *std::move(saved);
  }
  return CutTail(file, end->offset);
}

absl::StatusOr<std::string> SaveTail(FileSystem& file_system, File& file, uint64_t begin) {
  const absl::StatusOr<FileInfo> info = file.Stat();
  if (!info.ok()) return info.status();
  absl::StatusOr<std::unique_ptr<File>> saved = CreateTailFile(file_system, file.path(), info->mode);
  if (!saved.ok()) return saved.status();
  const std::string path = (*saved)->path();
  absl::Status status =
      ForEachPiece(file, begin, info->size, [&](uint64_t offset, absl::string_view piece) -> absl::StatusOr<bool> {
        if (absl::Status written = (*saved)->WriteAt(offset - begin, piece); !written.ok()) return written;
        return true;
      });
  if (status.ok()) status = SyncFile(**saved);
  if (status.ok()) status = SyncName(file_system, path);
  if (status.ok()) return path;
  // An incomplete one would only confuse; the tail itself is still in its place.
  saved->reset();
  file_system.Remove(path).IgnoreError();
  return status;
}

absl::Status CutTail(File& file, uint64_t end) {
  const absl::StatusOr<FileInfo> info = file.Stat();
  if (!info.ok()) return info.status();
  if (info->size >= end + kTransactionHeaderSize) {
    // A truncation zeroes the rest of the page it cuts, and that page can become durable before the new size is: then
    // there would be a header of zeros with a transaction's end behind it, which ZODB refuses to open. So the header
    // stays, with a status that says "ignore what follows", until nothing follows it any more.
    const absl::StatusOr<std::string> first = ReadFirstBytes(file, end);
    if (!first.ok()) return first.status();
    if (first->back() != kStatusInProgress) {
      absl::Status marked = file.WriteAt(end + kTransactionStatusOffset, absl::string_view(&kStatusInProgress, 1));
      if (marked.ok()) marked = SyncFile(file);
      if (!marked.ok()) return marked;
    }
    absl::Status shortened = file.Truncate(end + kAnnouncementSize);
    if (shortened.ok()) shortened = SyncFile(file);
    if (!shortened.ok()) return shortened;
  }
  if (absl::Status cut = file.Truncate(end); !cut.ok()) return cut;
  return SyncFile(file);
}

}  // namespace zrs::filestorage
