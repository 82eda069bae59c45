// A boundary between two transactions of a file, with proof of what lies before it.
#ifndef ZRS_FILESTORAGE_BOUNDARY_H_
#define ZRS_FILESTORAGE_BOUNDARY_H_

#include <cstdint>

#include "filestorage/digest.h"
#include "filestorage/format.h"

namespace zrs::filestorage {

// The position just past a complete transaction (or past the magic, where there is none yet). It is how committed ends
// are told, remembered and compared. `digest` covers the file's 4-byte magic followed by the bytes of the last
// transaction, redundant length included; with no transaction, the magic alone.
struct Boundary {
  uint64_t offset = 0;       // in bytes from the start of the file; 0: an empty file without even a magic
  uint64_t last_offset = 0;  // where the last transaction begins; 0 when there is none
  Tid tid = 0;               // of the last transaction; 0 when there is none
  Digest digest;

  friend bool operator==(const Boundary&, const Boundary&) = default;
};

// The boundary behind the magic of a file without transactions (offset 4).
Boundary FirstBoundary(Magic magic);

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_BOUNDARY_H_
