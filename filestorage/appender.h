// Crash-safe append of whole transactions to a secondary's file, in groups, so that at every instant, also after a
// power loss with any subset of the unsynced pages surviving, whoever opens the file finds a committed prefix.
//
// Strict mode, the only one so far. A group is one or more whole transactions. It begins with its first 23-byte header
// with status 'c', synced; then the rest, synced; then the first transaction's status byte turns to its real value,
// synced: only then is the group durable. Before the turn the file ends exactly at the group's end, and until the turn
// is durable nothing follows but the next group's 23-byte 'c' header, which so shares the previous group's last sync.
// At rest the file ends at the committed end.
#ifndef ZRS_FILESTORAGE_APPENDER_H_
#define ZRS_FILESTORAGE_APPENDER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "filestorage/boundary.h"
#include "filestorage/file_system.h"
#include "filestorage/format.h"

namespace zrs::filestorage {

// What recovery at open found and did.
struct Recovery {
  Boundary end;               // the committed end; the file ends there now, durably
  uint64_t scanned_bytes = 0;
  uint64_t cut_bytes = 0;     // bytes that were cut off behind the committed end
  std::string saved_to;       // where they were saved first; empty when they were our own uncommitted tail
};

// Used by one thread at a time (the storage's I/O thread); calls block on the disk.
//
// Errors: ResourceExhausted (disk full) from Append or Commit leaves the committed end as it was: Cut() and go on once
// there is space. After any other error, a failed sync above all, the appender is broken: every later call answers
// FailedPrecondition with the first cause, except that the destructor closes the file. DataLoss: damage in the file.
class Appender {
 public:
  // Creates an empty FileStorage (the magic alone) at `path`, which must not exist: it appears by rename from
  // `path`.zrs-new, and is durable on return. AlreadyExists when there is one. `mode`: permission bits.
  static absl::Status Create(FileSystem& file_system, const std::string& path, Magic magic, uint32_t mode);

  // Opens the file and recovers. `lower_bound` is a boundary known to be durable (FirstBoundary() if nothing is
  // known). A file that ends before it, or whose last transaction there has another digest, or an unsound transaction
  // where complete ones are followed by ... is refused with DataLoss and left as it is. Above it, complete
  // transactions are kept; what follows them is cut: our own uncommitted tail (fewer than 23 bytes, a header with
  // status 'c', or zeros that a power loss left of one) silently, anything else only after it was saved to
  // `path`.trN (the first N that is free; synced, its directory too).
  // On return the file ends at the committed end and that is durable.
  static absl::StatusOr<std::unique_ptr<Appender>> Open(FileSystem& file_system, const std::string& path,
                                                        const Boundary& lower_bound, Recovery* recovery);
  ~Appender();

  // Writes `bytes` behind tail_end(). The caller has checked with a Scanner that they continue a sound transaction
  // sequence; the first call after a commit or cut starts a group and `bytes` begins with a transaction. Not visible
  // to readers and not durable until Commit. Pieces may be of any size (a first piece shorter than a header is held).
  absl::Status Append(absl::string_view bytes);

  // Makes everything appended visible and durable. `end` is the boundary at tail_end() (FailedPrecondition if not).
  // `following` is what will be appended next, if anything is known: when it has 23 bytes or more, the next group's
  // header is written with this group's last sync. Those bytes must still be given to Append.
  absl::Status Commit(const Boundary& end, absl::string_view following = {});

  // Forgets what was appended and not committed: the file ends at the committed end again, durably.
  absl::Status Cut();

  const Boundary& committed() const { return committed_; }
  // Where the next appended byte belongs; committed().offset between groups.
  uint64_t tail_end() const { return tail_end_; }
  Magic magic() const { return magic_; }
  // Reads committed bytes; fewer than out.size() only when the committed end is reached.
  absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> out);

 private:
  Appender() = default;
  Magic magic_ = Magic::kFs30;
  Boundary committed_;
  uint64_t tail_end_ = 0;
};

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_APPENDER_H_
