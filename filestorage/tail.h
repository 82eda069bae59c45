// Where is the committed end of a file that another process writes, and what happened to the file since last asked.
// No change notification and no timer is in here: the owner calls Poll() when it has reason to (inotify, a slow poll).
#ifndef ZRS_FILESTORAGE_TAIL_H_
#define ZRS_FILESTORAGE_TAIL_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "filestorage/boundary.h"
#include "filestorage/file_system.h"

namespace zrs::filestorage {

struct TailOptions {
  uint64_t read_size = 1 << 20;                      // bytes per read
  uint64_t max_bytes_per_poll = uint64_t{64} << 20;  // a Poll reports after about so many bytes and says `more`
};

enum class TailEvent {
  kAdvanced,     // there is a new committed end; it is synced
  kNothingYet,   // no new committed transaction (perhaps a partial header, a status 'c', a short body: pending_bytes)
  kAborted,      // what followed the committed end was taken back (an aborted vote): the file shrank
  kReplaced,     // another file is under the name (a pack, a restored backup)
  kMissing,      // no file is under the name (for a moment that is normal during a pack)
  kTruncated,    // the file is shorter than the committed end
  kOverwritten,  // magic or last transaction are not what was reported before
  kCorrupt,      // unsound bytes at `position`; nothing from there on is reported. Found twice, on fresh reads.
};

struct TailReport {
  TailEvent event = TailEvent::kNothingYet;
  Boundary end;                // the committed end as reported so far
  uint64_t pending_bytes = 0;  // behind the committed end and not committed
  bool more = false;           // call Poll again at once, there may be more (kAdvanced; or kNothingYet in the middle of
                               // a committed transaction larger than max_bytes_per_poll, or of bytes that changed)
  uint64_t file_size = 0;
  uint64_t transactions = 0;     // kAdvanced: how many are new
  uint64_t decreasing_tids = 0;  // kAdvanced: those of them with a tid not above the one before: a warning
  uint64_t position = 0;         // kCorrupt, kTruncated, kOverwritten
  // One line for a person. Empty for kAdvanced, and for kNothingYet, but where the last header says that it is finished
  // and the file ends before its transaction does, or that it is in progress and bytes follow it: where that lasts it
  // is damage.
  std::string reason;

  // Whether the file is the one that was reported about, under its name, and has all that was reported.
  bool as_before() const {
    return event == TailEvent::kAdvanced || event == TailEvent::kNothingYet || event == TailEvent::kAborted;
  }
};

// Used by one thread at a time; calls block on the disk.
//
// It never reports bytes as committed that were read while the status was 'c': a header is looked at first, and once
// its status is another, the transaction is read afresh. Before each report it makes sure that the file is still the
// one it reported about (name, magic, length, last transaction), and it syncs what it reports through its own
// descriptor, since a commit is visible before the writer's fsync returns.
// kReplaced, kTruncated, kOverwritten, kCorrupt are final while the file stays so: Poll repeats them.
class Tail {
 public:
  // Opens for reading and takes the exclusive flock that keeps a second sidecar off. `known` is a boundary reported in
  // an earlier life, from where to go on; a default Boundary (offset 0) means from the start. FailedPrecondition
  // with what differs when the file does not have `known` (magic, length, or digest of the last transaction).
  // NotFound: no such file. InvalidArgument: a directory or the like. DataLoss: not a FileStorage. Unavailable: another
  // sidecar has it, or the file is empty so far.
  static absl::StatusOr<std::unique_ptr<Tail>> Open(FileSystem& file_system, const std::string& path,
                                                    const TailOptions& options, const Boundary& known);
  virtual ~Tail() = default;

  // An error Status is one of reading or syncing (the storage stops); everything the file itself says is a report.
  // After a failed sync every later Poll answers the same error, since the kernel reports a failed write-back once.
  virtual absl::StatusOr<TailReport> Poll() = 0;

  // The file is under another name now, or under none: from here on Poll looks at the file alone, and answers neither
  // kReplaced nor kMissing.
  virtual void Unname() = 0;

  // Reads bytes below end().offset. Fewer than out.size() only when that is reached. DataLoss when the file itself ends
  // before: it was truncated, as the next Poll will report.
  virtual absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> out) = 0;

  virtual const Boundary& end() const = 0;
  virtual Magic magic() const = 0;
};

// Polls until there is no more at once: the last report, or the error.
absl::StatusOr<TailReport> PollToEnd(Tail& tail);

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_TAIL_H_
