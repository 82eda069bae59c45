// A file system in memory whose machine can crash, for tests and for the simulation.
//
// What a crash leaves is what a power loss may leave on a real disk:
//   - each page (4096 bytes, or as given) that was not synced: any of its states since it was last synced;
//   - each file's size: any that was reached since the last sync, also in the middle of a write that passed a page's
//     end; pages that did not survive within the size read as zeros;
//   - names (create, rename, remove): any subset of the changes since their directory was synced, in their order.
// After a Sync that failed, the file's pages read back well and count as clean: a later sync succeeds and does not
// write them.
#ifndef ZRS_TESTS_SUPPORT_SIMULATED_FILE_SYSTEM_H_
#define ZRS_TESTS_SUPPORT_SIMULATED_FILE_SYSTEM_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "filestorage/file_system.h"
#include "tests/support/simulated_file_system_state.h"

namespace zrs::tests {

struct SimulatedOperation {
  enum class Kind {
    kOpen,    // without creating
    kCreate,  // CreateExclusively; OpenOrCreate of a file that is not there
    kRead,
    kWrite,
    kTruncate,
    kSync,
    kStat,
    kLock,
    kRename,
    kLink,
    kRemove,
    kSyncDirectory,
    kCreateDirectories,
    kList,
    kFreeBytes,
  };
  Kind kind = Kind::kOpen;
  std::string path;     // as the file was opened; the directory's for the directory operations
  std::string to;       // kRename, kLink
  uint64_t offset = 0;  // kRead, kWrite
  uint64_t size = 0;    // kRead, kWrite: bytes; kTruncate: the new size
  uint64_t number = 0;  // counts all operations of this file system from 1

  // Whether it changes what a crash could leave.
  bool IsChange() const {
    return kind != Kind::kOpen && kind != Kind::kRead && kind != Kind::kStat && kind != Kind::kLock &&
           kind != Kind::kList && kind != Kind::kFreeBytes;
  }
};

// Called before each operation, from the operation's thread, with no lock held: it may clone or crash the file system.
// An error is the operation's answer, and the operation does not happen (a sync fails as described above).
using OperationHook = std::function<absl::Status(const SimulatedOperation&)>;

// Thread-safe. Files answer Unavailable after a crash; they may outlive neither the file system nor be shared between
// threads at one time.
class SimulatedFileSystem : public filestorage::FileSystem {
 public:
  static constexpr size_t kPageSize = 4096;

  explicit SimulatedFileSystem(size_t page_size = kPageSize) : disk_(page_size) {}

  void SetHook(OperationHook hook);
  // WriteAt and Truncate that would take all files together past `bytes` answer ResourceExhausted; a write fills what
  // is left first.
  void SetCapacity(uint64_t bytes);

  // The machine crashes and comes back: all handles are dead, all locks are free. `chooser`: what survives.
  void Crash(CrashChooser& chooser);
  // Devices and inodes have other numbers from now on, as after a start that finds the disks in another order, or of a
  // disk that was copied. Not while a file is open.
  void Renumber();
  // An upper limit of how many different outcomes Crash can have now; saturates.
  uint64_t CrashOutcomes() const;
  // The same disk, unsynced state included, in another machine: no handles, locks, hook or capacity. Cheap.
  std::unique_ptr<SimulatedFileSystem> Clone() const;

  // Operations so far.
  uint64_t operations() const;
  // A file's contents as read now; not an operation. Empty when there is no such file.
  std::string Contents(const std::string& path) const;
  // Whether there is such a file, and Contents would answer this.
  bool HasContents(const std::string& path, absl::string_view contents) const;
  // The same of bytes `from` to `to`, or to the file's end, as a crash that takes everything unsynced would leave them.
  std::string DurableContents(const std::string& path, uint64_t from, uint64_t to) const;
  bool Exists(const std::string& path) const;  // the name; a link may dangle
  // Puts a file in place, durably, with its directory; not an operation.
  void SetContents(const std::string& path, absl::string_view contents);
  // The same of a symbolic link, which must be new.
  void SetLink(const std::string& path, const std::string& target);
  // Where the symbolic link leads; empty where that name is none.
  std::string LinkTarget(const std::string& path) const;

  absl::StatusOr<std::unique_ptr<filestorage::File>> OpenForReading(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<filestorage::File>> OpenForWriting(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<filestorage::File>> OpenOrCreate(const std::string& path, uint32_t mode) override;
  absl::StatusOr<std::unique_ptr<filestorage::File>> CreateExclusively(const std::string& path, uint32_t mode) override;
  absl::StatusOr<filestorage::FileInfo> Stat(const std::string& path) override;
  absl::StatusOr<filestorage::FileInfo> StatName(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Link(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status SyncDirectory(const std::string& directory) override;
  absl::Status CreateDirectories(const std::string& directory, uint32_t mode) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override;
  absl::StatusOr<uint64_t> FreeBytes(const std::string& directory) override;

 private:
  friend class SimulatedFile;

  absl::Status Begin(SimulatedOperation operation);
  // Begin where there is no hook that would look at the operation; else false, and nothing is done.
  bool BeginUnseen();
  absl::StatusOr<std::unique_ptr<filestorage::File>> Open(const std::string& path, bool writable);
  absl::StatusOr<std::unique_ptr<filestorage::File>> Create(const std::string& path, uint32_t mode);
  // The caller holds mutex_.
  uint64_t FindFile(const std::string& path) const { return disk_.Find(disk_.Follow(path)); }
  std::unique_ptr<filestorage::File> NewHandle(const std::string& path, uint64_t inode, bool writable);
  filestorage::FileInfo InfoOf(uint64_t inode) const;
  // How many bytes `inode` may have at most.
  uint64_t SizeLimit(uint64_t inode) const;

  mutable std::mutex mutex_;
  SimulatedDisk disk_;
  OperationHook hook_;
  uint64_t capacity_ = UINT64_MAX;
  uint64_t operations_ = 0;
  uint64_t handles_ = 0;
  uint64_t boot_ = 1;       // handles of an earlier boot are dead
  uint64_t numbering_ = 0;  // counts Renumber
};

}  // namespace zrs::tests

#endif  // ZRS_TESTS_SUPPORT_SIMULATED_FILE_SYSTEM_H_
