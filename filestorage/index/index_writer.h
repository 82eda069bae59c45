// Writes an index file bucket by bucket, in constant memory.
#ifndef ZRS_FILESTORAGE_INDEX_INDEX_WRITER_H_
#define ZRS_FILESTORAGE_INDEX_INDEX_WRITER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "filestorage/file_system.h"
#include "filestorage/index/index_entry.h"
#include "filestorage/index/index_format.h"

namespace zrs::filestorage {

// What it leaves is the same byte for byte as what ZODB writes of the same entries. Used by one thread. Blocks. Errors:
// the file's; OutOfRange for a position that an index cannot hold.
class IndexWriter {
 public:
  // `file`, which is empty, must outlive the writer. `position`: the end of the last transaction that the index is of.
  IndexWriter(File& file, IndexDialect dialect, uint64_t position);

  // Oids ascend.
  absl::Status Add(const IndexEntry& entry);
  // To be called once, behind the last entry. The file is not synced.
  absl::Status Finish();

  uint64_t entries() const { return entries_; }

 private:
  absl::Status CloseBucket();
  absl::Status Flush();

  File& file_;
  const IndexDialect dialect_;
  std::vector<IndexEntry> bucket_;  // not yet in buffer_
  std::string buffer_;              // not yet in the file
  uint64_t written_ = 0;            // bytes
  uint64_t entries_ = 0;
};

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_INDEX_INDEX_WRITER_H_
