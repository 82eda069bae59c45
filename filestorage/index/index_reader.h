// Reads an index file that ZODB, or an IndexWriter, wrote: bucket by bucket, in constant memory.
#ifndef ZRS_FILESTORAGE_INDEX_INDEX_READER_H_
#define ZRS_FILESTORAGE_INDEX_INDEX_READER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "filestorage/file_system.h"
#include "filestorage/index/index_entry.h"
#include "filestorage/index/index_format.h"

namespace zrs::filestorage {

// Takes exactly what a ZODB writes: the very opcodes that its pickler chooses, prefixes and suffixes in ascending order
// (fsIndex goes through an OOBTree of buckets), no empty bucket, positions where records can be, nothing behind the
// end. Everything else is InvalidArgument with the place in the index file, a plain dictionary of ZODB 3.9 or older
// among it. Used by one thread. Blocks on the disk. Errors beside that one: the file's.
class IndexReader final : public IndexEntrySource {
 public:
  // Reads as far as the position.
  static absl::StatusOr<std::unique_ptr<IndexReader>> Open(std::unique_ptr<File> file);

  // The end of the last transaction that the index is of, in bytes from the start of the data file; at least 4, below
  // 2^63.
  uint64_t position() const { return position_; }
  IndexDialect dialect() const { return dialect_; }
  absl::StatusOr<bool> Next(IndexEntry* entry) override;

 private:
  explicit IndexReader(std::unique_ptr<File> file);

  absl::Status ReadPosition();
  absl::StatusOr<uint64_t> ReadInteger();
  absl::StatusOr<uint64_t> ReadDecimal();
  // False behind the last bucket.
  absl::StatusOr<bool> ReadBucket();
  absl::StatusOr<size_t> ReadBytesSize();
  absl::Status TakeEntries(uint64_t prefix, absl::string_view bytes, uint64_t bytes_offset);
  absl::StatusOr<bool> IsEnd();
  absl::Status Expect(absl::string_view bytes);
  // The next `size` bytes; the view lasts until the next call.
  absl::StatusOr<absl::string_view> Take(size_t size);
  // As many bytes as there are, at most `size`; they are not taken.
  absl::StatusOr<absl::string_view> Peek(size_t size);
  absl::Status Invalid(uint64_t offset, absl::string_view what) const;

  std::unique_ptr<File> file_;
  IndexDialect dialect_ = IndexDialect::kPython3;
  uint64_t position_ = 0;

  std::string buffer_;          // read and not yet taken from buffer_at_ on
  size_t buffer_at_ = 0;        // in buffer_
  uint64_t buffer_offset_ = 0;  // of the buffer's first byte in the file

  std::vector<IndexEntry> bucket_;
  size_t bucket_at_ = 0;  // which of it comes next
  std::optional<uint64_t> prefix_;
  bool at_end_ = false;
};

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_INDEX_INDEX_READER_H_
