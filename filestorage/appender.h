// Crash-safe append of whole transactions to a secondary's file, in groups, so that at every instant, also after a
// power loss with any subset of the unsynced pages surviving, whoever opens the file finds a committed prefix.
//
// Strict mode, the only one so far. A group is one or more whole transactions. These steps, each durable before the
// next:
//   1. announced: its first 17 bytes (tid, length, status) are at the committed end, changed so that nobody takes the
//      group for committed (announcement.h);
//   2. the rest is behind them, and behind that the next group, if it is known or expected, is announced already, which
//      saves it a sync. Where it is not, the file ends exactly at the group's end (or 8 bytes behind it:
//      NeedsTidBehind);
//   3. the first bytes turn to their real values, and the group is committed.
// At rest the file ends at the committed end. While the next group is expected a header is there, 23 bytes that say "in
// progress": openers pass over it, as over a vote in a primary's file. (Of fewer bytes ZODB's FileIterator says that
// the file is corrupt.) Behind it there may be room, zeros that the next groups overwrite (MakeRoom()): openers pass
// over that with the header. Tidy() takes both back.
//
// ZODB logs "time-stamp reduction" at the committed end when it opens the file while a group is being written: an
// announcement repeats the last transaction's tid.
#ifndef ZRS_FILESTORAGE_APPENDER_H_
#define ZRS_FILESTORAGE_APPENDER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "filestorage/announcement.h"
#include "filestorage/boundary.h"
#include "filestorage/file_system.h"
#include "filestorage/format.h"
#include "filestorage/recovery.h"

namespace zrs::filestorage {

// Used by one thread at a time (the storage's I/O thread); calls block on the disk.
//
// Errors: ResourceExhausted (disk full) from Append, Commit or Cut leaves the committed end as it was: Cut() and go on
// once there is space; until then Append and Commit answer FailedPrecondition. After any other error of the disk, a
// failed sync above all, the appender is broken: every later call answers FailedPrecondition with the first cause.
// A caller's mistake (said with each function) changes nothing.
class Appender {
 public:
  // Creates an empty FileStorage (the magic alone) at `path`, which must not exist: it appears by rename from
  // `path`.zrs-new, with `access`, and is durable on return. AlreadyExists when there is one, or when `path`.zrs-new
  // holds more than a magic.
  static absl::Status Create(FileSystem& file_system, const std::string& path, Magic magic, const FileAccess& access);

  // Opens the file, takes the exclusive flock that keeps a second sidecar off (Unavailable when another has it), and
  // recovers. `lower_bound` is a boundary known to be durable (FirstBoundary(), or one with offset 0, if nothing is
  // known). A file that does not have it (too short, another last transaction there, or another magic) is refused with
  // DataLoss and left as it is. Above it, complete transactions are kept up to the first that is unsound or incomplete;
  // everything from there on is cut: our own uncommitted tail (fewer than 23 bytes, or a transaction with status 'c',
  // or nothing but zeros) silently, anything else, and everything in a file that a database wrote (`writer`), only
  // after it was saved to `path`.trN (the first N that is free; synced, its directory too).
  // On return the file ends at the committed end and that is durable. NotFound: no such file. ResourceExhausted: no
  // room to save the tail; the file is as it was.
  static absl::StatusOr<std::unique_ptr<Appender>> Open(FileSystem& file_system, const std::string& path,
                                                        const Boundary& lower_bound, Recovery* recovery,
                                                        WrittenBy writer = WrittenBy::kAppender);
  // Cuts what is not committed, as far as that works, and closes the file.
  ~Appender();
  // From here on that is left to the next Open. Nothing is written any more.
  void LeaveTail() { leave_tail_ = true; }
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;

  // Writes `bytes` behind tail_end(). The caller has checked with a Scanner that they continue a sound transaction
  // sequence; the first call after a commit or cut starts a group and `bytes` begins with a transaction (if the last
  // Commit was told what follows: with that, else FailedPrecondition; with a status 'c', InvalidArgument). Not visible
  // to readers and not durable until Commit. Pieces may be of any size (a first piece shorter than a header is held);
  // each is one write, and the first one of a group that was not announced yet costs a sync.
  absl::Status Append(absl::string_view bytes);

  // Makes everything appended visible and durable. `end` is the boundary at tail_end() (FailedPrecondition if not).
  // `following` is what will be appended next, if anything is known: when it has 23 bytes or more, the next group is
  // announced with this group's first sync. Those bytes must still be given to Append, or Cut() called. Where nothing
  // is known, but `more_expected`, a group is announced that may be any, until Tidy() or Cut(). Two syncs (three where
  // the group's first 17 bytes lie in two disk sectors).
  absl::Status Commit(const Boundary& end, absl::string_view following = {}, bool more_expected = false);

  // While a group is expected: what will be appended overwrites zeros, as far as `bytes` behind the committed end, and
  // does not make the file longer, which takes a sync half as long again on a file system with a journal. One sync.
  // Nothing where no group is expected, where one is under way, or where the zeros are there; a full disk is no error.
  absl::Status MakeRoom(uint64_t bytes);
  // Up to how many bytes behind the committed end there are such zeros.
  uint64_t room() const { return room_end_ > committed_.offset ? room_end_ - committed_.offset : 0; }

  // Takes back the announcement of a group of which nothing was appended. No input or output where there is none.
  absl::Status Tidy();

  // Forgets what was appended and not committed: the file ends at the committed end again, durably. No input or output
  // where that is so already.
  absl::Status Cut();

  // Gives up the committed transactions behind `end`, a boundary of the file: what is there is saved first, as Open
  // does, and the file ends at `end`, durably. The name of what was saved; empty where there was nothing. Between
  // groups, or after Cut(). FailedPrecondition where the file does not have this boundary: nothing was changed.
  // `before_cut` is called once all is saved; after its error, which is returned, the file is as it was.
  absl::StatusOr<std::string> CutBack(FileSystem& file_system, const Boundary& end,
                                      const std::function<absl::Status()>& before_cut);

  // FailedPrecondition unless the file that is open is the one under its name, and has all that was written to it.
  // Other errors: the file system's.
  absl::Status CheckInPlace(FileSystem& file_system) const;
  // The same, after which a FailedPrecondition has broken the appender: nothing is written to that file any more.
  absl::Status StayInPlace(FileSystem& file_system);

  // Whether the file ends at the committed end: Cut() has nothing to do.
  bool tidy() const { return !untidy_; }

  const Boundary& committed() const { return committed_; }
  // Where the next appended byte belongs; committed().offset between groups.
  uint64_t tail_end() const { return tail_end_; }
  Magic magic() const { return magic_; }
  // Reads committed bytes; fewer than out.size() only when the committed end is reached.
  absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> out);

 private:
  Appender(std::unique_ptr<File> file, Magic magic, const Boundary& committed);

  absl::Status CheckUsable() const;
  absl::Status CheckAppendable() const;
  absl::Status BeginGroup(absl::string_view first);
  absl::Status Write(const HeaderWrite& write);
  // What is announced behind the committed end.
  enum class Next { kNothing, kKnown, kBlank };
  absl::StatusOr<Next> AnnounceNext(const Boundary& end, absl::string_view following, bool more_expected);
  void FillBlankHeader();
  absl::Status Turn();
  void TurnBack();
  absl::Status FinishTurn(const Boundary& end, Next next, absl::string_view following);
  absl::Status AfterFailedWrite(const absl::Status& status);
  absl::Status Break(const absl::Status& status);
  void ForgetGroup();

  std::unique_ptr<File> file_;
  Magic magic_;
  Boundary committed_;
  uint64_t tail_end_;
  std::string held_;         // the group's first bytes while they are fewer than a header
  std::string announced_;    // the real first bytes of the group that is announced at the committed end; or empty
  bool blank_ = false;       // a group is announced there that may be any
  bool began_ = false;       // the announced group's further bytes are being written
  bool tid_behind_ = false;  // its tid is to be behind it while it turns
  uint64_t room_end_ = 0;    // where the zeros made by MakeRoom end, or what is left of a failed write, at most
  bool untidy_ = false;      // the file may have bytes behind the committed end
  bool must_cut_ = false;    // the disk was full
  bool leave_tail_ = false;
  absl::Status broken_;  // the first cause
};

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_APPENDER_H_
