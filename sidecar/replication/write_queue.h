// Received bytes that wait to be written, and the rule by which they become groups.
#ifndef ZRS_SIDECAR_REPLICATION_WRITE_QUEUE_H_
#define ZRS_SIDECAR_REPLICATION_WRITE_QUEUE_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "filestorage/boundary.h"

namespace zrs::replication {

// Append the pieces in order to the uncommitted tail; then, if `commit`, make everything up to that boundary visible
// and durable, with `following` (the next group's first bytes, at most a header) as Appender::Commit takes it.
struct WriteGroup {
  std::vector<std::string> pieces;
  std::optional<filestorage::Boundary> commit;
  std::string following;
};

struct WriteQueueOptions {
  uint64_t group_limit = 32 << 20;  // a group of so many bytes is committed, though more has arrived
  uint64_t piece_limit = 1 << 20;   // so much of an unfinished transaction is written without waiting for its end
  uint64_t far_behind = 1 << 20;    // with so much known to be still to come, groups are for throughput
};

// A commit costs several syncs, so a group should be large; but a transaction should be durable as soon as it can be.
// And a group can only be committed where a transaction ends. One write is under way at a time. When none is, then with
//   B        the last boundary among the received bytes
//   handed   where the bytes end that were given out to be written
// the next write is:
//   1. B > handed       the bytes up to B. With commit, unless the group stays below group_limit and the upstream has
//                       more than far_behind bytes behind B, as far as we know: then it is a bulk copy, and what comes
//                       next may join the group.
//   2. handed is a boundary that is not committed
//                       its commit alone. So a group that was left open by 1. waits for nothing but the answer of its
//                       write: whatever is received becomes durable up to B without anything more being received.
//   3. at least piece_limit bytes of an unfinished transaction are here
//                       those bytes, without commit. The transaction begins its group (1. and 2. leave nothing
//                       uncommitted before it), since until its end arrives nothing could be committed.
//   4. else             none, until more is received.
// For live traffic 1. is write and commit in one, of all that has arrived during the commit before.
//
// It never stalls together with a receiver that goes on while queued() is below a limit of at least piece_limit. Not
// thread-safe.
class WriteQueue {
 public:
  explicit WriteQueue(WriteQueueOptions options);

  // Where the file ends, committed. Called once, before the rest.
  void Start(const filestorage::Boundary& committed);

  // Bytes that follow those pushed before, already checked.
  void Push(std::string bytes);

  // The next write, if there is to be one now. `last`: the last boundary among the bytes pushed (or the start);
  // `upstream_end`: the committed end of the publisher, as far as known.
  std::optional<WriteGroup> Next(const filestorage::Boundary& last, uint64_t upstream_end);

  // The write is done. Returns what is committed by it.
  std::optional<filestorage::Boundary> OnWritten();

  // Drops what waits. Nothing more is given out.
  void Clear();

  uint64_t queued() const { return queued_; }  // bytes that wait
  bool writing() const { return writing_; }
  // No write is under way, and all that was given out is committed.
  bool between_groups() const { return !writing_ && handed_ == committed_; }

 private:
  std::vector<std::string> Take(uint64_t size);
  std::string Peek(size_t size) const;  // at most so many
  bool CommitNow(const filestorage::Boundary& last, uint64_t upstream_end) const;
  WriteGroup Commit(const filestorage::Boundary& boundary, std::vector<std::string> pieces);

  WriteQueueOptions options_;
  std::deque<std::string> pieces_;
  uint64_t queued_ = 0;
  uint64_t handed_ = 0;                        // file offset of the first queued byte
  uint64_t committed_ = 0;                     // where the group began
  std::optional<filestorage::Boundary> open_;  // at handed_: a boundary that is to be committed
  bool writing_ = false;
  std::optional<filestorage::Boundary> committing_;  // by the write under way
};

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_WRITE_QUEUE_H_
