// The copy that a secondary keeps, as its I/O thread sees it: the data file, its lock and its state file.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_COPY_FILE_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_COPY_FILE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "filestorage/appender.h"
#include "filestorage/committed_scan.h"
#include "filestorage/index/index_builder.h"
#include "filestorage/lock.h"
#include "filestorage/pack_proof.h"
#include "filestorage/transaction_probe.h"
#include "sidecar/replication/follower_session.h"
#include "sidecar/storage/options.h"
#include "sidecar/storage/state_file.h"

namespace zrs::storage {

// Says in the log what recovery did, where it did something. Any thread.
void LogRecovery(const std::string& storage, const std::string& path, const filestorage::Recovery& recovery);

// On the I/O thread only; every call may block on the disk.
class CopyFile {
 public:
  CopyFile(const StorageOptions& options, filestorage::FileSystem& file_system);

  struct Found {
    replication::Copy copy;
    filestorage::Recovery recovery;  // where there was a file
    bool complete = false;           // the file was once all that the primary had
    std::string upstream;            // that was followed last; empty: none was
    bool upstream_is_secondary = false;
    // There is a file, and no state that tells what it is: nothing was changed, and nothing is open but for
    // ReadUnproved. The copy is empty.
    struct Unproved {
      filestorage::Magic magic = filestorage::Magic::kFs30;
      uint64_t size = 0;
    };
    std::optional<Unproved> unproved = {};
    std::string difference;  // from the upstream's file, as a comparison found it; empty: none is known
    State::Scrub scrub = {};
    // When the last swap was (RFC 3339; empty where nobody knows), if nobody has said yet that it was told: one that
    // is finished here among them.
    std::optional<std::string> swap_to_tell;
  };
  // Takes `Data.fs.lock`, reads the state, opens the file and recovers it. Without a file the copy is empty (its
  // lineage is kept where the state knows one).
  absl::StatusOr<Found> Open();

  // A first copy: the identity is durable before the file exists, so no file is ever without one. It gets the mode that
  // `create` says.
  absl::Status Create(const replication::CreateCopy& create);
  // Appends and commits as the group says; errors, and `more_expected`, as Appender's.
  absl::Status Write(replication::WriteGroup group, bool more_expected);
  // FailedPrecondition where somebody has moved the live file away, put another one in its place, or cut it off:
  // nothing is written to it from then on. Write and MakeRoom look at that. OK without a file.
  absl::Status CheckPlace() { return appender_ ? appender_->StayInPlace(file_system_) : absl::OkStatus(); }
  // Between groups, where more is expected: what comes next takes a shorter sync (Appender::MakeRoom). OK without a
  // file.
  absl::Status MakeRoom();
  // Takes back what was written for the sake of more. OK without a file.
  absl::Status Tidy();
  // Forgets what is not committed, in the file beside too. OK without a file.
  absl::Status Cut();
  // The live file stays as it is now, for the next Open to cut. Nothing is written to it any more.
  void LeaveAsItIs() {
    if (appender_) appender_->LeaveTail();
  }
  // Whether Cut would leave the live file as it is.
  bool tidy() const { return !appender_ || appender_->tidy(); }

  // A file that is to take the live one's place is built beside it, as `Data.fs.zrs-new`. Durable is first that it is
  // being built, and of what; then the file. Where it begins with more than the magic it is the part that Found told
  // of. ResourceExhausted when there is no room for the whole; FailedPrecondition when a file of another kind is in the
  // way.
  absl::Status PrepareRebuild(const replication::PrepareRebuild& prepare);
  absl::Status WriteRebuild(replication::WriteGroup group);
  absl::StatusOr<size_t> ReadRebuild(uint64_t offset, absl::Span<char> out);
  // Whether it is a pack of the live file, or of what that one became: it has what a file that went on from it, as its
  // lineage tells, had last.
  absl::StatusOr<filestorage::PackProof> ProveRebuild();
  // It takes the live one's place, which is kept open for ReadOld until the next swap. An error of the code
  // ResourceExhausted leaves the live file as it was. After any other one, the next Open finds out what was done. From
  // here on the next Open tells of this swap, by its `time` (RFC 3339), until OnSwapTold.
  absl::Status Swap(const replication::SwapCopy& swap, const std::string& time);
  // Everybody who has to know of the swap of that time does. Where another one was done since, that is still to be
  // told.
  absl::Status OnSwapTold(const std::string& time);
  // Lets go of the file before the last swap. It is still found as `Data.fs.old`, if it was kept.
  void ForgetOldFile() { old_.reset(); }
  // Removes the file beside, and forgets it.
  absl::Status DropRebuild();
  // What of it is durable, for the next stream: nothing perhaps, though it is known what is to be built. Absent when
  // none is.
  std::optional<replication::RebuildCopy> rebuild() const;
  // Remembers identity and the committed end.
  absl::Status SaveState();
  // Remembers that the file goes on in the epoch that `lineage` ends with.
  absl::Status Adopt(const v1::Lineage& lineage);
  // Remembers that the file is all that the primary has.
  absl::Status NoteComplete();
  // Remembers that there is an epoch of that generation elsewhere, for Promote to begin a later one.
  absl::Status NoteGeneration(uint64_t generation);
  // Remembers who is followed, and whether that is a secondary itself.
  absl::Status NoteUpstream(const std::string& address, bool is_secondary);
  // Remembers what a comparison found; nothing: that there is no difference.
  absl::Status NoteDifference(const std::string& difference);
  void NoteScrub(const State::Scrub& scrub);

  // Of the file that Found calls unproved.
  absl::StatusOr<size_t> ReadUnproved(uint64_t offset, absl::Span<char> out);
  // Whether what lies behind `offset` there, a boundary, is no more than a transaction that was being written.
  absl::StatusOr<bool> UnprovedEndsUnfinished(uint64_t offset);
  // It was proved to be a beginning of this database's file up to `same`, when it had `size` bytes: remembers that. The
  // next Open finds a copy. Unavailable where there is another file now, or it has another size: it is to be proved
  // anew.
  absl::Status AdoptUnproved(const v1::Lineage& lineage, const filestorage::Boundary& same, uint64_t size);

  // What is behind `same`, of the live file or of the unproved one.
  struct Surplus {
    uint64_t bytes = 0;
    uint64_t transactions = 0;                          // sound ones, up to the first that is not
    uint64_t uncounted = 0;                             // bytes, from that one on
    std::vector<filestorage::ProbedTransaction> first;  // of them, as many as were asked for
    std::string cut_to;                                 // where CutBack would save it; empty: there is nothing
    std::string moved_to;                               // where MoveAway would move the file
  };
  absl::StatusOr<Surplus> Survey(const filestorage::Boundary& same, size_t most);
  // Whether CutBack and MoveAway could write the file, the state and in their directories, and find `bytes` of room: as
  // the disk says. Nothing is changed.
  absl::Status RehearseGivingUp(uint64_t bytes);
  struct GiveUp {
    v1::Lineage lineage;         // of the file that this one is to be a copy of from here on
    filestorage::Boundary same;  // up to where it is the same
    uint64_t size = 0;           // of an unproved file, when it was compared
    bool complete = false;       // what is left is all that the upstream has
    std::string time;            // for Found's swap_to_tell: readers have to reopen, as after a swap
  };
  // Gives up what is behind `same`. The name of what was saved; empty where there was nothing. The next Open finds the
  // copy; after an error, or a crash on the way, one with a `difference`, unless nothing was done.
  absl::StatusOr<std::string> CutBack(const GiveUp& what);
  // The file gets another name, which is answered. The next Open finds none.
  absl::StatusOr<std::string> MoveAway(const GiveUp& what);

  // Whether Promote would find the file in its place, and could write the state: FailedPrecondition, or as the disk
  // says. Nothing is changed.
  absl::Status RehearsePromotion();
  struct Promoted {
    v1::Lineage lineage;
    std::vector<std::string> notes;  // for a person
  };
  // Cuts what is not committed and begins an epoch with this id, of a generation later than any that was heard of, in
  // which this host is the primary: durable before ZODB's index is brought up to date, and the file and its lock are
  // let go of. After an error the file is still a secondary's; where writing the state failed, the next Open tells.
  // Without an index ZODB makes its own: that is no error. `go_on`, from this thread: false ends the work on the index.
  absl::StatusOr<Promoted> Promote(const std::string& epoch_id, const filestorage::ScanProgress& go_on);
  // Up to where the live file may be indexed now (bytes), and which file that is. What is before that does not change
  // for as long as CheckIsStill says so. FailedPrecondition where there is none.
  struct Indexable {
    uint64_t file = 0;
    uint64_t end = 0;
  };
  absl::StatusOr<Indexable> BeginIndex();
  // Cancelled once the file was replaced, cut or closed since.
  absl::Status CheckIsStill(const Indexable& of) const;
  // An index that was made of that file takes its place. Cancelled as CheckIsStill; else PreparedIndex's errors.
  absl::Status PutIndex(const Indexable& of, filestorage::PreparedIndex& index);

  // Saves the state and lets go of file and lock.
  void Close();

  // As Source's.
  void Remember(replication::KnownFollower follower);

  absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> out);
  bool RemembersPosition(const replication::OldPosition& position) const;
  // Also over more than one pack: a copy that was down while the primary was packed again went from its own old file to
  // the newest one.
  bool OldFileIsOf(const replication::OldPosition& position) const;
  absl::StatusOr<size_t> ReadOld(uint64_t offset, absl::Span<char> out);

 private:
  absl::StatusOr<std::optional<State>> LoadState();
  // For a new copy.
  absl::Status CheckPlaceIsEmpty();
  // The live file, which is there; that of an old primary becomes a secondary's.
  absl::Status OpenLive(Found* found);
  absl::Status BecomeSecondary();
  absl::Status MoveUnknownRebuildAway();
  // Of a file of which nobody knows what it is.
  absl::Status OpenUnproved(Found* found);
  State NewState(const v1::Lineage& lineage) const;
  // Saves that this is being done, and differs until it is.
  absl::Status NoteGivingUp(const GiveUp& what);
  absl::Status SettleUnproved(uint64_t size);
  // Of a file that no appender has open.
  absl::StatusOr<std::string> CutUnproved(const filestorage::Boundary& same,
                                          const std::function<absl::Status()>& before_cut);
  std::string UpdateIndex(const filestorage::ScanProgress& go_on);
  // Durably, before the live file is another one.
  absl::Status RemoveIndex();
  static absl::Status WriteTo(filestorage::Appender& appender, replication::WriteGroup group, bool more_expected);
  static absl::StatusOr<size_t> ReadFrom(filestorage::Appender* appender, const std::string& path, uint64_t offset,
                                         absl::Span<char> out);
  absl::Status OpenAppender(const filestorage::Boundary& lower_bound, filestorage::WrittenBy writer,
                            filestorage::Recovery* recovery);
  absl::Status OpenRebuild();
  absl::Status ReopenRebuild();
  absl::Status CreateRebuild(filestorage::Magic magic);
  // ResourceExhausted unless there are `bytes` beside the live file, for `what`.
  absl::Status CheckRoom(uint64_t bytes, absl::string_view what);
  // The same for the file beside; tells of the one of before the last pack, where that takes up room.
  absl::Status CheckRoomForRebuild(uint64_t bytes);
  std::string RoomOfOldFile();
  absl::Status RemoveRebuild();
  absl::Status CheckOpen(bool beside) const;
  // A swap that was under way at a crash: finished, or forgotten where it had not begun and cannot be done any more.
  absl::Status FinishSwap();
  absl::Status NoteSwapped();
  // Among the known followers, before the state forgets in which epoch the old file was.
  void RememberOldEnd();

  const StorageOptions options_;
  filestorage::FileSystem& file_system_;
  StateFile state_file_;
  std::optional<State> state_;
  std::unique_ptr<filestorage::DataFileLock> lock_;
  std::unique_ptr<filestorage::Appender> appender_;
  std::unique_ptr<filestorage::Appender> rebuild_;  // the file beside
  std::unique_ptr<filestorage::Appender> old_;      // the file before the last swap
  std::unique_ptr<filestorage::File> unproved_;     // open for reading
  uint64_t file_number_ = 0;  // goes up before anything but an append is done to the live file, or to its name
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_COPY_FILE_H_
