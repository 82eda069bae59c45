// Scans the committed transactions of a file that a writer may be at work on: what a check, an index and a listing of
// the file have in common.
#ifndef ZRS_FILESTORAGE_COMMITTED_SCAN_H_
#define ZRS_FILESTORAGE_COMMITTED_SCAN_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "filestorage/boundary.h"
#include "filestorage/file_system.h"
#include "filestorage/format.h"
#include "filestorage/scanner.h"

namespace zrs::filestorage {

// Called every few megabytes with bytes done and total; return false to stop.
using ScanProgress = std::function<bool(uint64_t done, uint64_t total)>;

// Who is told of what is found, on the caller's thread. Any of them may be absent.
struct CommittedScanObservers {
  // Each committed transaction once, in their order.
  ScannerObserver* transactions = nullptr;
  // Records of transactions that are wholly in the file; it is told before it is known whether their transaction is
  // sound.
  RecordObserver* records = nullptr;
  // Records that were told since the last transaction do not count: the scan reads on from that transaction's end
  // again.
  std::function<void()> on_restart = nullptr;
};

struct CommittedScanReport {
  bool sound = false;            // no damage
  Boundary end;                  // behind the last sound transaction; without a digest where data was passed over
  uint64_t size = 0;             // how far was looked: the file's size at first, or less where it became shorter
  uint64_t decreasing_tids = 0;  // transactions that are not newer than the one before: a warning, as in ZODB
  bool in_progress = false;      // whether a transaction with the status 'c' begins at `end`
  uint64_t position = 0;         // of the damage
  std::string reason;            // of the damage, one line
};

// Scans `file`, which begins with `magic`, from behind `start` (a boundary of it) to the size that it has now. Blocks.
// Damage is a report, not an error, and believed when two reads found it: a writer may have taken an aborted
// transaction back between two reads. A transaction in progress that bytes follow is damage: a writer has only one, at
// the very end. Data of records above 4 MiB is not read: nothing in it can be checked. Memory is constant. Errors:
// the file's; Cancelled where `progress` (which may be null) says so.
absl::StatusOr<CommittedScanReport> ScanCommitted(File& file, Magic magic, const Boundary& start,
                                                  const CommittedScanObservers& observers,
                                                  const ScanProgress& progress);

// The header of the transaction at `position`; nothing where the file ends within it.
absl::StatusOr<std::optional<TransactionHeader>> ReadTransactionHeader(File& file, uint64_t position);

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_COMMITTED_SCAN_H_
