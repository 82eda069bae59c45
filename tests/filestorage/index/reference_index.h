// What ZODB's index of a file is, computed the simplest way, for comparison.
#ifndef ZRS_TESTS_FILESTORAGE_INDEX_REFERENCE_INDEX_H_
#define ZRS_TESTS_FILESTORAGE_INDEX_REFERENCE_INDEX_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace zrs::filestorage {

// Each oid's last position among the records of the transactions that `file` has, all of which are sound, and of which
// those with the status 'u' do not count.
std::map<uint64_t, uint64_t> ReferencePositions(absl::string_view file);

// The index file of an FS30 file of that; `position`: that of the index.
std::string ReferenceIndex(const std::map<uint64_t, uint64_t>& positions, uint64_t position);

// Both, for all of the file.
std::string ReferenceIndexOf(absl::string_view file);

}  // namespace zrs::filestorage

#endif  // ZRS_TESTS_FILESTORAGE_INDEX_REFERENCE_INDEX_H_
