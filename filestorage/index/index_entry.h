// Where an object's current record is, and sequences of that.
#ifndef ZRS_FILESTORAGE_INDEX_INDEX_ENTRY_H_
#define ZRS_FILESTORAGE_INDEX_INDEX_ENTRY_H_

#include <cstdint>

#include "absl/status/statusor.h"

namespace zrs::filestorage {

struct IndexEntry {
  uint64_t oid = 0;
  uint64_t position = 0;  // of its last record, in bytes from the start of the data file

  friend bool operator==(const IndexEntry&, const IndexEntry&) = default;
};

// Entries with ascending oids, each oid once. Used by one thread.
class IndexEntrySource {
 public:
  virtual ~IndexEntrySource() = default;
  // Sets `entry` to the next one; false, and `entry` as it was, behind the last. May block on the disk.
  virtual absl::StatusOr<bool> Next(IndexEntry* entry) = 0;
};

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_INDEX_INDEX_ENTRY_H_
