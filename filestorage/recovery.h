// What an opener of a secondary's file does before anything is appended: find the committed end, save and cut the rest.
#ifndef ZRS_FILESTORAGE_RECOVERY_H_
#define ZRS_FILESTORAGE_RECOVERY_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "filestorage/boundary.h"
#include "filestorage/file_system.h"
#include "filestorage/format.h"

namespace zrs::filestorage {

// What recovery at open found and did.
struct Recovery {
  Boundary end;                 // the committed end; the file ends there now, durably
  uint64_t cut_bytes = 0;       // bytes that were cut off behind the committed end
  uint64_t finished_bytes = 0;  // of a group whose turn a killed process left unfinished, and that was finished
  std::string saved_to;         // where they were saved first; empty when they were our own uncommitted tail
};

// Who wrote the file last. Of a database's file everything is saved before it is cut.
enum class WrittenBy { kAppender, kDatabase };

// Finds the committed end of `file`, which is open for writing and locked, and makes the file end there, durably. See
// Appender::Open for what is refused, kept, saved and cut. `lower_bound` as there. Blocks. Errors: DataLoss where the
// lower bound does not hold (nothing was changed); ResourceExhausted where there is no room to save the tail (nothing
// was changed); those of the file.
absl::Status Recover(FileSystem& file_system, File& file, Magic magic, const Boundary& lower_bound, WrittenBy writer,
                     Recovery* recovery);

// Copies what is in `file` from `begin` on to the first free PATH.trN, durably, and answers its name. ResourceExhausted
// where there is no room: nothing is left of it then.
absl::StatusOr<std::string> SaveTail(FileSystem& file_system, File& file, uint64_t begin);

// Cuts off all that lies behind `end`, the committed end, durably, and so that a crash on the way leaves nothing that
// an opener of the file would refuse or misread. What is there must be durable up to a header (announcement) at least,
// or be shorter than one. Blocks; may be repeated after an error that was no failed sync.
absl::Status CutTail(File& file, uint64_t end);

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_RECOVERY_H_
