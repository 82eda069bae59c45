// A resumable parser of FileStorage bytes. It knows no files, paths or threads: bytes are pushed in as they come (from
// a file by the tail and verify, from a peer by the sessions), in pieces of any size, and it says what they are.
#ifndef ZRS_FILESTORAGE_SCANNER_H_
#define ZRS_FILESTORAGE_SCANNER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
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
};

class RecordObserver {
 public:
  virtual ~RecordObserver() = default;
  // A data record's header; `position` is where the record begins. Called as soon as the header is there, so before it
  // is known whether its transaction is complete and sound.
  virtual void OnRecord(uint64_t position, const DataHeader& header) = 0;
};

// The three different answers.
enum class ScanOutcome {
  kMore,        // all bytes were taken; what comes next decides
  kInProgress,  // at ScanResult::position a transaction begins whose status is 'c': not committed, its bytes not taken
  kCorrupt,     // the bytes at `position` cannot belong to a FileStorage; `reason` says why
};

struct ScanResult {
  ScanOutcome outcome = ScanOutcome::kMore;
  // Of the transaction in progress; of the header or redundant length that is wrong; for kMore where the next byte
  // belongs.
  uint64_t position = 0;
  std::string reason;  // for kCorrupt: one line, without position
};

// Checks, in each transaction: status one of ' ', 'p', 'u' ('c': kInProgress); length at least header and strings, and
// an end that a file can have (below 2^63); each record within the transaction, its transaction position right (what
// ZODB's read_index and fstest check; records of a transaction with status 'u' are skipped as ZODB does); records add
// up; redundant length equal. Decreasing tids are counted, not refused, as in ZODB. Memory is constant: data, strings
// and records are not kept.
//
// Not thread-safe. After kInProgress or kCorrupt the scanner takes no more bytes (further Feed calls answer the same);
// go on with a new one from last().
class Scanner {
 public:
  // Begins behind `start`, a boundary of a file with `magic`; one with offset 0 stands for FirstBoundary(magic).
  // The observers may be null and must outlive the scanner.
  Scanner(Magic magic, const Boundary& start, ScannerObserver* observer = nullptr, RecordObserver* records = nullptr);

  // Takes the bytes that follow those taken so far.
  ScanResult Feed(absl::string_view bytes);

  // How many of the bytes that come next are strings or data, of which nothing is checked: PassOver may take them
  // unread. 0 inside headers and between transactions.
  uint64_t skippable() const { return step_ == Step::kSkip ? skip_left_ : 0; }
  // Takes `size` bytes (at most skippable()) without having seen them. The transaction's digest is not known then: once
  // it is complete, last().digest is "no digest". What follows from it is told by the next Feed, also an empty one.
  void PassOver(uint64_t size);

  // The boundary behind the last complete transaction. (From within an observer its digest is an earlier one's.)
  const Boundary& last() const { return last_; }
  // Where the next byte belongs. Equal to last().offset when not inside a transaction.
  uint64_t position() const { return position_; }
  bool inside_transaction() const { return position_ != last_.offset; }
  // Where the transaction that the scanner is inside of ends (past the redundant length); 0 while that is not known
  // (between transactions, or inside a header).
  uint64_t transaction_end() const;
  // How many complete transactions there were since construction.
  uint64_t transactions() const { return transactions_; }
  // How many of them had a tid not above the one before.
  uint64_t decreasing_tids() const { return decreasing_tids_; }

 private:
  enum class Step { kTransactionHeader, kSkip, kDataHeader, kRedundantLength, kStopped };
  // Takes the sound transactions that are in `bytes` (what is left of a Feed) as a whole off its front: most of a file
  // of small ones. What it leaves is for the steps, which know what is wrong with it or wait for the rest.
  void TakeWholeTransactions(absl::string_view* bytes);
  void CompleteTransaction(const TransactionHeader& header, uint64_t records);
  // One step on `bytes`, of which it takes some off the front.
  void TakeTransactionHeader(absl::string_view* bytes);
  void Skip(absl::string_view* bytes);
  // Passes over `size` of skip_left_.
  void Advance(uint64_t size);
  void TakeDataHeader(absl::string_view* bytes);
  void TakeRedundantLength(absl::string_view* bytes);
  // The next `size` bytes as one piece, or nothing when all of `bytes` was taken and more is needed. The view lasts
  // until the next call.
  std::optional<absl::string_view> Gather(size_t size, absl::string_view* bytes);
  // Decides what follows at position_, inside a transaction whose header is sound.
  void NextStep();
  void StopInProgress();
  void StopCorrupt(uint64_t position, std::string reason);
  // Brings last_.digest and digester_ up to date with a Feed of `bytes`, which began at `feed_begin`.
  void UpdateDigest(absl::string_view bytes, uint64_t feed_begin);

  Magic magic_;
  Boundary last_;
  uint64_t position_;
  uint64_t transactions_ = 0;
  uint64_t decreasing_tids_ = 0;
  ScannerObserver* observer_;
  RecordObserver* record_observer_;

  Step step_ = Step::kTransactionHeader;
  ScanResult stopped_;                            // what every call answers once step_ is kStopped
  std::array<char, kDataHeaderSize> gathered_{};  // a header or length that arrived in pieces
  size_t gathered_size_ = 0;
  TransactionHeader header_;         // of the transaction that position_ is inside of
  uint64_t records_ = 0;             // in it, so far
  uint64_t skip_left_ = 0;           // bytes of strings or data yet to pass over
  uint64_t unread_transaction_ = 0;  // where the last transaction begins that PassOver took bytes of
  Digester digester_;  // magic and bytes, up to the last Feed's end, of the transaction not yet complete then
};

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_SCANNER_H_
