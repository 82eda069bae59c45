// Sorts any number of (oid, position) by oid in bounded memory, and keeps the last position of each oid.
#ifndef ZRS_FILESTORAGE_INDEX_EXTERNAL_SORT_H_
#define ZRS_FILESTORAGE_INDEX_EXTERNAL_SORT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "filestorage/file_system.h"
#include "filestorage/index/index_entry.h"

namespace zrs::filestorage {

// What does not fit is spilled, sorted, to one temporary file as a run of 16 bytes for each entry; runs are merged when
// there are many, and behind the older ones, so that the file may become some times as large as what was added.
//
// Used by one thread. Blocks. Errors: the file's, after which the sort is of no use.
class ExternalSort {
 public:
  // Creates the temporary file: empty, for reading and writing. Asked at most once, when it is needed. The file goes
  // with the sort, and with what Finish returned; its name is the caller's to remove.
  using MakeFile = std::function<absl::StatusOr<std::unique_ptr<File>>()>;

  // `memory_limit`: bytes for entries and buffers together; a few kilobytes are used even where it is less.
  ExternalSort(size_t memory_limit, MakeFile make_file);
  ~ExternalSort();
  ExternalSort(const ExternalSort&) = delete;
  ExternalSort& operator=(const ExternalSort&) = delete;

  // Of several for one oid, the one that was added last counts.
  absl::Status Add(const IndexEntry& entry) {
    entries_.push_back(entry);
    return entries_.size() < capacity_ ? absl::OkStatus() : Spill();
  }

  // To be called once, after the last Add: what was added. It must not outlive the sort.
  absl::StatusOr<std::unique_ptr<IndexEntrySource>> Finish();

  // How often memory was full.
  uint64_t spills() const { return spills_; }

 private:
  struct Run {
    uint64_t begin = 0;  // in the temporary file, bytes
    uint64_t end = 0;
    int level = 0;  // 0: sorted in memory; n + 1: merged of runs of level n
  };
  class RunReader;
  class RunWriter;
  class Merge;

  // Sorts entries_, and keeps the last one of each oid.
  void SortEntries();
  absl::Status Spill();
  // Merges the runs from `first` on to one.
  absl::Status MergeRuns(size_t first);
  std::unique_ptr<Merge> OpenMerge(size_t first, size_t memory);

  const size_t memory_limit_;
  const size_t capacity_;   // entries in memory
  const size_t most_runs_;  // that are merged at once
  const MakeFile make_file_;
  std::vector<IndexEntry> entries_;
  std::vector<IndexEntry> scratch_;
  std::unique_ptr<File> file_;
  uint64_t file_size_ = 0;  // bytes
  std::vector<Run> runs_;   // the older, the further in front; levels never ascend
  uint64_t spills_ = 0;
};

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_INDEX_EXTERNAL_SORT_H_
