// A resumable parser of FileStorage bytes. It knows no files, paths or threads: bytes are pushed in as they come (from
// a file by the tail and verify, from a peer by the sessions), in pieces of any size, and it says what they are.
#ifndef ZRS_FILESTORAGE_SCANNER_H_
#define ZRS_FILESTORAGE_SCANNER_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "filestorage/boundary.h"
#include "filestorage/digest.h"
#include "filestorage/format.h"

namespace zrs::filestorage {

// One complete transaction, as the scanner passes it.
struct ScannedTransaction {
  uint64_t offset = 0;  // where it begins
  uint64_t end = 0;     // just past its redundant length
  Tid tid = 0;
  char status = kStatusComplete;
  uint64_t records = 0;
};

class ScannerObserver {
 public:
  virtual ~ScannerObserver() = default;
  virtual void OnTransaction(const ScannedTransaction& transaction) = 0;
  // A data record's header; `position` is where the record begins.
  virtual void OnRecord(uint64_t position, const DataHeader& header);
};

// The three different answers.
enum class ScanOutcome {
  kMore,        // all bytes were taken; what comes next decides
  kInProgress,  // at Position::position a transaction begins whose status is 'c': not committed, its bytes not taken
  kCorrupt,     // the bytes at `position` cannot belong to a FileStorage; `reason` says why
};

struct ScanResult {
  ScanOutcome outcome = ScanOutcome::kMore;
  uint64_t position = 0;  // of the transaction in progress, or of the offending bytes
  std::string reason;     // for kCorrupt: one line, without position
};

// Checks, in each transaction: status one of ' ', 'p', 'u' ('c': kInProgress); length at least header and strings, no
// overflow; each record within the transaction, its transaction position right (what ZODB's read_index and fstest
// check; records of a transaction with status 'u' are skipped as ZODB does); records add up; redundant length equal.
// Decreasing tids are counted, not refused, as in ZODB. Memory is constant: data, strings and records are not kept.
//
// Not thread-safe. After kInProgress or kCorrupt the scanner takes no more bytes (further Feed calls answer the same);
// go on with a new one from last().
class Scanner {
 public:
  // Begins behind `start`, a boundary of a file with `magic`. `observer` may be null and must outlive the scanner.
  Scanner(Magic magic, const Boundary& start, ScannerObserver* observer = nullptr);

  // Takes the bytes that follow those taken so far.
  ScanResult Feed(absl::string_view bytes);

  // The boundary behind the last complete transaction.
  const Boundary& last() const { return last_; }
  // Where the next byte belongs. Equal to last().offset when not inside a transaction.
  uint64_t position() const { return position_; }
  bool inside_transaction() const { return position_ != last_.offset; }
  // Where the transaction that the scanner is inside of ends (past the redundant length); 0 while that is not known
  // (between transactions, or inside a header).
  uint64_t transaction_end() const;
  // Complete transactions since construction, and how many of them had a tid not above the one before.
  uint64_t transactions() const { return transactions_; }
  uint64_t decreasing_tids() const { return decreasing_tids_; }

 private:
  enum class Step { kTransactionHeader, kSkip, kDataHeader, kRedundantLength, kStopped };
  // (implementation's own; see scanner.cc)
  Magic magic_;
  Boundary last_;
  uint64_t position_;
  uint64_t transactions_ = 0;
  uint64_t decreasing_tids_ = 0;
  ScannerObserver* observer_;
};

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_SCANNER_H_
