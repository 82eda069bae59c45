// Full structural check of a FileStorage file, as ZODB's fstest does it, at disk speed and in constant memory.
#ifndef ZRS_FILESTORAGE_VERIFY_H_
#define ZRS_FILESTORAGE_VERIFY_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "filestorage/boundary.h"
#include "filestorage/committed_scan.h"
#include "filestorage/file_system.h"

namespace zrs::filestorage {

struct VerifyReport {
  bool sound = false;
  Boundary end;  // behind the last sound transaction
  uint64_t file_size = 0;
  uint64_t transactions = 0;
  uint64_t records = 0;
  uint64_t decreasing_tids = 0;    // a warning, as in ZODB
  uint64_t uncommitted_bytes = 0;  // a tail in progress ('c' or incomplete) behind `end`
  bool cut_short = false;          // the transaction there says that it is finished: with no writer at work it was cut
  uint64_t position = 0;           // of the damage
  std::string reason;              // of the damage, one line
};

// Blocks. Damage is a report, not an error; errors are those of opening and reading, and Aborted when the last
// transaction changed while it was read. Data of records above 4 MiB is not read (nothing in it can be checked), except
// in the last transaction. A writer may go on meanwhile: damage is reported when two reads found it, and the file is
// checked as far as it went at first. A transaction in progress ('c') that bytes follow is damage: a writer has only
// one, at the very end. An empty file and one that is no FileStorage are unsound at position 0.
absl::StatusOr<VerifyReport> Verify(FileSystem& file_system, const std::string& path, const ScanProgress& progress);

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_VERIFY_H_
