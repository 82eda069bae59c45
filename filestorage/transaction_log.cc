#include "filestorage/transaction_log.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "filestorage/committed_scan.h"
#include "filestorage/read_magic.h"
#include "filestorage/saved_tail.h"
#include "filestorage/scanner.h"

namespace zrs::filestorage {
namespace {

class LogReader final : public ScannerObserver {
 public:
  LogReader(const LogOptions& options, const LogVisitor& visitor) : options_(options), visitor_(visitor) {}

  absl::StatusOr<LogReport> ReadDataFile(File& file, Magic magic) {
    file_ = &file;
    if (absl::Status scanned = Scan(magic, FirstBoundary(magic)); !scanned.ok()) return scanned;
    return std::move(report_);
  }

  absl::StatusOr<LogReport> ReadTail(SavedTail& tail) {
    file_ = &tail;
    begin_ = tail.begin();
    report_.is_tail = true;
    report_.cut_at = tail.cut_at();
    Boundary from;
    from.offset = begin_;
    bool goes_on = true;
    while (goes_on) {
      // Which magic it was does not matter: only digests depend on it.
      if (absl::Status scanned = Scan(Magic::kFs30, from); !scanned.ok()) return scanned;
      from = end_;
      const absl::StatusOr<bool> finished = tail.Finish(end_.offset);
      if (!finished.ok()) return finished.status();
      goes_on = *finished && !report_.stopped;
      if (goes_on) finished_at_ = end_.offset;
    }
    return std::move(report_);
  }

  void OnTransaction(const ScannedTransaction& transaction) override {
    const bool asked_for = options_.from <= transaction.tid && transaction.tid <= options_.to;
    if (!asked_for || report_.stopped || !status_.ok()) return;
    status_ = Tell(transaction);
  }

 private:
  absl::Status Scan(Magic magic, const Boundary& from) {
    absl::StatusOr<CommittedScanReport> scan =
        ScanCommitted(*file_, magic, from, {.transactions = this},
                      [this](uint64_t /*done*/, uint64_t /*total*/) { return status_.ok() && !report_.stopped; });
    if (!status_.ok()) return status_;
    if (report_.stopped) return absl::OkStatus();
    if (!scan.ok()) return scan.status();
    end_ = scan->end;
    report_.end = end_.offset - begin_;
    report_.rest = scan->size - std::min(scan->size, end_.offset);
    report_.sound = scan->sound;
    report_.position = scan->sound ? 0 : scan->position - begin_;
    report_.reason = std::move(scan->reason);
    return absl::OkStatus();
  }

  absl::Status Tell(const ScannedTransaction& transaction) {
    absl::StatusOr<std::optional<TransactionHeader>> header = ReadTransactionHeader(*file_, transaction.offset);
    if (!header.ok()) return header.status();
    if (!header->has_value()) return Changed(transaction.offset);
    LoggedTransaction told = {.position = transaction.offset - begin_,
                              .size = transaction.end - transaction.offset,
                              .tid = transaction.tid,
                              .status = transaction.offset == finished_at_ ? kStatusInProgress : transaction.status,
                              .records = transaction.records,
                              .user = std::string((*header)->user_length, '\0'),
                              .description = std::string((*header)->description_length, '\0')};
    const uint64_t strings = transaction.offset + kTransactionHeaderSize;
    absl::Status read = ReadString(strings, &told.user);
    if (read.ok()) read = ReadString(strings + told.user.size(), &told.description);
    if (!read.ok()) return read;
    report_.stopped = !visitor_(told) || ++told_ == options_.limit;
    return absl::OkStatus();
  }

  absl::Status ReadString(uint64_t position, std::string* string) {
    const absl::StatusOr<size_t> read = file_->ReadAt(position, absl::MakeSpan(*string));
    if (!read.ok()) return read.status();
    return *read == string->size() ? absl::OkStatus() : Changed(position);
  }

  absl::Status Changed(uint64_t position) const {
    return absl::AbortedError(absl::StrCat("reading ", file_->path(), " at ", position - begin_,
                                           ": the file became shorter meanwhile; try again"));
  }

  const LogOptions& options_;
  const LogVisitor& visitor_;
  File* file_ = nullptr;
  uint64_t begin_ = 0;  // the position of the file's first byte
  Boundary end_;
  uint64_t finished_at_ = 0;  // a transaction of a tail that reads as finished, and was not; 0: none
  uint64_t told_ = 0;
  absl::Status status_;
  LogReport report_;
};

}  // namespace

absl::StatusOr<LogReport> ReadTransactionLog(FileSystem& file_system, const std::string& path,
                                             const LogOptions& options, const LogVisitor& visitor) {
  absl::StatusOr<std::unique_ptr<File>> file = file_system.OpenForReading(path);
  if (!file.ok()) return file.status();
  const absl::StatusOr<FirstBytes> first = ReadMagic(**file);
  if (!first.ok()) return first.status();
  LogReader reader(options, visitor);
  if (first->magic.ok()) return reader.ReadDataFile(**file, *first->magic);
  const absl::StatusOr<std::unique_ptr<SavedTail>> tail = SavedTail::Open(*std::move(file));
  if (!tail.ok()) return tail.status();
  return reader.ReadTail(**tail);
}

}  // namespace zrs::filestorage
