// Takes from a scan what an index needs.
#ifndef ZRS_FILESTORAGE_INDEX_RECORD_COLLECTOR_H_
#define ZRS_FILESTORAGE_INDEX_RECORD_COLLECTOR_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "filestorage/index/external_sort.h"
#include "filestorage/scanner.h"

namespace zrs::filestorage {

// Adds records of sound transactions to a sort. Those of a transaction are held back until it is known to be sound; of
// one with very many records that are not held any more, it is known when that was wrong. Used by one thread.
class RecordCollector final : public ScannerObserver, public RecordObserver {
 public:
  // `sort` must outlive it.
  explicit RecordCollector(ExternalSort& sort) : sort_(sort) {}

  void OnRecord(uint64_t position, const DataHeader& header) override;
  void OnTransaction(const ScannedTransaction& transaction) override;
  // What was told since the last transaction does not count.
  void OnRestart();

  // The first error: the sort's, or FailedPrecondition at a record with a version. What follows it is ignored.
  const absl::Status& status() const { return status_; }
  // Whether all that was added is of sound transactions, once the scan has ended.
  bool is_whole() const { return !added_early_ && !lost_; }

 private:
  void AddPending();

  ExternalSort& sort_;
  std::vector<IndexEntry> pending_;  // of the transaction that is being read
  bool added_early_ = false;         // whether some of that transaction were added already
  bool lost_ = false;                // whether such a transaction was taken back
  absl::Status status_;
};

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_INDEX_RECORD_COLLECTOR_H_
