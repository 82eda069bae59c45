// A primary's file as its I/O thread sees it: the data file, the one that it took the place of, and the state file.
#ifndef ZRS_SIDECAR_STORAGE_PRIMARY_PRIMARY_FILE_H_
#define ZRS_SIDECAR_STORAGE_PRIMARY_PRIMARY_FILE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "filestorage/boundary.h"
#include "filestorage/lock.h"
#include "filestorage/pack_proof.h"
#include "filestorage/tail.h"
#include "sidecar/runtime/runtime.h"
#include "sidecar/storage/options.h"
#include "sidecar/storage/primary/pack_chain.h"
#include "sidecar/storage/state_file.h"

namespace zrs::storage {

// Tells the log of those behind `from`: a warning, as in ZODB. Any thread.
void LogDecreasingTids(const StorageOptions& options, uint64_t from, const filestorage::TailReport& report);

// A file that is put in place of another is *pending* until it is proved to be a pack of it: it is scanned, but nothing
// of it is published, and the state goes on to tell of the old one.
//
// On the I/O thread only; every call may block on the disk.
class PrimaryFile {
 public:
  PrimaryFile(const StorageOptions& options, filestorage::FileSystem& file_system, runtime::Runtime& runtime);

  struct Opened {
    State state;
    filestorage::Magic magic = filestorage::Magic::kFs30;
    filestorage::Boundary end;  // known so far: Poll goes on from there
    uint32_t file_mode = 0;     // permission bits, of 0777; 0: not known
    bool new_identity = false;  // the database was never seen before
    std::string pending;        // why the file is not the one that the state tells of; empty where it is
  };
  // Reads or begins the state, and opens the file at what the state says. NotFound, PermissionDenied: there is no file
  // yet, or it is empty, or may not be read; those may heal. Unavailable: another sidecar has it. FailedPrecondition:
  // the state belongs to another file, machine or role. Aborted: too few descriptors, which may heal too.
  absl::StatusOr<Opened> Open();
  // After a Poll that reported `event` (kReplaced, kTruncated or kOverwritten): opens what is there now. It is pending
  // unless it has all that was followed, as one that was moved back or restored whole. Errors as Open's; may be called
  // again.
  absl::StatusOr<Opened> OpenReplacement(filestorage::TailEvent event);

  // As Tail::Poll.
  absl::StatusOr<filestorage::TailReport> Poll();
  // Of a file that has no name any more: looks at that one alone, up to its end. It is to be closed then.
  absl::StatusOr<filestorage::TailReport> PollUnnamed();
  struct Fresh {
    uint64_t offset = 0;
    std::string bytes;
    // `size` of them from `wanted` on; null where they are not all here.
    const char* Find(uint64_t wanted, uint64_t size) const;
  };
  // The bytes by which the last Poll moved the committed end, if they are at most so many; else nothing.
  Fresh ReadFresh(size_t most);
  // Whether the pending file, as far as it was scanned, is a pack of the one before. Once it was not, the right file
  // has to come back: what a later pack leaves out may have been in the copies alone. That is remembered durably.
  // Unavailable when yet another file took its place meanwhile, and after Adopt.
  absl::StatusOr<filestorage::PackProof> Prove();
  // Makes it durable that the pending file, which was proved, begins an epoch with this id (none begins where the file
  // has all that was followed after all); then the state. Unavailable as Prove's.
  absl::StatusOr<Opened> BeginEpoch(const std::string& id);
  // Lets go of the file before. It is still found under its name, if it has one.
  void ForgetOldFile() { chain_.Clear(); }

  // Remembers that another primary is known, of that generation, and what was told of it.
  absl::Status NoteRival(uint64_t generation, const std::string& message);
  // Begins an epoch of a later generation than any that was heard of, at the committed end of the file that was
  // followed last. It is durable on return, and the file is to be opened anew. FailedPrecondition where nothing is
  // open.
  absl::StatusOr<v1::Lineage> BeginGeneration(const std::string& id);
  // Makes it durable that the storage is no promoted one any more, and that its configuration says what it is. Takes
  // Data.fs.lock, until Close: Unavailable while the database has the file. FailedPrecondition where nothing was
  // opened.
  absl::Status GiveUp();

  // Makes it durable that the file is of this lineage, which a follower has proved; then nothing is taken any more.
  // Unavailable while another file is in its place; FailedPrecondition after Adopt.
  absl::Status TakeIdentity(const v1::Lineage& lineage);
  // Somebody else has the identity that was begun here: it is not exchanged any more.
  absl::Status SettleIdentity();
  // What a person says of the identity, made durable; the file is to be opened anew. Returns what was done, for a
  // person. FailedPrecondition where that is not to be done, with the reason.
  //
  // `new_database`: the file is a database of its own. Else the state file is this host's, though it was written for
  // another path or on another machine; where it was written here, or there is none, or it is damaged, a follower that
  // proves it may give another identity. What the state file said before is kept under another name.
  absl::StatusOr<std::string> Adopt(bool new_database);

  // A person says that the pending file, which is no pack of the one before, is what counts: it begins an epoch with
  // this id, of a later generation than any that was heard of, which has nothing in common with those before as far as
  // is known. Else as Adopt. Unavailable when yet another file took its place.
  absl::StatusOr<std::string> AdoptRestored(const std::string& id);

  // Remembers the committed end; nothing while the file is pending.
  absl::Status SaveState();
  void Close();

  // As Source's.
  void Remember(replication::KnownFollower follower);

  // As CommittedBytes'.
  absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> out);
  bool RemembersPosition(const replication::OldPosition& position) const;
  absl::StatusOr<size_t> ReadOld(uint64_t offset, absl::Span<char> out);

 private:
  absl::Status CheckFileIsThere();
  absl::Status LoadOrCreateState(bool* new_identity);
  State NewState();
  // Nothing, once a person has said what the state is.
  absl::Status Save(const State& state);
  // Under another name too; returns that, for a person.
  absl::StatusOr<std::string> KeepState();
  absl::StatusOr<Opened> OpenTail(const filestorage::Boundary& known);
  absl::StatusOr<Opened> OpenPending(const std::string& why);
  absl::Status LookForOldFile();
  // Unavailable where the file that is open is not under its name any more.
  absl::Status CheckStillThere();
  absl::StatusOr<bool> HasTheSameEnd();

  const StorageOptions options_;
  filestorage::FileSystem& file_system_;
  runtime::Runtime& runtime_;
  StateFile state_file_;
  std::optional<State> state_;
  bool told_ = false;  // Adopt has written the state file
  std::unique_ptr<filestorage::Tail> tail_;
  uint64_t inode_ = 0;                               // of the file that tail_ has open, or had
  uint64_t polled_from_ = 0;                         // the committed end before the last Poll
  std::unique_ptr<filestorage::DataFileLock> lock_;  // since GiveUp
  PackChain chain_;                                  // begins with the file before, from the moment it was replaced
  // The committed end of the file before; set while the present one is pending.
  std::optional<filestorage::Boundary> left_;
  // It is pending for Data.fs.old alone, which need not be the file before: that had another inode, as had the present
  // one. A start may renumber them all.
  bool unsure_ = false;
  std::optional<filestorage::Boundary> between_;  // as the last Prove found it
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_PRIMARY_PRIMARY_FILE_H_
