// Remembers which transactions of a stream are on their way, to tell how old the oldest of them is.
#ifndef ZRS_SIDECAR_REPLICATION_TRANSACTION_TRAIL_H_
#define ZRS_SIDECAR_REPLICATION_TRANSACTION_TRAIL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "filestorage/format.h"
#include "filestorage/scanner.h"

namespace zrs::replication {

// Listens to the scanner of a stream. Bounded: where more than `limit` transactions are on their way neighbours are
// merged, and count as one with the tid of the first until the last of them is done; and those that follow are merged
// as they come, as many at a time, until there are few again. So the answer is never too young.
// Not thread-safe; the scanner points to it, so it does not move.
class TransactionTrail : public filestorage::ScannerObserver {
 public:
  explicit TransactionTrail(size_t limit = 1024) : limit_(limit) {}  // at least 2
  TransactionTrail(const TransactionTrail&) = delete;
  TransactionTrail& operator=(const TransactionTrail&) = delete;

  void OnTransaction(const filestorage::ScannedTransaction& transaction) override;

  // To be called each time the scanner has taken `bytes`, which began at `offset`: takes note of the transaction that
  // it is in the middle of.
  void OnFed(const filestorage::Scanner& scanner, uint64_t offset, absl::string_view bytes);

  // Transactions that end at `offset` or before are done.
  void DropUntil(uint64_t offset);

  // Tid of the first transaction that is not done and begins before `offset`; 0: there is none.
  filestorage::Tid OldestBefore(uint64_t offset) const;

  size_t size() const { return entries_.size() - first_; }

 private:
  struct Entry {
    uint64_t begin = 0;
    uint64_t end = 0;  // UINT64_MAX while not known
    filestorage::Tid tid = 0;
  };
  void Add(const Entry& entry);
  void Merge();

  size_t limit_;
  // Those from first_ on, the others are done. A first copy of tiny transactions tells of millions, so it is no deque,
  // and most of them only move the last entry's end.
  std::vector<Entry> entries_;
  size_t first_ = 0;
  size_t at_a_time_ = 1;        // transactions that become one entry
  size_t in_last_ = 0;          // transactions that the last entry stands for, while more may join it
  std::string unfinished_tid_;  // its first bytes, while there are fewer than 8
};

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_TRANSACTION_TRAIL_H_
