// The file that was followed, when another is in its place: kept, to tell whether what came is a pack of it.
#ifndef ZRS_SIDECAR_STORAGE_PRIMARY_PACK_CHAIN_H_
#define ZRS_SIDECAR_STORAGE_PRIMARY_PACK_CHAIN_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "filestorage/boundary.h"
#include "filestorage/file_system.h"
#include "filestorage/pack_proof.h"
#include "filestorage/tail.h"

namespace zrs::storage {

// A pack takes from the file that it packs, and from no other: what it left is in there, transaction for transaction.
// So it is proved against that file, which is open still, or is Data.fs.old. Where packs come in quick succession,
// each link is proved between the file that was followed and the one that is there now. Where nobody saw a link, what
// remains is rule 3 of ProvePack, and that Data.fs.old, if it is there, is what the file was packed from.
//
// On the I/O thread only; calls block on the disk, and read each file that is taken in to its end. The files stay
// locked against other sidecars. The file system must outlive it.
class PackChain {
 public:
  PackChain(filestorage::FileSystem& file_system, std::string path);

  // The file at the path was followed, and is under another name now, or under none. Where its bytes turn out to be
  // others than those that were followed, they are lost: nothing can be a pack of it.
  void BeginWith(std::unique_ptr<filestorage::Tail> followed, uint64_t inode);
  // It was overwritten in place, which no pack does.
  void BeginLost();
  // Nobody saw what took the place of the file that had `known`: it may be Data.fs.old, or it is gone. An error where
  // Data.fs.old is there and may not be opened now (its permissions, too few descriptors).
  absl::Status BeginUnseen(const filestorage::Boundary& known);
  // One that was not yet proved, and was replaced itself. It is a link of the chain if it is a pack of the last one.
  void Add(std::unique_ptr<filestorage::Tail> pending, uint64_t inode);
  // The file with this inode is under the path again, whatever it has now: it must not be found locked by ourselves.
  void LetGo(uint64_t inode);
  void Clear();

  // The file that was followed, with all that it had at last; null where it cannot be had.
  filestorage::Tail* followed() const { return followed_.tail.get(); }
  uint64_t followed_inode() const { return followed_.inode; }

  // Whether `now`, read up to its end, is a pack of the file that was followed up to `left`, or of one that is itself.
  // Errors as ProvePack's and BeginUnseen's.
  // `doubted`: another file has been in its place since, so that a pack proves nothing any more.
  // `between`: the end of the file that was packed to `now`, where by itself that looks like no pack of the first.
  absl::StatusOr<filestorage::PackProof> Prove(filestorage::Tail& now, const filestorage::Boundary& left, bool doubted,
                                               std::optional<filestorage::Boundary>* between) const;

 private:
  struct Held {
    std::unique_ptr<filestorage::Tail> tail;
    uint64_t inode = 0;
  };

  // The end of the file that `now` is a pack of, and which is one of the file that was followed: the newest link, or
  // Data.fs.old where nobody saw that one come and go. Nothing where neither is, nor where it does not go on behind
  // `left`. Reads all of Data.fs.old. Aborted: too few descriptors.
  absl::StatusOr<std::optional<filestorage::Boundary>> FindBetween(filestorage::Tail& now,
                                                                   const filestorage::Boundary& left) const;
  // Of a file whose last packed transactions are later than all that the followed one had.
  absl::StatusOr<filestorage::PackProof> ProveByOldFile(filestorage::Tail& now, const filestorage::Boundary& left,
                                                        const std::string& missing) const;
  // Data.fs.old, to its end; no tail where there is none, where it does not have `known`, and where it is held already.
  // DataLoss where its disk does not give it back.
  absl::StatusOr<Held> OpenOld(const filestorage::Boundary& known) const;
  const Held& last() const { return link_.tail ? link_ : followed_; }

  filestorage::FileSystem& file_system_;
  const std::string path_;
  Held followed_;
  Held link_;  // the newest that was proved to be a pack of followed_, or of a pack of it
  bool lost_ = false;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_PRIMARY_PACK_CHAIN_H_
