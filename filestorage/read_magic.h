// What a file begins with.
#ifndef ZRS_FILESTORAGE_READ_MAGIC_H_
#define ZRS_FILESTORAGE_READ_MAGIC_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "filestorage/file_system.h"
#include "filestorage/format.h"

namespace zrs::filestorage {

// What an opener does where the file is no FileStorage, or has not become one yet, is its own to say: so that is an
// answer and no error here.
struct FirstBytes {
  size_t size = 0;              // how many of the magic's bytes there are: fewer than kMagicSize in a shorter file
  absl::StatusOr<Magic> magic;  // else DataLoss, as ParseMagic says it, without the file's name
};

// Reads the magic of `file`, on the thread that uses it. Only File::ReadAt's errors.
absl::StatusOr<FirstBytes> ReadMagic(File& file);

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_READ_MAGIC_H_
