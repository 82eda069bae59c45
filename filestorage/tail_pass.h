// A look at what follows a boundary of a file that another process writes, and how far it is committed.
// Private to tail.cc.
#ifndef ZRS_FILESTORAGE_TAIL_PASS_H_
#define ZRS_FILESTORAGE_TAIL_PASS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "filestorage/boundary.h"
#include "filestorage/file_system.h"
#include "filestorage/format.h"
#include "filestorage/scanner.h"
#include "filestorage/tail.h"

namespace zrs::filestorage {

enum class PassOutcome {
  kPending,   // nothing committed behind the boundary; `header` is what is there
  kReached,   // committed up to `reached`
  kPartial,   // max_bytes_per_poll were read and the first transaction, committed, goes on: run again
  kUnstable,  // the bytes changed while they were read: run again
  kCorrupt,   // unsound bytes in the first transaction; to be believed when a second run finds the same
};

struct PassResult {
  PassOutcome outcome = PassOutcome::kPending;
  std::string header{};  // kPending: the first 23 bytes behind the boundary, or as many as there are
  Boundary reached{};    // kReached
  // kReached: how many transactions there are up to there, and how many of them have a tid not above the one before.
  uint64_t transactions = 0;
  uint64_t decreasing_tids = 0;
  bool more = false;      // kReached: something was left to look at
  uint64_t position = 0;  // kCorrupt
  std::string reason{};   // kCorrupt
};

// What makes it safe against a writer at work: a transaction's bytes are final once its status is not 'c'. So the
// first transaction's header is read by itself, and only when its status is final are its bytes read, afresh. Headers
// of further transactions may be torn, since they are read in blocks while the writer may abort, write anew and
// finish: therefore the last one is read afresh before the pass ends there. One torn in between would not have led
// to the next: a wrong length leads to bytes that are no transaction.
// So no byte is read more than twice, save by corrupt or unstable passes, and memory is bounded by read_size.
//
// Used by one thread at a time; calls block on the disk. The file must outlive it.
class TailPass {
 public:
  TailPass(File& file, Magic magic, const TailOptions& options);

  // Looks at what follows `start`. After kPartial, a call with the same `start` goes on where that one stopped.
  absl::StatusOr<PassResult> Run(const Boundary& start);

 private:
  // Reads and scans until something stops it. True when that was the limit of bytes.
  absl::StatusOr<bool> ScanOn(ScanResult* result);
  absl::StatusOr<PassResult> Conclude(const Boundary& start, const ScanResult& scanned, bool limited);
  // Whether the committed transaction with this header at `offset` runs past the end of the file.
  absl::StatusOr<bool> IsShort(uint64_t offset, const TransactionHeader& header);
  absl::StatusOr<size_t> ReadBlock(uint64_t offset, uint64_t limit);

  File& file_;
  const Magic magic_;
  const uint64_t max_bytes_;
  const size_t buffer_size_;
  const std::unique_ptr<char[]> buffer_;  // not filled with zeros: mostly far less of it is used
  std::optional<Scanner> scanner_;        // set while a pass is under way
  uint64_t scanner_start_ = 0;            // and where it began,
  std::string scanner_header_;            // at this header
};

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_TAIL_PASS_H_
