#include "filestorage/committed_scan.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "filestorage/in_progress.h"

namespace zrs::filestorage {
namespace {

constexpr size_t kReadSize = size_t{1} << 20;
// Data of a record that is longer is not read: nothing in it can be checked, and seeking is faster.
constexpr uint64_t kLargestRead = uint64_t{4} << 20;
constexpr uint64_t kProgressInterval = uint64_t{8} << 20;

class CommittedScan final : public RecordObserver {
 public:
  CommittedScan(File& file, Magic magic, const Boundary& start, const CommittedScanObservers& observers,
                const ScanProgress& progress)
      : file_(file), magic_(magic), observers_(observers), progress_(progress), buffer_(kReadSize) {
    report_.end = start;
    next_progress_ = start.offset + kProgressInterval;
  }

  absl::StatusOr<CommittedScanReport> Run() {
    const absl::StatusOr<FileInfo> info = file_.Stat();
    if (!info.ok()) return info.status();
    report_.size = total_ = info->size;
    std::optional<uint64_t> found_damage_at;
    while (true) {
      const absl::StatusOr<bool> clean = ScanFromEnd();
      if (!clean.ok()) return clean.status();
      report_.sound = *clean;
      if (*clean || found_damage_at == report_.end.offset) return std::move(report_);
      found_damage_at = report_.end.offset;
      if (observers_.on_restart) observers_.on_restart();
    }
  }

  // A transaction that the file ends within is told of as little as one in progress. (Of one that it was given all at
  // once the scanner does not say where it ends.)
  void OnRecord(uint64_t position, const DataHeader& header) override {
    if (scanner_->transaction_end() <= report_.size) observers_.records->OnRecord(position, header);
  }

 private:
  // Scans from the last sound transaction on to the size that the file had at first (or, where a writer took an
  // uncommitted tail back, to its end). False: there is damage.
  absl::StatusOr<bool> ScanFromEnd() {
    Scanner& scanner =
        scanner_.emplace(magic_, report_.end, observers_.transactions, observers_.records == nullptr ? nullptr : this);
    ScanResult result = scanner.Feed({});
    while (result.outcome == ScanOutcome::kMore && scanner.position() < report_.size) {
      if (scanner.skippable() > kLargestRead) {
        scanner.PassOver(std::min(scanner.skippable(), report_.size - scanner.position()));
        result = scanner.Feed({});
      } else if (absl::Status status = ReadPiece(&result); !status.ok()) {
        return status;
      }
      if (!KeepOn(scanner.position())) {
        return absl::CancelledError(absl::StrCat("scanning ", file_.path(), " was stopped at ", scanner.position()));
      }
    }
    report_.in_progress = result.outcome == ScanOutcome::kInProgress;
    if (report_.in_progress) {
      if (absl::Status status = CheckInProgress(&result); !status.ok()) return status;
    }
    report_.end = scanner.last();
    report_.decreasing_tids += scanner.decreasing_tids();
    report_.position = result.outcome == ScanOutcome::kCorrupt ? result.position : 0;
    report_.reason = std::move(result.reason);
    return result.outcome != ScanOutcome::kCorrupt;
  }

  // Makes `result` corrupt where bytes follow the transaction in progress.
  absl::Status CheckInProgress(ScanResult* result) {
    const absl::StatusOr<std::optional<TransactionHeader>> before = ReadTransactionHeader(file_, result->position);
    if (!before.ok()) return before.status();
    const absl::StatusOr<FileInfo> info = file_.Stat();
    if (!info.ok()) return info.status();
    // It was in progress when the size was asked for if it is so afterwards: a writer that finished it, or took it back
    // and began another one, may have appended meanwhile.
    const absl::StatusOr<std::optional<TransactionHeader>> after = ReadTransactionHeader(file_, result->position);
    if (!after.ok()) return after.status();
    if (!before->has_value() || *before != *after || (*after)->status != kStatusInProgress) return absl::OkStatus();
    const std::string wrong = BytesBehindInProgress(result->position, (*after)->length, info->size);
    if (wrong.empty()) return absl::OkStatus();
    result->outcome = ScanOutcome::kCorrupt;
    result->reason = absl::StrCat("the transaction ", wrong);
    return absl::OkStatus();
  }

  // Reads on, at most to report_.size, which is lowered to the file's end where that comes before.
  absl::Status ReadPiece(ScanResult* result) {
    const uint64_t position = scanner_->position();
    const uint64_t size = std::min<uint64_t>(buffer_.size(), report_.size - position);
    const absl::StatusOr<size_t> read =
        file_.ReadAt(position, absl::MakeSpan(buffer_).subspan(0, static_cast<size_t>(size)));
    if (!read.ok()) return read.status();
    if (*read < size) report_.size = position + *read;
    *result = scanner_->Feed(absl::string_view(buffer_.data(), *read));
    return absl::OkStatus();
  }

  bool KeepOn(uint64_t position) {
    if (!progress_ || (position < next_progress_ && position < report_.size)) return true;
    next_progress_ = position + kProgressInterval;
    return progress_(std::min(position, total_), total_);
  }

  File& file_;
  const Magic magic_;
  const CommittedScanObservers& observers_;
  const ScanProgress& progress_;
  std::vector<char> buffer_;
  std::optional<Scanner> scanner_;
  CommittedScanReport report_;
  uint64_t total_ = 0;  // bytes, for the progress
  uint64_t next_progress_ = 0;
};

}  // namespace

absl::StatusOr<CommittedScanReport> ScanCommitted(File& file, Magic magic, const Boundary& start,
                                                  const CommittedScanObservers& observers,
                                                  const ScanProgress& progress) {
  return CommittedScan(file, magic, start, observers, progress).Run();
}

absl::StatusOr<std::optional<TransactionHeader>> ReadTransactionHeader(File& file, uint64_t position) {
  std::array<char, kTransactionHeaderSize> bytes{};
  const absl::StatusOr<size_t> read = file.ReadAt(position, absl::MakeSpan(bytes));
  if (!read.ok()) return read.status();
  if (*read < bytes.size()) return std::nullopt;
  return DecodeTransactionHeader(absl::string_view(bytes.data(), bytes.size()));
}

}  // namespace zrs::filestorage
