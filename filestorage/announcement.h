// The first bytes of a group of transactions on a secondary's file: how they announce the group while it is being
// written, and how they turn when it is committed. Pure functions of bytes; the appender writes them, recovery reads
// them. See appender.h for the protocol they are part of.
//
// An announcement is the group's first 17 bytes (tid, length, status) with three changes:
//   tid     that of the last committed transaction, since ZODB takes the tid of a transaction in progress for its
//           lastTransaction(): it would be ahead of what it shows, and would go back when the group is cut;
//   length  with the real status in its first byte, which is 0 in a real length: the *closed gate*. A length beyond
//           the file's end is a transaction that ZODB ignores, whatever its status;
//   status  'c': in progress. ZODB ignores the transaction and all that follows.
// Why 17 bytes: fewer than a header's 23 are ignored at the end of a file, whatever they are, so that any of them may
// get lost until they are durable; and from then on their status hides what follows.
//
// What a disk writes as a whole, or not at all, is a sector of 512 bytes. Where the 17 bytes lie in two of them, the
// turn takes two steps: the real bytes, but behind the closed gate; then the gate opens. A tid that an opener was shown
// must never be taken back, also when the process is killed in between: so what it leaves can be finished
// (UnfinishedTurn).
#ifndef ZRS_FILESTORAGE_ANNOUNCEMENT_H_
#define ZRS_FILESTORAGE_ANNOUNCEMENT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "filestorage/format.h"

namespace zrs::filestorage {

inline constexpr size_t kAnnouncementSize = kTransactionStatusOffset + 1;

// One write into the file.
struct HeaderWrite {
  uint64_t offset = 0;
  std::string bytes;
};

// All below: `offset` is where the group begins, `real` its first kAnnouncementSize bytes as the primary has them (the
// status is none in progress), `tid_before` the tid of the last transaction before it (0: none).

// Announces the group.
HeaderWrite AnnouncementWrite(uint64_t offset, absl::string_view real, Tid tid_before);

// Announces a group of which nothing is known yet. Only where the 17 bytes lie in one sector: elsewhere an unfinished
// turn is finished from what the announcement says. Nothing where they do not.
std::optional<HeaderWrite> BlankAnnouncementWrite(uint64_t offset, Tid tid_before);

// Turns an announcement to the real bytes: one or two writes, each to be durable before the next. The last one commits,
// as a whole or not at all; before it no subset of the sectors written reads as committed.
std::vector<HeaderWrite> TurnWrites(uint64_t offset, absl::string_view real);

// Takes a turn back whose durability is unknown (a sync failed): any subset of it over any subset of the turn reads as
// uncommitted, or as wholly committed; and what it leaves as a whole is cut by recovery.
HeaderWrite TurnBackWrite(uint64_t offset, absl::string_view real, Tid tid_before);

// Whether `found`, at least kAnnouncementSize bytes behind the committed end, were written by an appender for a group
// that is not committed, so that there is nothing in them to save.
bool IsAnnouncement(absl::string_view found);

// Whether the tid of a group lies in two sectors, and nothing in the group's first transaction tells it again: a turn
// is only to be finished where the group's end is followed by that tid (8 bytes, fewer than openers look at). `header`:
// the group's first 23 bytes.
bool NeedsTidBehind(uint64_t offset, absl::string_view header);

// The real bytes, where `found` (as above, at `offset`) is a turn that was begun and not finished, and the tid that it
// shows is not `tid_before`; all that belongs to the group was durable before. Else nothing. `told_tid`: that of the
// transaction's first data record, which has the transaction's own; where it has none, what follows the group. (It
// decides where the tid itself lies in two sectors: there it may be half the old and half the new.)
std::optional<std::string> UnfinishedTurn(uint64_t offset, absl::string_view found, Tid tid_before,
                                          std::optional<Tid> told_tid);

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_ANNOUNCEMENT_H_
