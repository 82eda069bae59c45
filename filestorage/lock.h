// ZODB's `Data.fs.lock`, held as ZODB's FileStorage holds it (zc.lockfile): flock on the file, whose content
// is a space, the process's id and a newline.
#ifndef ZRS_FILESTORAGE_LOCK_H_
#define ZRS_FILESTORAGE_LOCK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "filestorage/file_system.h"

namespace zrs::filestorage {

// While it lives, FileStorage(path) for writing fails with LockError; read-only openers are not affected.
class DataFileLock {
 public:
  // Locks `data_path`.lock (created with `access` if missing). Unavailable when another process holds it; the message
  // names that process's id where the file tells it. A symbolic link there is FailedPrecondition, and not followed.
  static absl::StatusOr<std::unique_ptr<DataFileLock>> Take(FileSystem& file_system, const std::string& data_path,
                                                            const FileAccess& access);

  // Whether Take created the file.
  bool created() const { return created_; }
  // As File's: for one that was created, when it is known better who is to open it.
  absl::Status SetAccess(const FileAccess& access) { return file_->SetAccess(access); }

 private:
  DataFileLock(std::unique_ptr<File> file, bool created) : file_(std::move(file)), created_(created) {}
  std::unique_ptr<File> file_;
  bool created_;
};

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_LOCK_H_
