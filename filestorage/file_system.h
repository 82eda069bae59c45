// The seam to the operating system's files. Data files, their locks and state files are read and written through this
// alone, so that tests can lose unsynced bytes, fill the disk and fail any single call. (Configurations, logs,
// sockets and the process's own lock are not.)
#ifndef ZRS_FILESTORAGE_FILE_SYSTEM_H_
#define ZRS_FILESTORAGE_FILE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace zrs::filestorage {

// What identifies a file and its size, at one moment. (device, inode) is a hint only: inode numbers are reused.
struct FileInfo {
  uint64_t size = 0;  // bytes
  uint64_t device = 0;
  uint64_t inode = 0;
  uint32_t mode = 0;   // permission bits, 07777
  uint32_t owner = 0;  // user id
  uint32_t group = 0;  // group id
  bool is_regular = true;
  bool is_link = false;  // a symbolic link itself; from StatName alone

  bool SameFile(const FileInfo& other) const { return device == other.device && inode == other.inode; }
};

// Who may open a file that is created. What is not said is left as the system makes it.
struct FileAccess {
  // Permission bits, 07777; not said: 0666 less the umask, as ZODB creates its files.
  std::optional<uint32_t> mode = {};
  std::optional<uint32_t> owner = {};  // user id
  std::optional<uint32_t> group = {};  // group id
};

// An open file. Offsets and sizes are in bytes. Calls may block on the disk; a File is used by one thread at a time.
// Errors carry operation, path, offset and the system's cause:
//   NotFound, PermissionDenied (a read-only file system too), AlreadyExists; ResourceExhausted: disk full or quota,
//   from writes, truncation and creation (a Sync that reports one is a failed sync, DataLoss); Unavailable: a lock that
//   another holds; FailedPrecondition: a symbolic link where none is followed; Aborted: no file descriptor is left to
//   the process or the system; DataLoss: everything else that the disk reports, EIO among it.
class File {
 public:
  virtual ~File() = default;

  // Reads up to out.size() bytes at `offset`. Fewer are returned only at the end of the file.
  virtual absl::StatusOr<size_t> ReadAt(uint64_t offset, absl::Span<char> out) = 0;
  // Writes all of `data` at `offset`, extending the file as needed. After an error any part may have been written.
  virtual absl::Status WriteAt(uint64_t offset, absl::string_view data) = 0;
  // Makes the file `size` long: cuts off what lies behind, or fills it up with zeros. Durable after Sync.
  virtual absl::Status Truncate(uint64_t size) = 0;
  // Makes the file's bytes and its size durable (fdatasync). Allowed on a file that was opened for reading. After an
  // error nothing that was written since the last success may be trusted, even if it reads back well.
  virtual absl::Status Sync() = 0;
  virtual absl::StatusOr<FileInfo> Stat() = 0;
  // Sets what `access` says. PermissionDenied where this user may not (only root gives files to others).
  virtual absl::Status SetAccess(const FileAccess& access) = 0;
  // Takes flock(LOCK_EX | LOCK_NB) on the file until it is closed. Unavailable when another holds it.
  virtual absl::Status LockExclusively() = 0;
  virtual const std::string& path() const = 0;
};

// Thread-safe. Paths are used as given. Errors as File's.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual absl::StatusOr<std::unique_ptr<File>> OpenForReading(const std::string& path) = 0;
  // Reading and writing; the file must exist.
  virtual absl::StatusOr<std::unique_ptr<File>> OpenForWriting(const std::string& path) = 0;
  // Creates the file with the permission bits `mode` (less the umask), or opens and keeps the one that exists. A
  // symbolic link is FailedPrecondition: in a directory of another user it could lead to any file of ours.
  virtual absl::StatusOr<std::unique_ptr<File>> OpenOrCreate(const std::string& path, uint32_t mode) = 0;
  // Creates the file with the permission bits `mode` (less the umask); AlreadyExists when there is one.
  virtual absl::StatusOr<std::unique_ptr<File>> CreateExclusively(const std::string& path, uint32_t mode) = 0;
  // Of the file that the path leads to, over symbolic links too.
  virtual absl::StatusOr<FileInfo> Stat(const std::string& path) = 0;
  // Of what has this name: a symbolic link is told as one, wherever it leads.
  virtual absl::StatusOr<FileInfo> StatName(const std::string& path) = 0;
  // Replaces `to` if it exists. Durable only after SyncDirectory of the directory (of both, where they differ).
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  // Gives the file a second name, `to`, which must not exist (AlreadyExists). Durable after SyncDirectory.
  virtual absl::Status Link(const std::string& from, const std::string& to) = 0;
  // Removes the name; who has the file open keeps it. Durable after SyncDirectory.
  virtual absl::Status Remove(const std::string& path) = 0;
  // Makes the names in the directory durable: files that were created, renamed, linked and removed there. DataLoss when
  // the sync itself fails.
  virtual absl::Status SyncDirectory(const std::string& directory) = 0;
  // Creates the directory and its missing parents with the permission bits `mode` (less the umask); OK when it exists,
  // whatever its permissions are. Not made durable.
  virtual absl::Status CreateDirectories(const std::string& directory, uint32_t mode) = 0;
  // Names (not paths) in `directory`, sorted.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& directory) = 0;
  // Bytes that this user may still write to the disk that `directory` is on.
  virtual absl::StatusOr<uint64_t> FreeBytes(const std::string& directory) = 0;
};

// Creates the file with `access`, which whoever opens it finds from the first moment, or a narrower one. AlreadyExists
// when there is one (a symbolic link among them).
absl::StatusOr<std::unique_ptr<File>> CreateWithAccess(FileSystem& file_system, const std::string& path,
                                                       const FileAccess& access);

// The directory part of `path`; "." when it has none.
std::string DirectoryOf(const std::string& path);

// Both with an error code that nobody takes for a full disk, which can be waited for: a sync that fails for want of
// room has lost what it was to write as any other failed sync has.
absl::Status SyncFile(File& file);                                        // the bytes
absl::Status SyncName(FileSystem& file_system, const std::string& path);  // the directory that has the name

// OK where there is none.
absl::Status RemoveIfThere(FileSystem& file_system, const std::string& path);

// The first of PATH1, PATH2 and so on that nothing has. FailedPrecondition where a thousand are taken.
absl::StatusOr<std::string> FreeName(FileSystem& file_system, const std::string& path);

// Renames what is at `path` to FreeName, and returns that. The directory is not synced.
absl::StatusOr<std::string> MoveToFreeName(FileSystem& file_system, const std::string& path);

// Replaces `path` by `contents` so that a crash leaves the old or the new contents whole: writes `path`.new (created
// with the permission bits `mode`, less the umask; one that a crash left is used again, with its own), syncs it,
// renames, syncs the directory. After an error either may be there; `path`.new may be left behind.
absl::Status ReplaceFile(FileSystem& file_system, const std::string& path, absl::string_view contents, uint32_t mode);

// Reads a whole file of at most `limit` bytes; ResourceExhausted when it is larger.
absl::StatusOr<std::string> ReadWholeFile(FileSystem& file_system, const std::string& path, uint64_t limit);

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_FILE_SYSTEM_H_
