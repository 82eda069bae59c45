// ZODB's `Data.fs.lock`, held as ZODB's FileStorage holds it (zc.lockfile): flock on the file, whose content is "
// PID\n".
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
  // Locks `data_path`.lock (created with the permission bits `mode` if missing). Unavailable when another process
  // holds it; the message names that process's id where the file tells it.
  static absl::StatusOr<std::unique_ptr<DataFileLock>> Take(FileSystem& file_system, const std::string& data_path,
                                                            uint32_t mode);

 private:
  explicit DataFileLock(std::unique_ptr<File> file) : file_(std::move(file)) {}
  std::unique_ptr<File> file_;
};

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_LOCK_H_
