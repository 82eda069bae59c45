// An index that was saved beside a data file, as far as it may be trusted to be that file's.
#ifndef ZRS_FILESTORAGE_INDEX_SAVED_INDEX_H_
#define ZRS_FILESTORAGE_INDEX_SAVED_INDEX_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "filestorage/boundary.h"
#include "filestorage/file_system.h"
#include "filestorage/index/index_entry.h"
#include "filestorage/index/index_reader.h"

namespace zrs::filestorage {

// Trusts what ZODB trusts (FileStorage._check_sanity): the index ends behind a transaction of the file, and has the
// first records (five at most) of the last transaction that has any where they are. Each entry is looked at besides.
// Used by one thread. Blocks. Errors: InvalidArgument where it is no index, or not that of this file, with the place
// and what is wrong; NotFound where there is none; those of both files.
class SavedIndex final : public IndexEntrySource {
 public:
  // `data`: a FileStorage; used here alone.
  static absl::StatusOr<std::unique_ptr<SavedIndex>> Open(FileSystem& file_system, const std::string& path, File& data);

  // Behind the last transaction that the index is of. Without a digest.
  const Boundary& end() const { return end_; }
  IndexDialect dialect() const { return reader_->dialect(); }
  // InvalidArgument at the end too: only there it is known that a record was missing.
  absl::StatusOr<bool> Next(IndexEntry* entry) override;

 private:
  SavedIndex(std::string path, std::unique_ptr<IndexReader> reader);
  // Finds end_ and expected_ in the data file.
  absl::Status FindLastRecords(File& data);
  // Moves `position`, the end of a transaction, to its beginning.
  absl::Status StepBack(File& data, uint64_t* position, TransactionHeader* header) const;
  absl::Status ExpectRecords(File& data, uint64_t position, const TransactionHeader& header);
  absl::Status Unfit(absl::string_view what) const;

  const std::string path_;
  std::unique_ptr<IndexReader> reader_;
  Boundary end_;
  std::vector<IndexEntry> expected_;  // by their oids; those that Next has passed are gone from the front
  size_t expected_at_ = 0;
};

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_INDEX_SAVED_INDEX_H_
