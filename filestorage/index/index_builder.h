// Makes ZODB's index of a data file.
#ifndef ZRS_FILESTORAGE_INDEX_INDEX_BUILDER_H_
#define ZRS_FILESTORAGE_INDEX_INDEX_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "filestorage/committed_scan.h"
#include "filestorage/file_system.h"
#include "filestorage/index/replacement_file.h"

namespace zrs::filestorage {

struct IndexOptions {
  // Go on from the index that is there, at its position: only what is behind it is scanned. Where there is none, or one
  // that is not this file's, the index is made from the beginning.
  bool go_on = false;
  // Bytes for sorting; some two megabytes more are used for reading and writing.
  size_t memory_limit = size_t{16} << 20;
  // The index is of the transactions before this position, which is the end of one of them, or the file's end where
  // that comes before. Nothing behind it is looked at; an index of more, which is there and gone on from, stays.
  uint64_t up_to = std::numeric_limits<uint64_t>::max();
  // Called every few megabytes of the scan, and every now and then while the index is written; false stops the work.
  ScanProgress progress = nullptr;
};

struct IndexReport {
  uint64_t objects = 0;          // entries
  uint64_t position = 0;         // the end of the last transaction that the index is of; 4 where there is none
  uint64_t scanned_bytes = 0;    // of the data file
  uint64_t went_on_from = 0;     // the position of the index that was there; 0: made from the beginning
  std::string not_gone_on = {};  // why it was made from the beginning although it was to go on; else empty
  bool written = false;          // false: the index that is there is up to date already
  uint64_t spills = 0;           // how often the memory for sorting was full
};

// Writes the index of the data file `path` as `path`.index, byte for byte as ZODB saves it: each object with the
// position of its last record in a committed transaction ('u' passed over, as ZODB does). A writer may go on meanwhile:
// the index is of the transactions that were committed at the beginning. What they are is made durable first, so that
// an index never tells of what a power loss takes away. The index takes its place by a rename once it is durable;
// after an error the old one, or the new one whole, is there (none, where another data file came meanwhile).
//
// Blocks; on any thread; two at once on one file exclude each other. Errors, beside those of files: DataLoss for damage
// (with its position); FailedPrecondition for what is no FileStorage, and for records with versions, which no ZODB of
// today reads; OutOfRange for positions from 2^48 on; Aborted when the file changed, or another one took its place
// meanwhile; Unavailable when another one is at work; Cancelled.
absl::StatusOr<IndexReport> BuildIndex(FileSystem& file_system, const std::string& path, const IndexOptions& options);

// An index that is written and durable under a temporary name, which goes with this. Used by one thread at a time,
// which need not be the one that made it.
class PreparedIndex {
 public:
  PreparedIndex(FileSystem& file_system, std::string path, std::unique_ptr<File> data, const FileInfo& info);
  ~PreparedIndex();
  PreparedIndex(PreparedIndex&&) noexcept;
  PreparedIndex& operator=(PreparedIndex&&) = delete;

  const IndexReport& report() const { return report_; }
  // To be called at most once: the rename, and what makes that durable. Nothing to do where nothing was to be written.
  // Errors as BuildIndex's.
  absl::Status PutInPlace();

 private:
  friend class IndexBuilder;
  absl::Status CheckIsStillThere() const;

  FileSystem& file_system_;
  std::string path_;  // of the data file
  std::unique_ptr<File> data_;
  FileInfo info_;                                 // of the data file, at the beginning
  std::unique_ptr<ReplacementFile> replacement_;  // null: none is needed
  IndexReport report_;
};

// BuildIndex without its end: all the long work, which is for nothing unless PutInPlace follows.
absl::StatusOr<PreparedIndex> PrepareIndex(FileSystem& file_system, const std::string& path,
                                           const IndexOptions& options);

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_INDEX_INDEX_BUILDER_H_
