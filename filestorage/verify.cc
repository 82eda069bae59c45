#include "filestorage/verify.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "filestorage/format.h"
#include "filestorage/read_magic.h"
#include "filestorage/scanner.h"

namespace zrs::filestorage {
namespace {

constexpr size_t kReadSize = size_t{1} << 20;
// Data of a record that is longer is not read: nothing in it can be checked, and seeking is faster.
constexpr uint64_t kLargestRead = uint64_t{4} << 20;
constexpr uint64_t kProgressInterval = uint64_t{8} << 20;

// How far a file of `size` goes on behind the transaction at `position`, which is within it. The length may be any: a
// secondary announces what it appends by one that is beyond any file.
uint64_t BytesBehind(uint64_t position, uint64_t length, uint64_t size) {
  const uint64_t room = size - std::min(size, position);
  if (room < kLengthSize || length > room - kLengthSize) return 0;
  return room - kLengthSize - length;
}

class Verifier final : public ScannerObserver {
 public:
  Verifier(File& file, const VerifyProgress& progress) : file_(file), progress_(progress), buffer_(kReadSize) {}

  absl::StatusOr<VerifyReport> Run() {
    const absl::StatusOr<FileInfo> info = file_.Stat();
    if (!info.ok()) return info.status();
    report_.file_size = info->size;
    const absl::StatusOr<FirstBytes> first = ReadMagic(file_);
    if (!first.ok()) return first.status();
    if (!first->magic.ok()) {
      report_.reason = first->size == 0 ? "the file is empty: it has not even a FileStorage's first four bytes"
                                        : std::string(first->magic.status().message());
      return report_;
    }
    const Magic magic = *first->magic;
    report_.end = FirstBoundary(magic);
    // Damage is believed when a fresh read of its transaction finds it again: a writer may have taken an aborted
    // transaction back between two reads.
    bool done = false;
    while (!done) {
      const absl::StatusOr<bool> clean = ScanFromEnd(magic);
      if (!clean.ok()) return clean.status();
      done = *clean || found_damage_at_ == report_.end.offset;
      found_damage_at_ = report_.end.offset;
      report_.sound = *clean;
    }
    if (absl::Status status = CompleteDigest(magic); !status.ok()) return status;
    if (!report_.sound) return std::move(report_);
    report_.uncommitted_bytes = report_.file_size - std::min(report_.file_size, report_.end.offset);
    if (absl::Status status = CheckCutShort(); !status.ok()) return status;
    return std::move(report_);
  }

  void OnTransaction(const ScannedTransaction& transaction) override {
    ++report_.transactions;
    report_.records += transaction.records;
  }

 private:
  // Scans from the last sound transaction on to the size that the file had at first (or, where a writer took an
  // uncommitted tail back, to its end). False: there is damage.
  absl::StatusOr<bool> ScanFromEnd(Magic magic) {
    Scanner scanner(magic, report_.end, this);
    ScanResult result = scanner.Feed({});
    while (result.outcome == ScanOutcome::kMore && scanner.position() < report_.file_size) {
      if (scanner.skippable() > kLargestRead) {
        scanner.PassOver(std::min(scanner.skippable(), report_.file_size - scanner.position()));
        result = scanner.Feed({});
      } else if (absl::Status status = ReadPiece(&scanner, &report_.file_size, &result); !status.ok()) {
        return status;
      }
      if (!KeepOn(scanner.position())) {
        return absl::CancelledError(absl::StrCat("checking ", file_.path(), " was stopped at ", scanner.position()));
      }
    }
    if (result.outcome == ScanOutcome::kInProgress) {
      if (absl::Status status = CheckInProgress(&result); !status.ok()) return status;
    }
    report_.end = scanner.last();
    report_.decreasing_tids += scanner.decreasing_tids();
    report_.position = result.outcome == ScanOutcome::kCorrupt ? result.position : 0;
    report_.reason = std::move(result.reason);
    return result.outcome != ScanOutcome::kCorrupt;
  }

  // A writer has one transaction in progress, and at the very end: makes `result` corrupt where bytes follow it.
  absl::Status CheckInProgress(ScanResult* result) {
    const absl::StatusOr<std::optional<TransactionHeader>> before = ReadHeader(result->position);
    if (!before.ok()) return before.status();
    const absl::StatusOr<FileInfo> info = file_.Stat();
    if (!info.ok()) return info.status();
    // It was in progress when the size was asked for if it is so afterwards: a writer that finished it, or took it back
    // and began another one, may have appended meanwhile.
    const absl::StatusOr<std::optional<TransactionHeader>> after = ReadHeader(result->position);
    if (!after.ok()) return after.status();
    if (!before->has_value() || *before != *after || (*after)->status != kStatusInProgress) return absl::OkStatus();
    const uint64_t following = BytesBehind(result->position, (*after)->length, info->size);
    if (following == 0) return absl::OkStatus();
    result->outcome = ScanOutcome::kCorrupt;
    result->reason = absl::StrCat("the transaction is marked as in progress, and ", following, " bytes follow it");
    return absl::OkStatus();
  }

  absl::Status CheckCutShort() {
    const absl::StatusOr<std::optional<TransactionHeader>> header = ReadHeader(report_.end.offset);
    if (!header.ok()) return header.status();
    const absl::StatusOr<FileInfo> info = file_.Stat();
    if (!info.ok()) return info.status();
    // A writer may have finished it meanwhile.
    report_.cut_short = header->has_value() && (*header)->status != kStatusInProgress &&
                        info->size - std::min(info->size, report_.end.offset) < (*header)->length + kLengthSize;
    return absl::OkStatus();
  }

  // Of the transaction at `position`; nothing where the file ends within it.
  absl::StatusOr<std::optional<TransactionHeader>> ReadHeader(uint64_t position) {
    const absl::StatusOr<size_t> read =
        file_.ReadAt(position, absl::MakeSpan(buffer_).subspan(0, kTransactionHeaderSize));
    if (!read.ok()) return read.status();
    if (*read < kTransactionHeaderSize) return std::nullopt;
    return DecodeTransactionHeader(absl::string_view(buffer_.data(), *read));
  }

  // Reads on, at most to `limit`, which is lowered to the file's end where that comes before.
  absl::Status ReadPiece(Scanner* scanner, uint64_t* limit, ScanResult* result) {
    const uint64_t size = std::min<uint64_t>(buffer_.size(), *limit - scanner->position());
    const absl::StatusOr<size_t> read =
        file_.ReadAt(scanner->position(), absl::MakeSpan(buffer_).subspan(0, static_cast<size_t>(size)));
    if (!read.ok()) return read.status();
    if (*read < size) *limit = scanner->position() + *read;
    *result = scanner->Feed(absl::string_view(buffer_.data(), *read));
    return absl::OkStatus();
  }

  // Reads the last sound transaction in full, where the scan passed over a part of it.
  absl::Status CompleteDigest(Magic magic) {
    if (report_.end.digest != Digest{}) return absl::OkStatus();
    Boundary start;
    start.offset = report_.end.last_offset;
    Scanner scanner(magic, start);
    ScanResult result;
    uint64_t limit = report_.end.offset;
    while (result.outcome == ScanOutcome::kMore && scanner.position() < limit) {
      if (absl::Status status = ReadPiece(&scanner, &limit, &result); !status.ok()) return status;
    }
    if (scanner.last().offset != report_.end.offset) {
      return absl::AbortedError(absl::StrCat("checking ", file_.path(), ": the transaction at ", start.offset,
                                             " changed meanwhile; check again"));
    }
    report_.end.digest = scanner.last().digest;
    return absl::OkStatus();
  }

  bool KeepOn(uint64_t position) {
    if (!progress_ || (position < next_progress_ && position < report_.file_size)) return true;
    next_progress_ = position + kProgressInterval;
    return progress_(std::min(position, report_.file_size), report_.file_size);
  }

  File& file_;
  const VerifyProgress& progress_;
  std::vector<char> buffer_;
  VerifyReport report_;
  std::optional<uint64_t> found_damage_at_;  // where the transaction begins that an earlier scan found damaged
  uint64_t next_progress_ = kProgressInterval;
};

}  // namespace

absl::StatusOr<VerifyReport> Verify(FileSystem& file_system, const std::string& path, const VerifyProgress& progress) {
  const absl::StatusOr<std::unique_ptr<File>> file = file_system.OpenForReading(path);
  if (!file.ok()) return file.status();
  return Verifier(**file, progress).Run();
}

}  // namespace zrs::filestorage
