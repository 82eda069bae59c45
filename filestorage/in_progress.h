// A transaction that is marked as in progress, and what may not be behind it. Pure function; any thread.
#ifndef ZRS_FILESTORAGE_IN_PROGRESS_H_
#define ZRS_FILESTORAGE_IN_PROGRESS_H_

#include <cstdint>
#include <string>

namespace zrs::filestorage {

// A writer has one transaction in progress, and at the very end of its file. What is wrong with that at `position`, of
// `length` by its header (without the redundant length behind it), in a file of `size` bytes that has some behind it:
// goes on after "the transaction". Empty where there are none. The length may be any: a secondary announces what it
// appends by one that is beyond any file.
std::string BytesBehindInProgress(uint64_t position, uint64_t length, uint64_t size);

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_IN_PROGRESS_H_
