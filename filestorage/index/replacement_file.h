// A file that takes the place of another one whole, or not at all.
#ifndef ZRS_FILESTORAGE_INDEX_REPLACEMENT_FILE_H_
#define ZRS_FILESTORAGE_INDEX_REPLACEMENT_FILE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "filestorage/file_system.h"

namespace zrs::filestorage {

// It is written under a temporary name, `PATH.zrs-new`, which it has locked (flock) meanwhile: so two that make the
// same file exclude each other, and what a killed one left is known, and removed by the next. Never follows a symbolic
// link; nothing that is there is written into. Used by one thread. Blocks.
class ReplacementFile {
 public:
  // Creates it, empty. It belongs to owner and group of `like` as far as this user may give it to them, with its
  // permissions to read and write. Unavailable while another one is at work on the same path; FailedPrecondition where
  // `path`, or the temporary name, is that of something else than a file; else the file system's errors.
  static absl::StatusOr<std::unique_ptr<ReplacementFile>> Create(FileSystem& file_system, const std::string& path,
                                                                 const FileInfo& like);
  // Removes the temporary name, where it has not become the real one.
  ~ReplacementFile();
  ReplacementFile(const ReplacementFile&) = delete;
  ReplacementFile& operator=(const ReplacementFile&) = delete;

  File& file() { return *file_; }

  // A file without a name for what is kept meanwhile: it is gone once it is closed, whatever happens. On the same disk.
  absl::StatusOr<std::unique_ptr<File>> CreateScratch();

  // Makes what was written durable.
  absl::Status Sync();
  // After Sync: the file gets the name, and that is durable. After an error the old or the new file may have the name.
  absl::Status Commit();

  // Removes the name after Commit, where it still is this file's.
  absl::Status TakeBack();

 private:
  ReplacementFile(FileSystem& file_system, const std::string& path, std::unique_ptr<File> file);

  FileSystem& file_system_;
  const std::string path_;
  std::unique_ptr<File> file_;
  bool committed_ = false;
};

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_INDEX_REPLACEMENT_FILE_H_
