// The bytes of ZODB's index file (`Data.fs.index`), as ZODB/fsIndex.py saves it and fsBTree.c makes a bucket's bytes.
// Described in filestorage/README.md.
#ifndef ZRS_FILESTORAGE_INDEX_INDEX_FORMAT_H_
#define ZRS_FILESTORAGE_INDEX_INDEX_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "filestorage/format.h"
#include "filestorage/index/index_entry.h"

namespace zrs::filestorage {

// Which of Python's pickles: those of Python 2 cannot read the other ones.
enum class IndexDialect {
  kPython2,  // protocol 1
  kPython3,  // protocol 3
};
// That of the ZODBs that open a file with `magic`.
IndexDialect DialectOf(Magic magic);

// Positions of records have 6 bytes, and of an oid the last 2 are in a bucket of those that have the first 6 in common.
inline constexpr uint64_t kLargestIndexPosition = (uint64_t{1} << 48) - 1;
inline constexpr size_t kPrefixSize = 6;
inline constexpr size_t kSuffixSize = 2;
inline constexpr size_t kPositionSize = 6;
inline constexpr size_t kMostBucketEntries = 65536;
// Below it no record can begin.
inline constexpr uint64_t kFirstRecordPosition = kMagicSize + kTransactionHeaderSize;

inline constexpr uint64_t PrefixOf(uint64_t oid) { return oid >> 16; }

// The three kinds of pickle in the order in which they follow one another: the position that the index is of (below
// 2^63), its buckets, the end. Each is what the pickler writes in "fast" mode, without a memo.
std::string EncodeIndexPosition(IndexDialect dialect, uint64_t position);
// `entries`: 1 to kMostBucketEntries with ascending oids and one prefix; positions at most kLargestIndexPosition.
void AppendIndexBucket(IndexDialect dialect, absl::Span<const IndexEntry> entries, std::string* out);
absl::string_view IndexEnd(IndexDialect dialect);

// What stands in front of a bucket's prefix (6 bytes follow), and behind its bytes.
absl::string_view BucketBegin(IndexDialect dialect);
absl::string_view BucketEnd(IndexDialect dialect);
// What stands between prefix and bytes; `size` is theirs.
std::string BucketBytesBegin(IndexDialect dialect, size_t size);

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_INDEX_INDEX_FORMAT_H_
