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

class Verifier final : public ScannerObserver {
 public:
  Verifier(File& file, const ScanProgress& progress) : file_(file), progress_(progress) {}

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
    absl::StatusOr<CommittedScanReport> scan =
        ScanCommitted(file_, magic, FirstBoundary(magic), {.transactions = this}, progress_);
    if (!scan.ok()) return scan.status();
    report_.sound = scan->sound;
    report_.end = scan->end;
    report_.file_size = scan->size;
    report_.decreasing_tids = scan->decreasing_tids;
    report_.position = scan->position;
    report_.reason = std::move(scan->reason);
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
  absl::Status CheckCutShort() {
    const absl::StatusOr<std::optional<TransactionHeader>> header = ReadTransactionHeader(file_, report_.end.offset);
    if (!header.ok()) return header.status();
    const absl::StatusOr<FileInfo> info = file_.Stat();
    if (!info.ok()) return info.status();
    // A writer may have finished it meanwhile.
    report_.cut_short = header->has_value() && (*header)->status != kStatusInProgress &&
                        info->size - std::min(info->size, report_.end.offset) < (*header)->length + kLengthSize;
    return absl::OkStatus();
  }

  // Reads the last sound transaction in full, where the scan passed over a part of it.
  absl::Status CompleteDigest(Magic magic) {
    if (report_.end.digest != Digest{}) return absl::OkStatus();
    Boundary start;
    start.offset = report_.end.last_offset;
    Scanner scanner(magic, start);
    std::vector<char> buffer(kReadSize);
    ScanResult result;
    bool at_end = false;
    while (result.outcome == ScanOutcome::kMore && scanner.position() < report_.end.offset && !at_end) {
      const uint64_t size = std::min<uint64_t>(buffer.size(), report_.end.offset - scanner.position());
      const absl::StatusOr<size_t> read =
          file_.ReadAt(scanner.position(), absl::MakeSpan(buffer).subspan(0, static_cast<size_t>(size)));
      if (!read.ok()) return read.status();
      at_end = *read < size;
      result = scanner.Feed(absl::string_view(buffer.data(), *read));
    }
    if (scanner.last().offset != report_.end.offset) {
      return absl::AbortedError(absl::StrCat("checking ", file_.path(), ": the transaction at ", start.offset,
                                             " changed meanwhile; check again"));
    }
    report_.end.digest = scanner.last().digest;
    return absl::OkStatus();
  }

  File& file_;
  const ScanProgress& progress_;
  VerifyReport report_;
};

}  // namespace

absl::StatusOr<VerifyReport> Verify(FileSystem& file_system, const std::string& path, const ScanProgress& progress) {
  const absl::StatusOr<std::unique_ptr<File>> file = file_system.OpenForReading(path);
  if (!file.ok()) return file.status();
  return Verifier(**file, progress).Run();
}

}  // namespace zrs::filestorage
